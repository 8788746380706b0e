// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A chroot is a Debian of its own on a device.
type chroot struct {
	*mounted
	t *testing.T
}

const (
	password = "correct horse battery staple"
	disabled = "pam_lastlog.so" // the module of a profile that an administrator has disabled
)

// chrooted mounts it, with what its programs need of a machine.
func (f filesystem) chrooted(t *testing.T, s *shelf, d *disk, options, dir string) (*chroot,
	error) {
	t.Helper()
	m, err := f.mount(t, s, d, options, dir)
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{"proc", "run"} {
		kind := map[string]string{"proc": "proc", "run": "tmpfs"}[sub]
		must(t, "mount", "-t", kind, sub, filepath.Join(dir, sub))
		m.binds = append(m.binds, filepath.Join(dir, sub))
	}
	return &chroot{m, t}, nil
}

// run has a program run in it. DEBIAN_FRONTEND is for debconf; nobody is there to ask.
func (c *chroot) run(input, name string, args ...string) (string, error) {
	cmd := exec.Command("env", append([]string{"-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		"DEBIAN_FRONTEND=noninteractive", "LC_ALL=C",
		"chroot", c.dir, name}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %q: %w: %s", name, args, err, out)
	}
	return string(out), err
}

func (c *chroot) must(input, name string, args ...string) {
	c.t.Helper()
	if _, err := c.run(input, name, args...); err != nil {
		c.t.Fatal(err)
	}
}

// furnish makes a machine of an empty device: a person with a password, host keys, nothing started.
func (c *chroot) furnish(debs ...string) {
	c.t.Helper()
	must(c.t, "tar", "-xf", *rootTar, "-C", c.dir, "--exclude=./dev/*")
	for name, number := range map[string]uint32{"null": 3, "zero": 5, "random": 8, "urandom": 9} {
		if err := unix.Mknod(filepath.Join(c.dir, "dev", name), unix.S_IFCHR|0o666,
			int(unix.Mkdev(1, number))); err != nil {
			c.t.Fatal(err)
		}
		os.Chmod(filepath.Join(c.dir, "dev", name), 0o666)
	}
	for _, deb := range debs {
		must(c.t, "cp", deb, filepath.Join(c.dir, "root"))
	}
	policy := filepath.Join(c.dir, "usr/sbin/policy-rc.d")
	if err := os.WriteFile(policy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
		c.t.Fatal(err)
	}
	profile := filepath.Join(c.dir, "usr/share/pam-configs/disabled")
	if err := os.WriteFile(profile, []byte("Name: Disabled\nDefault: yes\nPriority: 0\n"+
		"Session-Type: Additional\nSession:\n\toptional\t"+disabled+"\n"), 0o644); err != nil {
		c.t.Fatal(err)
	}
	c.must("", "pam-auth-update", "--disable", "disabled")
	c.must("", "useradd", "-m", "local")
	c.must("local:"+password+"\n", "chpasswd")
	c.must("", "ssh-keygen", "-A")
}

// localLogins returns what keeps local people out.
func (c *chroot) localLogins() (problems []string) {
	os.MkdirAll(filepath.Join(c.dir, "run/sshd"), 0o755)
	for _, line := range []struct {
		input string
		args  []string
	}{
		{password + "\n", []string{"pamtester", "sshd", "local", "authenticate", "acct_mgmt"}},
		{password + "\n", []string{"pamtester", "login", "local", "authenticate", "acct_mgmt"}},
		{password + "\n", []string{"pamtester", "sudo", "local", "authenticate", "acct_mgmt"}},
		{"", []string{"su", "local", "-c", "true"}},
		{"", []string{"getent", "passwd", "root", "local"}},
		{"", []string{"sshd", "-t"}},
		{"", []string{"visudo", "-cq"}},
	} {
		if line.args[0] == "sshd" {
			line.args[0] = "/usr/sbin/sshd"
		}
		if _, err := c.run(line.input, line.args[0], line.args[1:]...); err != nil {
			problems = append(problems, "local logins: "+err.Error())
		}
	}
	if _, err := c.run("wrong\n", "pamtester", "sshd", "local", "authenticate"); err == nil {
		problems = append(problems, "local logins: anybody comes in, with any password")
	}
	return problems
}
