// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// This file finds the address of the session that sudo is typed in. sudo has no PAM_RHOST, and its
// environment, terminal and parent are its user's. The one thing about a session that its user
// cannot choose is the kernel's audit session id: pam_loginuid makes a new one at each login, every
// process of the session inherits it, and changing it takes CAP_AUDIT_CONTROL. pam/session.c notes
// in sshd which id came from which address. Without pam_loginuid in sshd's stack, without audit in
// the kernel, and outside of sessions (cron, systemd --user) there is no note, so there is no
// address and no window.

// A session is one note of pam/session.c: "boot-id pid uid rhost\n", in a file named by the audit
// session id.
type session struct {
	boot string
	pid  int // of the program that let the person in, and stays for as long as the session does
	uid  uint32
	host string
}

// parseSession accepts only the whole line.
func parseSession(text string) (s session, ok bool) {
	n, err := fmt.Sscanf(text, "%s %d %d %s\n", &s.boot, &s.pid, &s.uid, &s.host)
	return s, err == nil && n == 4 && text == s.String()
}

func (s session) String() string {
	return fmt.Sprintf("%s %d %d %s\n", s.boot, s.pid, s.uid, s.host)
}

// sessionNotes is the directory of the notes.
type sessionNotes string

// notesIn returns the directory that pam/session.c writes into.
func notesIn(runtimeDir string) sessionNotes {
	return sessionNotes(filepath.Join(runtimeDir, "sessions"))
}

// expect has sessions noted from here on: pam/session.c writes notes only where the directory is.
func (n sessionNotes) expect() {
	_ = os.MkdirAll(string(n), 0o700) // without it sudo asks, as it does without a window
}

// host returns the address that this process's session came from, or "". Session, caller and
// account must be one: a person who became the account inside somebody else's session, or somebody
// else inside the account's, has no address.
func (n sessionNotes) host(uid, caller uint32, boot string) string {
	id := auditSession("self")
	if id == "" || caller != uid {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(string(n), id))
	if err != nil {
		return ""
	}
	s, ok := parseSession(string(text))
	if !ok || s.boot != boot || s.uid != uid || auditSession(fmt.Sprint(s.pid)) != id {
		return "" // of an earlier boot, or of a connection that has ended while its session runs on
	}
	return s.host
}

// auditSession returns the audit session id of a process, or "" if it was never given one.
func auditSession(process string) string {
	const unset = "4294967295"
	text, err := os.ReadFile(filepath.Join("/proc", process, "sessionid"))
	if id := strings.TrimSpace(string(text)); err == nil && id != unset {
		return id
	}
	return ""
}
