// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import "testing"

// sudo goes by the groups a session has had since it began. So as long as it has aad_admins, who is no longer administrator is
// refused, every time, and not only by the check that found out.
func TestSessionOfAFormerAdministrator(t *testing.T) {
	m := newMachine(t, "")
	a := m.person(user, userOID)
	a.Admin = true
	m.put(a)
	req := m.request(user)
	req.Service, req.RemoteHost, req.HoldsAdmins = "sudo", "", true
	for range 3 {
		got, door := m.signIn(req, user)
		ended(t, got, door, Denied, "no longer an administrator", "demoted")
		got, door = m.again(req)
		ended(t, got, door, Denied, "no longer an administrator", "demoted")
	}
	req.HoldsAdmins = false // a new session
	if got, door := m.signIn(req, user); got != Success {
		t.Errorf("verdict %d, told %q", got, door.told)
	}
	req.Service, req.HoldsAdmins = "sshd", true // makes new sessions
	if got, door := m.signIn(req, user); got != Success {
		t.Errorf("sshd: verdict %d, told %q", got, door.told)
	}
}
