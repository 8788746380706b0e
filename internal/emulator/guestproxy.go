// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// This is Azure's guest proxy agent in Enforce mode, as in its source (Azure/GuestProxyAgent
// 729e2a8, 2026-07-22: proxy_server.rs, key.rs). The kernel tells it which process has connected.
// The process's executable is the target of /proc/PID/exe, and its name the last part of that. A
// rule's identity matches if every member that it has is equal. Anybody else gets 403 without a
// body, and the connection ends. A process that cannot be found gets 421.

// A Caller is an identity of a rule. Empty members match everybody.
type Caller struct {
	User    string `toml:"user,omitempty"`
	Process string `toml:"process,omitempty"`
	Exe     string `toml:"exe,omitempty"`
}

func (c Caller) matches(who Caller) bool {
	same := func(rule, is string) bool { return rule == "" || rule == is }
	return same(c.User, who.User) && same(c.Process, who.Process) && same(c.Exe, who.Exe)
}

// proxied runs before every answer of metadata. It reports whether the rules let the request
// through.
func (x *exchange) proxied() bool {
	rules := x.dir.Machine.Callers
	if len(rules) == 0 {
		return true
	}
	who, err := callerOf(x.r)
	if err != nil {
		x.block(http.StatusMisdirectedRequest, err.Error())
		return false
	}
	for _, rule := range rules {
		if rule.matches(who) {
			return true
		}
	}
	x.block(http.StatusForbidden, fmt.Sprintf("%+v", who))
	return false
}

// block answers with a status alone.
func (x *exchange) block(status int, why string) {
	x.noteError(why)
	x.Header().Set("Connection", "close")
	x.Header().Set("Content-Length", "0")
	x.WriteHeader(status)
}

// callerOf finds the process at the other end of a loopback connection. The port leads to the inode
// of its socket, and the inode to the process that has it open.
func callerOf(r *http.Request) (Caller, error) {
	_, port, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return Caller{}, err
	}
	uid, inode, err := socketAt(port)
	if err != nil {
		return Caller{}, err
	}
	open, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return Caller{}, err
	}
	for _, fd := range open {
		if to, _ := os.Readlink(fd); to != "socket:["+inode+"]" {
			continue
		}
		exe, err := os.Readlink(filepath.Join(filepath.Dir(fd), "../exe"))
		if err != nil {
			return Caller{}, err
		}
		name := uid
		if u, err := user.LookupId(uid); err == nil {
			name = u.Username
		}
		return Caller{User: name, Process: filepath.Base(exe), Exe: exe}, nil
	}
	return Caller{}, fmt.Errorf("nobody has socket %s", inode)
}

// socketAt reads /proc/net/tcp, proc_pid_net(5). Addresses are in hexadecimal, the uid is in the
// eighth column and the inode in the tenth.
func socketAt(port string) (uid, inode string, err error) {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", "", err
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return "", "", err
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) >= 10 && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", number)) &&
			fields[9] != "0" {
			return fields[7], fields[9], nil
		}
	}
	return "", "", fmt.Errorf("no socket has port %s", port)
}
