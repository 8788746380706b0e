// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

const opener = "/usr/bin/xdg-open"

// A desktop is that of the person who has become root here by sudo, with a browser on it. The
// browser is started as that person in every respect: user, groups, home, in a session without this
// terminal, with no file of ours open, and with nothing of root's environment but the two names of
// the display. Where it cannot be told who that is, there is none: no browser runs as root.
type desktop struct {
	as  syscall.Credential
	env []string
}

// newDesktop returns nil where no browser can be started.
func newDesktop(getenv func(string) string) *desktop {
	d, err := invoker(getenv)
	if err != nil {
		return nil
	}
	if _, err := os.Stat(opener); err != nil {
		return nil
	}
	return d
}

// invoker finds person and desktop. sudo tells whose it was and keeps DISPLAY and XAUTHORITY; the
// rest is where systemd has it.
func invoker(getenv func(string) string) (*desktop, error) {
	u, err := user.LookupId(getenv("SUDO_UID"))
	if err != nil {
		return nil, err
	}
	d := new(desktop)
	if d.as, err = credential(u); err != nil {
		return nil, err
	}
	d.env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + u.HomeDir,
		"USER=" + u.Username, "LOGNAME=" + u.Username}
	there := false
	for _, key := range []string{"DISPLAY", "XAUTHORITY"} {
		if value := getenv(key); value != "" {
			d.env, there = append(d.env, key+"="+value), there || key == "DISPLAY"
		}
	}
	if run := "/run/user/" + u.Uid; ownedBy(run, d.as.Uid) {
		d.env = append(d.env, "XDG_RUNTIME_DIR="+run, "DBUS_SESSION_BUS_ADDRESS=unix:path="+run+
			"/bus")
		if ownedBy(run+"/wayland-0", d.as.Uid) {
			d.env, there = append(d.env, "WAYLAND_DISPLAY=wayland-0"), true
		}
	}
	if !there {
		return nil, errors.New("no desktop")
	}
	return d, nil
}

func credential(u *user.User) (c syscall.Credential, err error) {
	names, err := u.GroupIds()
	ids := make([]uint32, 0, len(names)+2)
	for _, name := range append([]string{u.Uid, u.Gid}, names...) {
		id, wrong := strconv.ParseUint(name, 10, 32)
		err = errors.Join(err, wrong)
		ids = append(ids, uint32(id))
	}
	if err == nil && (ids[0] == 0 || ids[1] == 0) {
		err = errors.New("that would be root")
	}
	return syscall.Credential{Uid: ids[0], Gid: ids[1], Groups: ids[2:]}, err
}

func ownedBy(path string, uid uint32) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == uid
}

// open does not wait for the browser, which may stay, but for the program that finds it.
func (d *desktop) open(address string) error {
	cmd := exec.Command(opener, address)
	cmd.Env, cmd.Dir = d.env, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &d.as, Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait()
	return nil
}
