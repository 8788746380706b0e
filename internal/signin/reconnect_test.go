// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"slices"
	"testing"
	"testing/fstest"

	"aadlogin/internal/emulator"
)

const changed = "Your groups on this machine have changed. Connect again."

// byGroup makes sshd confine the members of web, who are Entra's staff.
func byGroup(t *testing.T, lines string) *machine {
	m := withStaff(t, lines)
	m.signin.Root = fstest.MapFS{"etc/ssh/sshd_config": {Data: []byte("Match Group web\n")}}
	return m
}

// changes signs in, or comes with a key, and returns whether the groups have changed. Otherwise the
// attempt succeeds.
func (m *machine) changes(what string, want, browser bool) {
	m.t.Helper()
	var got Verdict
	var conv *said
	if req := m.request(user); browser {
		got, conv = m.signIn(req, user)
	} else {
		got, conv = m.again(req)
	}
	switch {
	case want:
		ended(m.t, got, conv, Denied, changed, `reason="groups-changed"`)
	case got != Success:
		m.t.Errorf("%s: verdict %d, told %q", what, got, conv.told)
	}
}

// A person who joins or leaves a group connects again once. The groups are stored by then.
func TestReconnectOnGroupChange(t *testing.T) {
	m := byGroup(t, "")
	m.changes("a first sign-in of a member", true, true)
	if got := m.stored(user).Groups; !slices.Equal(got, []uint32{2000}) {
		t.Errorf("stored %v", got)
	}
	m.changes("the next", false, true)
	m.changes("with a key", false, false)
	m.change(func(d *emulator.Directory) {
		d.Groups = slices.DeleteFunc(d.Groups,
			func(g emulator.Group) bool { return g.ObjectID == staffID })
	})
	m.changes("with a key, no member any more", false, false) // which nobody can know
	m.changes("no member any more", true, true)
	m.changes("the next", false, true)
	m.assign(user, "Virtual Machine Administrator Login")
	m.changes("an administrator, with a key", true, false)
	m.changes("the next", false, false)
	m.assign(user, "Virtual Machine User Login")
	m.changes("no administrator any more, with a key", true, false)
	m.changes("the next", false, true)
}

func TestReconnectOnlyWhereNeeded(t *testing.T) {
	for name, test := range map[string]struct {
		lines, rules string
		service      string
		want         bool
	}{
		"no such rule": {rules: "Match Group aad_users", service: "sshd"},
		"such a rule":  {rules: "DenyGroups web", service: "sshd", want: true},
		"switched off": {lines: "sign_in.reconnect_on_group_change = false\n",
			rules: "DenyGroups web", service: "sshd"},
		"switched on": {lines: "sign_in.reconnect_on_group_change = true\n",
			service: "sshd", want: true},
		"a rule that is not known": {rules: "unreadable", service: "sshd", want: true},
		"another service":          {rules: "DenyGroups web", service: "sudo"},
	} {
		t.Run(name, func(t *testing.T) {
			m := byGroup(t, test.lines)
			root := fstest.MapFS{"etc/ssh/sshd_config": {Data: []byte(test.rules + "\n")}}
			if test.rules == "unreadable" {
				root = fstest.MapFS{"etc/ssh/sshd_config/x": {}}
			}
			m.signin.Root = root
			req := m.request(user)
			req.Service = test.service
			got, conv := m.signIn(req, user)
			if (got == Denied) != test.want || !test.want && got != Success {
				t.Errorf("verdict %d, told %q", got, conv.told)
			}
		})
	}
}

// Two connections begin before a member's first sign-in. The host of the second knows no more about
// the groups than that of the first.
func TestReconnectOfTwoAtOnce(t *testing.T) {
	m := byGroup(t, "")
	req := m.request(user)
	req.KnownToHost, req.UID = true, m.firstID(user)
	req.StoreInode, req.StoreModified = m.store.Stamp()
	for range 2 {
		got, conv := m.signIn(req, user)
		ended(t, got, conv, Denied, changed, `reason="groups-changed"`)
	}
	req.StoreInode, req.StoreModified = m.store.Stamp()
	if got, conv := m.signIn(req, user); got != Success {
		t.Errorf("verdict %d, told %q", got, conv.told)
	}
}

// An administrator who is let in by the last grant, as a user, is in one group less.
func TestReconnectByLastGrant(t *testing.T) {
	m := granted(t, "", true)
	m.signin.Root = fstest.MapFS{"etc/ssh/sshd_config": {Data: []byte("AllowGroups aad_admins\n")}}
	m.entra.Fail(emulator.Fault{Endpoint: "checkaccess", Reset: true})
	m.changes("an administrator", true, false)
	m.changes("the next, whom sshd keeps out", false, false)
}
