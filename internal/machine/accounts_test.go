// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"
)

// enters says how the host's two questions are answered: who signs in now, and who comes with a key.
func enters(t *testing.T, name string) (withBrowser, withKey error) {
	t.Helper()
	h := newHost(t, name, "")
	h.prompt = as(name)
	withBrowser = h.tx.Authenticate(0)
	return withBrowser, newHost(t, name, "").tx.AcctMgmt(0)
}

// What an administrator does to an account holds for the next sign-in, of whatever kind, and can be undone.
func TestAccountsAreKeptInOrder(t *testing.T) {
	name := fmt.Sprintf("kept%d@contoso.example", os.Getpid())
	employ(t, name)
	stored(t, name)
	entry := must(t, "getent", "passwd", name)
	uid := strings.Split(entry, ":")[2]
	session := ssh(t, name, "echo here; exec cat")
	session.signIn(name)
	session.expect("here")

	refused := func(sentence string) {
		t.Helper()
		h := newHost(t, name, "") // no prompt is expected
		if err := h.tx.Authenticate(0); !errors.Is(err, pam.ErrPermDenied) || !strings.Contains(fmt.Sprint(h.told), sentence) {
			t.Errorf("%v; told %q", err, h.told)
		}
		if err := newHost(t, name, "").tx.AcctMgmt(0); !errors.Is(err, pam.ErrPermDenied) {
			t.Errorf("with a key: %v", err)
		}
	}
	admitted := func() {
		t.Helper()
		if withBrowser, withKey := enters(t, name); withBrowser != nil || withKey != nil {
			t.Errorf("with a browser: %v; with a key: %v", withBrowser, withKey)
		}
	}

	if said := must(t, "aadctl", "account", "lock", name); !strings.Contains(said, "its processes go on") {
		t.Errorf("a session is open, and lock said %q", said)
	}
	if got := must(t, "getent", "passwd", name); got != entry {
		t.Errorf("locked, it is %q, was %q", got, entry)
	}
	refused("This account has been locked on this machine. Ask its administrator.")
	ssh(t, name).expect(`This account has been locked on this machine\.`)
	must(t, "aadctl", "account", "unlock", name)
	admitted()

	if said, status := command(t, "", "aadctl", "account", "remove", name); status != 1 {
		t.Errorf("a session is open, and remove said %q, status %d", said, status)
	}
	session.typeLine("\x04")
	session.end()
	eventually(t, "removed, once the session has ended", patience, func() bool {
		_, status := command(t, "", "aadctl", "account", "remove", name)
		return status == 0
	})
	for _, key := range []string{name, uid} {
		if got, status := command(t, "", "getent", "passwd", key); status != 2 {
			t.Errorf("removed, it is %q", got)
		}
	}
	refused("This account has been removed from this machine. Ask its administrator.")
	must(t, "aadctl", "account", "restore", uid)
	if got := must(t, "getent", "passwd", name); got != entry {
		t.Errorf("restored, it is %q, was %q", got, entry)
	}
	admitted()

	number, err := strconv.Atoi(uid)
	if err != nil {
		t.Fatal(err)
	}
	other := strconv.Itoa(number ^ 1)
	must(t, "aadctl", "account", "set", name, "--uid", other)
	if got := must(t, "id", "-u", name); strings.TrimSpace(got) != other {
		t.Errorf("its uid is %s, not %s", got, other)
	}
	if got, status := command(t, "", "getent", "passwd", uid); status != 2 {
		t.Errorf("the uid it had is that of %q", got)
	}
	admitted()
}

// A backup is put back under running readers, and sealed like what it replaces.
func TestStoreRestore(t *testing.T) {
	name := imported(t)
	backup := filepath.Join(t.TempDir(), "backup")
	must(t, "cp", storeFile, backup)
	late, sealed := fmt.Sprintf("late%d@contoso.example", os.Getpid()), immutable(t, storeFile)
	must(t, "aadctl", "account", "import", passwdFile(t, late, 80000+os.Getpid()))
	if said, status := command(t, "", "aadctl", "store", "restore", backup); status != 1 || !strings.Contains(said, late) {
		t.Errorf("it would lose %s, and said %q, status %d", late, said, status)
	}
	must(t, "aadctl", "store", "restore", "--force", backup)
	must(t, "getent", "passwd", name)
	if got, status := command(t, "", "getent", "passwd", late); status != 2 {
		t.Errorf("not restored: %q", got)
	}
	if immutable(t, storeFile) != sealed {
		t.Error("the store is not sealed as it was")
	}
	must(t, "aadctl", "store", "verify")
	must(t, "getent", "passwd", imported(t))
}
