// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aadlogin/internal/account"
	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// employ gives a role to accounts of the directory that have never signed in here.
func employ(t *testing.T, names ...string) {
	t.Helper()
	err := rig.Entra.Update(func(d *emulator.Directory) {
		for _, name := range names {
			id := sha256.Sum256([]byte(name)) // the same whenever these tests run again here
			oid := fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
			d.Users = append(d.Users, emulator.User{Name: name, ObjectID: oid})
			d.Assignments = append(d.Assignments, emulator.Assignment{
				Principal: name, Role: "Virtual Machine User Login", Scope: d.Machine.ResourceID,
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rules returns the rules of this machine.
func rules(t *testing.T) account.Rules {
	t.Helper()
	s, err := account.Store{Dir: filepath.Dir(rig.StoreFile)}.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return s.Rules()
}

// Only some programs learn of a name that has never signed in. The lookup goes through glibc and
// nsswitch.conf as they are here.
func TestWhoHearsOfNeverSeenNames(t *testing.T) {
	const name = "unseen@contoso.example"
	getent, err := os.ReadFile("/usr/bin/getent")
	if err != nil {
		t.Fatal(err)
	}
	r := rules(t)
	uid := account.ID(r.TenantID, name, 0, r.Low, r.High)
	for _, c := range []struct {
		program string
		user    uint32
		hears   bool
	}{
		{"sshd", 0, true},
		{"sshd-session", 0, true},
		{"sshd-auth", 0, true},
		{"login", 0, true},
		{"sshd", 65534, false},
		{"login", 65534, false},
		{"su", 0, false},
		{"nscd", 0, false},
		{"sshd.old", 0, false},
	} {
		dir, err := os.MkdirTemp("/run", "hears")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		exe := filepath.Join(dir, c.program)
		if err := os.WriteFile(exe, getent, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		entry, groups := "", name
		if c.hears {
			entry = fmt.Sprintf("%s:*:%d:%d:%s:/home/%s:/bin/bash", name, uid, uid, name, name)
		}
		if got := asUser(t, c.user, exe, "passwd", name); got != entry {
			t.Errorf("%s as %d: %q, want %q", c.program, c.user, got, entry)
		}
		// getent asks with the primary group -1, which no account has.
		if got := asUser(t, c.user, exe, "initgroups", name); got != groups {
			t.Errorf("%s as %d: groups %q", c.program, c.user, got)
		}
		for _, query := range [][]string{
			{"passwd", fmt.Sprint(uid)}, {"group", name}, {"group", fmt.Sprint(uid)},
		} {
			if got := asUser(t, c.user, exe, query...); got != "" {
				t.Errorf("%s as %d: %q: %q", c.program, c.user, query, got)
			}
		}
	}
}

// asUser returns the output of a command.
func asUser(t *testing.T, uid uint32, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// Two accounts with the same first id connect at the same time, so sshd looks up that id for both.
// The first to finish gets it. The other is asked to connect again, and then has another id.
func TestTwinsConnectAtOnce(t *testing.T) {
	r := rules(t)
	first, second := twins(t, r)
	employ(t, first, second)
	a, b := rig.SSH(t, first, "id -u"), rig.SSH(t, second, "id -u")
	page, code := b.Prompted()
	a.SignIn(first)
	a.Expect(fmt.Sprintf(`\n%d\n`, account.ID(r.TenantID, first, 0, r.Low, r.High)))
	rig.Browse(t, page, code, second)
	b.TypeLine("")
	b.Expect(`The accounts of this machine changed while you were connecting\. Connect again\.`)
	if status, rest := b.End(); status != 255 {
		t.Errorf("exit status %d, said %q", status, rest)
	}
	if out, status := rig.Command(t, "", "getent", "passwd", second); status != 2 {
		t.Errorf("stored: %s", out)
	}
	b = rig.SSH(t, second, "id -u")
	b.SignIn(second)
	b.Expect(fmt.Sprintf(`\n%d\n`, account.ID(r.TenantID, second, 1, r.Low, r.High)))
	if status, rest := b.End(); status != 0 {
		t.Errorf("exit status %d, said %q", status, rest)
	}
}

// twins returns two names with the same first id.
func twins(t *testing.T, r account.Rules) (string, string) {
	t.Helper()
	holder := map[uint32]string{}
	for i := range 200000 {
		name := fmt.Sprintf("twin%d@contoso.example", i)
		id := account.ID(r.TenantID, name, 0, r.Low, r.High)
		if other, taken := holder[id]; taken {
			return other, name
		}
		holder[id] = name
	}
	t.Fatal("no two of 200,000 names collide")
	return "", ""
}

// The console's login, too, looks its user up before it authenticates.
func TestFirstLoginOnTheConsole(t *testing.T) {
	const name = "console@contoso.example"
	employ(t, name)
	c := rig.Open(t, "/bin/login", name)
	c.SignIn(name)
	c.Expect(`\$ `)
	c.TypeLine("id; exit")
	c.Expect(`uid=\d+\(console@contoso\.example\) gid=\d+\(console@contoso\.example\) groups=.*\(aad_users\)\n`)
	if status, rest := c.End(); status != 0 {
		t.Errorf("exit status %d, said %q", status, rest)
	}
}
