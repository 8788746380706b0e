// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/account"
)

// sudo goes by the groups a session has had since it began. So as long as it has aad_admins, who is
// no longer administrator is refused, every time, and not only by the check that found out.
func TestSessionOfAFormerAdministrator(t *testing.T) {
	m := newMachine(t, "")
	a := m.person(user, userOID)
	a.Admin = true
	m.put(a)
	req := m.request(user)
	req.Service, req.RemoteHost, req.HoldsAdmins = "sudo", "", true
	for range 3 {
		got, conv := m.signIn(req, user)
		ended(t, got, conv, Denied, "no longer an administrator", "demoted")
		got, conv = m.again(req)
		ended(t, got, conv, Denied, "no longer an administrator", "demoted")
	}
	req.HoldsAdmins = false // a new session
	if got, conv := m.signIn(req, user); got != Success {
		t.Errorf("verdict %d, told %q", got, conv.told)
	}
	req.Service, req.HoldsAdmins = "sshd", true // makes new sessions
	if got, conv := m.signIn(req, user); got != Success {
		t.Errorf("sshd: verdict %d, told %q", got, conv.told)
	}
}

// What cannot be removed keeps nobody an administrator.
func TestDenialTakesBackWhatItCan(t *testing.T) {
	m := newMachine(t, "")
	a := m.person(admin, adminOID)
	a.Admin = true
	m.put(a)
	m.record(a, time.Now(), true)
	windows := account.Store{RuntimeDir: m.signin.RuntimeDir}.WindowsPath(a.UID)
	if err := os.MkdirAll(filepath.Join(windows, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	m.assign(admin, "")
	got, conv := m.again(m.request(admin))
	if got != Denied || !strings.Contains(strings.Join(conv.logged, "\n"), "not-revoked") {
		t.Errorf("verdict %d, logged %q", got, conv.logged)
	}
	if m.stored(admin).Admin {
		t.Error("still an administrator")
	}
	if _, err := m.grant(a.UID); err == nil {
		t.Error("the grant is still there")
	}
}
