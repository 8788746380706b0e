// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/machine/rig"
)

// An administrator's change of an account applies to the next sign-in of any kind, and can be
// undone.
func TestAccountsAreKeptInOrder(t *testing.T) {
	name := fmt.Sprintf("kept%d@contoso.example", os.Getpid())
	employ(t, name)
	rig.Stored(t, name)
	entry := rig.Must(t, "getent", "passwd", name)
	uid := strings.Split(entry, ":")[2]
	session := rig.SSH(t, name, "echo here; exec cat")
	session.SignIn(name)
	session.Expect("here")

	refused := func(sentence string) {
		t.Helper()
		h := rig.NewHost(t, name, "") // no prompt is expected
		err := h.Tx.Authenticate(0)
		if !errors.Is(err, pam.ErrPermDenied) || !strings.Contains(fmt.Sprint(h.Told), sentence) {
			t.Errorf("%v; told %q", err, h.Told)
		}
		if err := rig.NewHost(t, name, "").Tx.AcctMgmt(0); !errors.Is(err, pam.ErrPermDenied) {
			t.Errorf("with a key: %v", err)
		}
	}
	admitted := func() {
		t.Helper()
		if withBrowser, withKey := rig.Enters(t, name); withBrowser != nil || withKey != nil {
			t.Errorf("with a browser: %v; with a key: %v", withBrowser, withKey)
		}
	}

	said := rig.Must(t, "aadctl", "account", "lock", name)
	if !strings.Contains(said, "its processes go on") {
		t.Errorf("a session is open, and lock said %q", said)
	}
	if got := rig.Must(t, "getent", "passwd", name); got != entry {
		t.Errorf("locked, it is %q, was %q", got, entry)
	}
	refused("This account has been locked on this machine. Ask its administrator.")
	rig.SSH(t, name).Expect(`This account has been locked on this machine\.`)
	rig.Must(t, "aadctl", "account", "unlock", name)
	admitted()

	if said, status := rig.Command(t, "", "aadctl", "account", "remove", name); status != 1 {
		t.Errorf("a session is open, and remove said %q, status %d", said, status)
	}
	session.TypeLine("\x04")
	session.End()
	rig.Eventually(t, "removed, once the session has ended", rig.Patience, func() bool {
		_, status := rig.Command(t, "", "aadctl", "account", "remove", name)
		return status == 0
	})
	for _, key := range []string{name, uid} {
		if got, status := rig.Command(t, "", "getent", "passwd", key); status != 2 {
			t.Errorf("removed, it is %q", got)
		}
	}
	refused("This account has been removed from this machine. Ask its administrator.")
	rig.Must(t, "aadctl", "account", "restore", uid)
	if got := rig.Must(t, "getent", "passwd", name); got != entry {
		t.Errorf("restored, it is %q, was %q", got, entry)
	}
	admitted()

	number, err := strconv.Atoi(uid)
	if err != nil {
		t.Fatal(err)
	}
	other := strconv.Itoa(number ^ 1)
	rig.Must(t, "aadctl", "account", "set", name, "--uid", other)
	if got := rig.Must(t, "id", "-u", name); strings.TrimSpace(got) != other {
		t.Errorf("its uid is %s, not %s", got, other)
	}
	if got, status := rig.Command(t, "", "getent", "passwd", uid); status != 2 {
		t.Errorf("the uid it had is that of %q", got)
	}
	admitted()
}

// A backup is restored while readers run, and is sealed like the store that it replaces.
func TestStoreRestore(t *testing.T) {
	name := rig.Imported(t)
	backup := filepath.Join(t.TempDir(), "backup")
	rig.Must(t, "cp", rig.StoreFile, backup)
	late, sealed := fmt.Sprintf("late%d@contoso.example", os.Getpid()),
		rig.Immutable(t, rig.StoreFile)
	rig.Must(t, "aadctl", "account", "import", rig.PasswdFile(t, late, 80000+os.Getpid()))
	said, status := rig.Command(t, "", "aadctl", "store", "restore", backup)
	if status != 1 || !strings.Contains(said, late) {
		t.Errorf("it would lose %s, and said %q, status %d", late, said, status)
	}
	rig.Must(t, "aadctl", "store", "restore", "--force", backup)
	rig.Must(t, "getent", "passwd", name)
	if got, status := rig.Command(t, "", "getent", "passwd", late); status != 2 {
		t.Errorf("not restored: %q", got)
	}
	if rig.Immutable(t, rig.StoreFile) != sealed {
		t.Error("the store is not sealed as it was")
	}
	rig.Must(t, "aadctl", "store", "verify")
	rig.Must(t, "getent", "passwd", rig.Imported(t))
}
