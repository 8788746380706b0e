// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/emulator"
)

// directory changes the emulator's for the rest of the test.
func directory(t *testing.T, change func(*emulator.Directory)) {
	t.Helper()
	var before emulator.Directory
	if err := entra.Update(func(d *emulator.Directory) { before = *d }); err != nil {
		t.Fatal(err)
	}
	if err := entra.Update(change); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := entra.Update(func(d *emulator.Directory) { *d = before }); err != nil {
			t.Fatal(err)
		}
	})
}

// A machine of Azure Arc: the configuration names it, the agent listens on its own port, and gives the managed identity's token
// to who can read its files.
func TestArcMachine(t *testing.T) {
	const user = "user@contoso.example"
	const arc = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers/Microsoft.HybridCompute/machines/demo-arc"
	directory(t, func(d *emulator.Directory) {
		for i := range d.Assignments {
			if d.Assignments[i].Scope == d.Machine.ResourceID { // what the managed identity may read
				d.Assignments[i].Scope = arc
			}
		}
		d.Machine.ResourceID = arc
	})
	const keys = "/var/opt/azcmagent/tokens"
	if err := os.MkdirAll(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll("/var/opt/azcmagent")
	forward(t, "127.0.0.1:40342", "127.0.0.1:8442")
	configured := func(more string) {
		edit(t, configFile, func(s string) []byte {
			return []byte(strings.Replace(s, `metadata = "http://127.0.0.1:8442"`, "", 1) + more)
		})
	}
	configured("\n[authorization]\nresource_id = \"" + arc + "\"\n")

	h := newHost(t, user, "")
	h.prompt = as(user)
	mark := syslog.mark()
	if err := h.tx.Authenticate(0); err != nil {
		t.Fatalf("%v, told %q, log %q", err, h.told, syslog.find(mark, ""))
	}
	if err := newHost(t, user, "").tx.AcctMgmt(0); err != nil {
		t.Errorf("with a key: %v", err)
	}

	// Whoever names another file than the agent's key does not get it, though here it would open the door.
	elsewhere, link := filepath.Join(t.TempDir(), "secret.key"), filepath.Join(keys, "link.key")
	for name, challenge := range map[string]string{"a file elsewhere": elsewhere, "a link": link, "no file": keys + "/none.key"} {
		real := filepath.Join(keys, "real.key")
		if err := errors.Join(os.WriteFile(real, []byte(name), 0o600), os.WriteFile(elsewhere, []byte(name), 0o600)); err != nil {
			t.Fatal(err)
		}
		os.Symlink(real, link)
		entra.Fail(emulator.Fault{Endpoint: "identity", Status: 401, Header: map[string]string{"Www-Authenticate": "Basic realm=" + challenge}, Times: 1})
		asked := requests("identity")
		if err := newHost(t, user, "").tx.AcctMgmt(0); !errors.Is(err, pam.ErrAuthinfoUnavail) {
			t.Errorf("%s: %v", name, err)
		}
		if n := requests("identity") - asked; n != 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
		entra.Heal()
	}
}

// What listens on the agent's port may be anybody: the machine it claims to be is not believed.
func TestArcIsNamedByTheConfiguration(t *testing.T) {
	const user = "user@contoso.example"
	directory(t, func(d *emulator.Directory) {
		d.Machine.ResourceID = strings.Replace(d.Machine.ResourceID, "Microsoft.Compute/virtualMachines", "Microsoft.HybridCompute/machines", 1)
	})
	must(t, "rm", "-rf", "/var/cache/aad-login") // what the metadata service has said before
	h := newHost(t, user, "")
	mark := syslog.mark()
	if err := h.tx.Authenticate(0); !errors.Is(err, pam.ErrService) {
		t.Errorf("got %v, told %q", err, h.told)
	}
	eventually(t, "the log says what to set", patience, func() bool {
		return len(syslog.find(mark, `needs authorization\.resource_id`)) == 1
	})
	must(t, "rm", "-rf", "/var/cache/aad-login")
}

// forward hands connections on for the rest of the test.
func forward(t *testing.T, from, to string) {
	t.Helper()
	l, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			go func() {
				io.Copy(out, in)
				out.Close()
			}()
			go func() {
				io.Copy(in, out)
				in.Close()
			}()
		}
	}()
}

// Who has been deleted from the directory is refused. Azure keeps their role assignments, and lists them as before, so where it
// is asked for nothing else, the person has to be locked here.
func TestDeletedAccount(t *testing.T) {
	const user = "user@contoso.example"
	stored(t, user)
	h := newHost(t, user, "")
	h.prompt = as(user)
	if err := h.tx.Authenticate(0); err != nil {
		t.Fatal(err)
	}
	directory(t, func(d *emulator.Directory) {
		i := slices.IndexFunc(d.Users, func(u emulator.User) bool { return u.Name == user })
		for j, a := range d.Assignments {
			if a.Principal == user {
				d.Assignments[j].Principal = d.Users[i].ObjectID
			}
		}
		d.Users = slices.Delete(d.Users, i, i+1)
	})
	withKey := func(want error) {
		t.Helper()
		if err := newHost(t, user, "").tx.AcctMgmt(0); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	withKey(pam.ErrPermDenied)
	configured(t, "authorization", `source = "role-assignments"`)
	withKey(nil)
	t.Cleanup(func() { must(t, "aadctl", "account", "unlock", user) })
	must(t, "aadctl", "account", "lock", user)
	withKey(pam.ErrPermDenied)
}

// The groups of a session are those that the sign-in gave.
func TestEntraGroupsAreLocalGroups(t *testing.T) {
	const user = "user@contoso.example"
	const operators = "0f3c1111-2222-3333-4444-555555555555"
	stored(t, user)
	directory(t, func(d *emulator.Directory) {
		d.GroupsClaim = true
		d.Groups = append(d.Groups, emulator.Group{Name: "games", ObjectID: operators, Members: []string{user}})
	})
	edit(t, configFile, func(s string) []byte {
		return []byte(s + "\n[accounts.groups]\n" + operators + " = \"dialout\"\n")
	})
	c := ssh(t, user, "id", "-Gn")
	c.signIn(user)
	c.expect(`dialout`)
	if strings.Contains(c.all(), "games") {
		t.Errorf("a group by its name: %s", c.all())
	}
}
