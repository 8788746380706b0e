// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	osuser "os/user"
	"slices"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/emulator"
	"aadlogin/internal/token"
)

// groupFile returns an /etc/group with these names and ids.
type groupFile map[string]string

func (f groupFile) lookup(name string) (*osuser.Group, error) {
	if gid, ok := f[name]; ok {
		return &osuser.Group{Name: name, Gid: gid}, nil
	}
	return nil, osuser.UnknownGroupError(name)
}

const (
	staffID = "0f3c1111-2222-3333-4444-555555555555"
	devsID  = "0f3c1111-2222-3333-4444-666666666666"
)

// groupsAttempt returns an attempt that maps Entra's staff and devs to these local groups.
func groupsAttempt(staff, devs string) (*attempt, *said) {
	conv := new(said)
	s := Signin{LookupGroup: groupFile{
		"web": "2000", "dialout": "20", "docker": "998", "engine": "998", "toor": "0",
		"odd": "x", "high": "1879048193",
	}.lookup}
	a := s.attempt(Request{User: "user@contoso.example"}, conv)
	a.cfg = &config.Config{
		Accounts: config.Accounts{Groups: map[string]string{staffID: staff, devsID: devs}},
	}
	a.rules = account.Rules{Low: 1879048192, High: 2147483646}
	return a, conv
}

func TestLocalGroups(t *testing.T) {
	for name, test := range map[string]struct {
		staff, devs string
		privileged  bool
		groups      []string
		want        []uint32
		logged      string
	}{
		"none": {staff: "web", devs: "dialout"},
		"one": {staff: "web", devs: "dialout",
			groups: []string{devsID}, want: []uint32{20}},
		"both, and a third": {staff: "web", devs: "dialout",
			groups: []string{devsID, "3", staffID}, want: []uint32{20, 2000}},
		"in another case": {staff: "web", devs: "dialout",
			groups: []string{strings.ToUpper(staffID)}, want: []uint32{2000}},
		"by name": {staff: "web", devs: "dialout",
			groups: []string{"web", "staff"}},
		"not there": {staff: "nobody", devs: "web", groups: []string{staffID, devsID},
			want: []uint32{2000}, logged: "no such group"},
		"root's under another": {staff: "toor", devs: "web", privileged: true,
			groups: []string{staffID}, logged: "root's"},
		"no number": {staff: "odd", devs: "web", groups: []string{staffID},
			logged: "no number"},
		"of our own range": {staff: "high", devs: "web", privileged: true,
			groups: []string{staffID}, logged: "id_range"},
		"docker's under another": {staff: "engine", devs: "web", groups: []string{staffID, devsID},
			want: []uint32{2000}, logged: "that of docker"},
		"the same, and it may be": {staff: "engine", devs: "web", privileged: true,
			groups: []string{staffID}, want: []uint32{998}},
	} {
		t.Run(name, func(t *testing.T) {
			a, conv := groupsAttempt(test.staff, test.devs)
			a.cfg.Accounts.AllowPrivilegedGroups = test.privileged
			got := a.localGroups(&token.Claims{Groups: test.groups})
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("groups %v, want %v", got, test.want)
			}
			line := strings.Join(conv.logged, "\n")
			if (line == "") != (test.logged == "") || !strings.Contains(line, test.logged) {
				t.Errorf("logged %q, want %q", line, test.logged)
			}
		})
	}
}

// A token that cannot hold all groups is taken to hold none, because a part of them would be a
// guess.
func TestGroupsOverage(t *testing.T) {
	a, conv := groupsAttempt("web", "dialout")
	got := a.localGroups(&token.Claims{Groups: []string{staffID}, GroupsOverage: true})
	if got != nil {
		t.Errorf("groups %v", got)
	}
	if len(conv.logged) != 1 ||
		!strings.Contains(conv.logged[0], "more groups than a token holds") {
		t.Errorf("logged %q", conv.logged)
	}
	a.cfg.Accounts.Groups = nil
	if a.localGroups(&token.Claims{GroupsOverage: true}); len(conv.logged) != 1 {
		t.Errorf("logged %q although no group is mapped", conv.logged)
	}
}

// A login by key keeps the groups that the configuration still maps, and gets no new ones.
func TestStillMapped(t *testing.T) {
	a, conv := groupsAttempt("web", "nobody")
	for _, test := range []struct{ stored, want []uint32 }{
		{nil, nil}, {[]uint32{2000}, []uint32{2000}}, {[]uint32{20}, nil},
		{[]uint32{20, 998, 2000}, []uint32{2000}},
	} {
		got := a.stillMapped(account.Account{Groups: test.stored})
		if !slices.Equal(got, test.want) {
			t.Errorf("of %v: %v, want %v", test.stored, got, test.want)
		}
	}
	if conv.logged != nil {
		t.Errorf("logged %q", conv.logged)
	}
}

// withStaff returns a machine whose user is in Entra's staff, which is the local group 2000.
func withStaff(t *testing.T, lines string) *machine {
	t.Helper()
	m := newMachine(t, "")
	m.signin.LookupGroup = groupFile{"web": "2000"}.lookup
	m.change(func(d *emulator.Directory) {
		d.GroupsClaim = true
		d.Groups = append(d.Groups, emulator.Group{
			Name: "staff", ObjectID: staffID, Members: []string{user},
		})
	})
	m.reconfigure(lines + "accounts.groups." + staffID + ` = "web"`)
	return m
}

// Groups end a day after the browser sign-in that brought them, even while a grant stands in for
// Azure. A login in between does not prolong them.
func TestGroupsEnd(t *testing.T) {
	for name, down := range map[string]bool{"asking Azure": false, "by the last grant": true} {
		t.Run(name, func(t *testing.T) {
			m := withStaff(t, "authorization.grant_lifetime = \"720h\"\n")
			m.browser(m.request(user))
			for _, test := range []struct {
				hours time.Duration
				want  []uint32
			}{{0, []uint32{2000}}, {23, []uint32{2000}}, {25, nil}} {
				m.ahead.Store(int64(test.hours * time.Hour))
				if down && test.hours == 25 {
					m.entra.Fail(emulator.Fault{Endpoint: "arm", Reset: true})
				}
				if got, conv := m.again(m.request(user)); got != Success {
					t.Fatalf("after %d hours: verdict %d, told %q", test.hours, got, conv.told)
				}
				if got := m.stored(user).Groups; !slices.Equal(got, test.want) {
					t.Errorf("after %d hours: groups %v", test.hours, got)
				}
			}
		})
	}
}

// A denial ends them, too, and a role that comes back does not bring them back.
func TestDenialTakesGroups(t *testing.T) {
	m := withStaff(t, "")
	m.browser(m.request(user))
	m.assign(user, "")
	got, conv := m.again(m.request(user))
	ended(t, got, conv, Denied, "Access denied:", "denied")
	if groups := m.stored(user).Groups; groups != nil {
		t.Errorf("groups %v", groups)
	}
}

// A person's groups follow the token of each sign-in with a browser. Nothing else adds any.
func TestGroupsFollowTheToken(t *testing.T) {
	m := withStaff(t, "")
	has := func(want ...uint32) {
		t.Helper()
		if got := m.stored(user).Groups; !slices.Equal(got, want) {
			t.Errorf("groups %v, want %v", got, want)
		}
	}
	signIn := func() {
		t.Helper()
		if got, conv := m.signIn(m.request(user), user); got != Success {
			t.Fatalf("%v: %q", got, conv.told)
		}
	}
	again := func() {
		t.Helper()
		conv := new(said)
		if got := m.signin.Account(t.Context(), m.request(user), conv); got != Success {
			t.Fatalf("%v: %q", got, conv.told)
		}
	}
	signIn()
	has(2000)
	m.entra.Update(func(d *emulator.Directory) { d.Groups[len(d.Groups)-1].Members = nil })
	again()
	has(2000) // nobody has said otherwise
	signIn()
	has()
	m.entra.Update(func(d *emulator.Directory) {
		d.Groups[len(d.Groups)-1].Members = []string{user}
	})
	again()
	has()
	signIn()
	has(2000)
	m.reconfigure("")
	again()
	has()
}
