// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The address of the session that sudo is typed in. sudo has no PAM_RHOST; its environment, terminal and parent are its user's.
// The one thing about a session that its user cannot choose is the kernel's audit session id: pam_loginuid has it made anew at
// each login, every process of the session inherits it, and changing it takes CAP_AUDIT_CONTROL. pam/session.c notes in sshd
// which id came from where. Without pam_loginuid in sshd's stack, without audit in the kernel, and in what no session started
// (cron, systemd --user) there is no note, so no address, so no window.

// A session is one note of pam/session.c: "boot-id pid uid rhost\n", in a file named by the audit session id.
type session struct {
	boot string
	pid  int // of the program that let the person in, and stays for as long as the session does
	uid  uint32
	host string
}

// parseSession takes nothing but the whole line.
func parseSession(text string) (s session, ok bool) {
	n, err := fmt.Sscanf(text, "%s %d %d %s\n", &s.boot, &s.pid, &s.uid, &s.host)
	return s, err == nil && n == 4 && text == s.String()
}

func (s session) String() string {
	return fmt.Sprintf("%s %d %d %s\n", s.boot, s.pid, s.uid, s.host)
}

// expectSessions has sessions noted from here on: pam/session.c does so only where there is the directory for it.
func (a *attempt) expectSessions() {
	if a.cfg.SignIn.ReuseWindow > 0 {
		_ = os.MkdirAll(a.sessionsDir(), 0o700) // without it sudo asks, as it does without a window
	}
}

func (a *attempt) sessionsDir() string { return filepath.Join(a.RuntimeDir, "sessions") }

// sessionHost is where the session of this account came from that the host is part of, or "". Who became the account inside
// somebody else's session, or somebody else inside the account's, is not meant: session, caller and account are one.
func (a *attempt) sessionHost(uid uint32) string {
	id := auditSession("self")
	if id == "" || a.Caller != uid {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(a.sessionsDir(), id))
	if err != nil {
		return ""
	}
	boot, _ := a.Uptime()
	s, ok := parseSession(string(text))
	if !ok || s.boot != boot || s.uid != uid || auditSession(fmt.Sprint(s.pid)) != id {
		return "" // of an earlier boot, or of a connection that has ended while something of its session runs on
	}
	return s.host
}

// auditSession is the audit session id of a process, or "" for one that was never given any.
func auditSession(process string) string {
	const unset = "4294967295"
	text, err := os.ReadFile(filepath.Join("/proc", process, "sessionid"))
	if id := strings.TrimSpace(string(text)); err == nil && id != unset {
		return id
	}
	return ""
}
