// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// After a removal or a purge, each file of the machine is as before, byte by byte. This includes
// files that an administrator keeps in an unusual order.
func TestRemovalRestoresEveryFile(t *testing.T) {
	// "pam-auth-update --force" leaves this.
	rig.Put(t, "/etc/pam.d/common-auth.pam-old", "auth required pam_aad.so\n")
	install := rig.Unwired(t)
	rig.Edit(t, "/etc/nsswitch.conf", func(s string) []byte {
		return []byte("# ours\npasswd:\tfiles   systemd # aad is not here\nhosts: files " +
			"dns\ngroup:files systemd")
	})
	if err := os.Chmod("/etc/nsswitch.conf", 0o640); err != nil {
		t.Fatal(err)
	}
	// pam-auth-update lets an administrator edit options.
	rig.Edit(t, "/etc/pam.d/common-auth", func(s string) []byte {
		return []byte(strings.Replace(s, "pam_unix.so nullok", "pam_unix.so nullok_secure", 1))
	})
	before := rig.Wiring(t)
	for _, way := range []string{"--remove", "--purge"} {
		if out, status := install(); status != 0 {
			t.Fatal(out)
		}
		if len(rig.Differences(before, rig.Wiring(t))) < 10 {
			t.Fatal("installed, and next to nothing has changed")
		}
		rig.Must(t, "dpkg", way, "aad-login")
		for _, line := range rig.Differences(before, rig.Wiring(t)) {
			t.Errorf("%s: %s", way, line)
		}
		_, err := os.Stat("/etc/aad-login/config.toml")
		if there := err == nil; there != (way == "--remove") {
			t.Errorf("%s: the configuration: %v", way, err)
		}
	}
	for _, dir := range []string{"/etc", "/var/cache", "/run", "/usr/share"} {
		path := dir + "/aad-login"
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("purged, %s is there", path)
		}
	}
}

// dpkg runs no prerm for a package that is only unpacked. Its removal restores every file as well.
func TestRemovalOfAnUnpackedUpgrade(t *testing.T) {
	install := rig.Unwired(t)
	before := rig.Wiring(t)
	if out, status := install(); status != 0 {
		t.Fatal(out)
	}
	rig.Must(t, "dpkg", "--unpack", rig.DebianPackage(t))
	rig.Must(t, "dpkg", "--remove", "aad-login")
	for _, line := range rig.Differences(before, rig.Wiring(t)) {
		t.Errorf("removed: %s", line)
	}
	if kept := rig.Must(t, "find", "/etc/aad-login", "-name", "*.kept"); kept != "" {
		t.Errorf("kept as an administrator's: %s", kept)
	}
}

// Files and homes stay on the machine, and so do the ids that own them. A purge leaves the accounts
// and says so, and the next installation uses them.
func TestPurgeKeepsAccounts(t *testing.T) {
	const name = "user@contoso.example"
	rig.Stored(t, name)
	entry, sealed := rig.Must(t, "getent", "passwd", name), rig.Immutable(t, rig.StoreFile)
	t.Run("purged", func(t *testing.T) {
		rig.Unwired(t)
		before := rig.Must(t, "cat", rig.StoreFile)
		out := rig.Must(t, "dpkg", "--purge", "aad-login")
		if !strings.Contains(out, "rm -r /var/lib/aad-login") {
			t.Errorf("said %q", out)
		}
		if rig.Must(t, "cat", rig.StoreFile) != before {
			t.Error("the accounts are not what they were")
		}
		info, err := os.Stat(rig.StoreFile)
		if err != nil || info.Mode() != 0o644 || rig.Immutable(t, rig.StoreFile) {
			t.Errorf("it cannot be removed: %v %v", info.Mode(), err)
		}
		if left := rig.Must(t, "ls", "/var/lib/aad-login"); left != "accounts.cdb\n" {
			t.Errorf("left behind: %q", left)
		}
	})
	rig.Imported(t) // a change of the store seals it again
	got := rig.Must(t, "getent", "passwd", name)
	if got != entry || rig.Immutable(t, rig.StoreFile) != sealed {
		t.Errorf("installed again: %q, immutable: %v; it was %q, %v", got,
			rig.Immutable(t, rig.StoreFile), entry, sealed)
	}
}

// Sessions go on, whatever happens to the package, and the administrator is told whose they are.
func TestRemovalWhileSomebodyIsSignedIn(t *testing.T) {
	const name = "user@contoso.example"
	c := rig.SSH(t, name, "echo begun; cat")
	c.SignIn(name)
	c.Expect(`begun\n`)
	goesOn := func(word string) {
		t.Helper()
		c.TypeLine(word)
		c.Expect(word + `\n` + word + `\n`) // the terminal's echo, and cat's
	}
	install := rig.Unwired(t)
	goesOn("removed")
	if out, status := install(); status != 0 {
		t.Fatal(out)
	}
	goesOn("installed")
	if out, status := install(); status != 0 {
		t.Fatal(out)
	}
	goesOn("installed over itself")
	if out, status := rig.Command(t, "", "dpkg", "--install", nextVersion(t)); status != 0 {
		t.Fatal(out)
	}
	goesOn("upgraded")
	out := rig.Must(t, "dpkg", "--remove", "aad-login")
	if !strings.Contains(out, "aad-login: "+name+" is signed in") {
		t.Errorf("said %q", out)
	}
	goesOn("removed-again")
}

// An administrator has added the module to a service by hand. The service would let nobody in
// without it.
func TestRemovalRefuses(t *testing.T) {
	rig.Put(t, "/etc/pam.d/cockpit.old", "auth required pam_aad.so\n")
	for file, test := range map[string]struct{ old, new, says string }{
		"/etc/pam.d/cockpit": {"", "auth required pam_aad.so\n",
			"/etc/pam.d/cockpit names pam_aad.so"},
		"/etc/pam.d/common-session": {"# end of pam-auth-update config\n",
			"$0session optional pam_aad.so\n", "common-session names pam_aad.so"},
		"/etc/pam.d/common-account": {"module_unknown=ignore", "module_unknown=bad",
			"left /etc/pam.d/common-* alone"},
	} {
		t.Run(file, func(t *testing.T) {
			before, _ := os.ReadFile(file)
			after := strings.Replace(string(before), test.old,
				strings.Replace(test.new, "$0", test.old, 1), 1)
			if after == string(before) {
				t.Fatalf("nothing to edit in %s", before)
			}
			rig.Put(t, file, after)
			wired := rig.Wiring(t)
			out, status := rig.Command(t, "", "dpkg", "--remove", "aad-login")
			if status == 0 || !strings.Contains(out, test.says) {
				t.Errorf("exit status %d, said %s", status, out)
			}
			for _, line := range rig.Differences(wired, rig.Wiring(t)) {
				t.Error(line)
			}
			rig.Must(t, "getent", "group", "aad_users")
		})
	}
}
