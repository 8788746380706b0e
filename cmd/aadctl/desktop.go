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

// A desktop belongs to the person who has become root by sudo, and has a browser. The browser runs
// as that person in every respect: user, groups and home, in a session without this terminal,
// without an open file of ours, and with nothing of root's environment but the two names of the
// display. If the person is unknown, there is no desktop, and no browser runs as root.
type desktop struct {
	as  syscall.Credential
	env []string
}

// newDesktop returns nil if no browser can be started.
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

// invoker finds the person and the desktop. sudo tells who called it, and keeps DISPLAY and
// XAUTHORITY. The other values are where systemd puts them.
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

// open starts the program that finds a browser, and waits for it. It does not wait for the browser.
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
