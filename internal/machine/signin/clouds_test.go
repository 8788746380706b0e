// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// The machine belongs to Azure Arc. The configuration names it. The agent listens on its own port,
// and gives the managed identity's token to processes that can read its files.
func TestArcMachine(t *testing.T) {
	const user = "user@contoso.example"
	const arc = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers/Microsoft.HybridCompute/machines/demo-arc"
	rig.Directory(t, func(d *emulator.Directory) {
		for i := range d.Assignments {
			// The managed identity may read this.
			if d.Assignments[i].Scope == d.Machine.ResourceID {
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
	rig.Forward(t, "127.0.0.1:40342", "127.0.0.1:8442")
	configured := func(more string) {
		rig.Edit(t, rig.ConfigFile, func(s string) []byte {
			return []byte(strings.Replace(s, `metadata = "http://127.0.0.1:8442"`, "", 1) + more)
		})
	}
	configured("\n[authorization]\nresource_id = \"" + arc + "\"\n")

	h := rig.NewHost(t, user, "")
	h.Prompt = rig.As(user)
	mark := rig.Syslog.Mark()
	if err := h.Tx.Authenticate(0); err != nil {
		t.Fatalf("%v, told %q, log %q", err, h.Told, rig.Syslog.Find(mark, ""))
	}
	if err := rig.NewHost(t, user, "").Tx.AcctMgmt(0); err != nil {
		t.Errorf("with a key: %v", err)
	}

	// A challenge that names another file than the agent's key does not get that file, even if its
	// content is the expected one.
	elsewhere, link := filepath.Join(t.TempDir(), "secret.key"), filepath.Join(keys, "link.key")
	for name, challenge := range map[string]string{
		"a file elsewhere": elsewhere,
		"a link":           link,
		"no file":          keys + "/none.key",
	} {
		real := filepath.Join(keys, "real.key")
		err := errors.Join(os.WriteFile(real, []byte(name), 0o600),
			os.WriteFile(elsewhere, []byte(name), 0o600))
		if err != nil {
			t.Fatal(err)
		}
		os.Symlink(real, link)
		rig.Entra.Fail(emulator.Fault{
			Endpoint: "identity", Status: 401,
			Header: map[string]string{"Www-Authenticate": "Basic realm=" + challenge}, Times: 1,
		})
		asked := rig.Requests("identity")
		if err := rig.NewHost(t, user, "").Tx.AcctMgmt(0); !errors.Is(err, pam.ErrAuthinfoUnavail) {
			t.Errorf("%s: %v", name, err)
		}
		if n := rig.Requests("identity") - asked; n != 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
		rig.Entra.Heal()
	}
}

// Any program may listen on the agent's port. The machine that it claims to be is not believed.
func TestArcIsNamedByTheConfiguration(t *testing.T) {
	const user = "user@contoso.example"
	rig.Directory(t, func(d *emulator.Directory) {
		d.Machine.ResourceID = strings.Replace(d.Machine.ResourceID,
			"Microsoft.Compute/virtualMachines", "Microsoft.HybridCompute/machines", 1)
	})
	rig.Must(t, "rm", "-rf", "/var/cache/aad-login") // what the metadata service has said before
	h := rig.NewHost(t, user, "")
	mark := rig.Syslog.Mark()
	if err := h.Tx.Authenticate(0); !errors.Is(err, pam.ErrService) {
		t.Errorf("got %v, told %q", err, h.Told)
	}
	rig.Eventually(t, "the log says what to set", rig.Patience, func() bool {
		return len(rig.Syslog.Find(mark, `needs authorization\.resource_id`)) == 1
	})
	rig.Must(t, "rm", "-rf", "/var/cache/aad-login")
}

// A person who was deleted from the directory is refused. Azure keeps and lists their role
// assignments. So if only Azure is asked, an administrator must lock the account here.
func TestDeletedAccount(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	h := rig.NewHost(t, user, "")
	h.Prompt = rig.As(user)
	if err := h.Tx.Authenticate(0); err != nil {
		t.Fatal(err)
	}
	rig.Directory(t, func(d *emulator.Directory) {
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
		if err := rig.NewHost(t, user, "").Tx.AcctMgmt(0); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	withKey(pam.ErrPermDenied)
	rig.Configured(t, "authorization", `source = "role-assignments"`)
	withKey(nil)
	t.Cleanup(func() { rig.Must(t, "aadctl", "account", "unlock", user) })
	rig.Must(t, "aadctl", "account", "lock", user)
	withKey(pam.ErrPermDenied)
}

// A session has the groups of its sign-in.
func TestEntraGroupsAreLocalGroups(t *testing.T) {
	const user = "user@contoso.example"
	const operators = "0f3c1111-2222-3333-4444-555555555555"
	rig.Stored(t, user)
	rig.Directory(t, func(d *emulator.Directory) {
		d.GroupsClaim = true
		d.Groups = append(d.Groups, emulator.Group{
			Name: "games", ObjectID: operators, Members: []string{user},
		})
	})
	rig.Edit(t, rig.ConfigFile, func(s string) []byte {
		return []byte(s + "\n[accounts.groups]\n" + operators + " = \"dialout\"\n")
	})
	c := rig.SSH(t, user, "id", "-Gn")
	c.SignIn(user)
	c.Expect(`dialout`)
	if strings.Contains(c.All(), "games") {
		t.Errorf("a group by its name: %s", c.All())
	}
}
