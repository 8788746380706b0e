// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"strings"
	"testing"
)

// differences are the lines of two listings that are not the same in both.
func differences(before, after string) (all []string) {
	old := strings.Split(before, "\n")
	for _, line := range strings.Split(after, "\n") {
		if !strings.Contains(before+"\n", line+"\n") {
			all = append(all, "+"+line)
		}
	}
	for _, line := range old {
		if !strings.Contains(after+"\n", line+"\n") {
			all = append(all, "-"+line)
		}
	}
	return all
}

// Removed or purged, each file of the machine is what it was, to the byte: also those that an administrator keeps in an order of
// their own.
func TestRemovalRestoresEveryFile(t *testing.T) {
	put(t, "/etc/pam.d/common-auth.pam-old", "auth required pam_aad.so\n") // what "pam-auth-update --force" leaves behind
	install := unwired(t)
	edit(t, "/etc/nsswitch.conf", func(s string) []byte {
		return []byte("# ours\npasswd:\tfiles   systemd # aad is not here\nhosts: files dns\ngroup:files systemd")
	})
	if err := os.Chmod("/etc/nsswitch.conf", 0o640); err != nil {
		t.Fatal(err)
	}
	edit(t, "/etc/pam.d/common-auth", func(s string) []byte { // options are what pam-auth-update lets an administrator edit
		return []byte(strings.Replace(s, "pam_unix.so nullok", "pam_unix.so nullok_secure", 1))
	})
	before := wiring(t)
	for _, way := range []string{"--remove", "--purge"} {
		if out, status := install(); status != 0 {
			t.Fatal(out)
		}
		if len(differences(before, wiring(t))) < 10 {
			t.Fatal("installed, and next to nothing has changed")
		}
		must(t, "dpkg", way, "aad-login")
		for _, line := range differences(before, wiring(t)) {
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

// Files and homes stay on the machine, and so do the numbers they belong to: a purge leaves the accounts, says so, and the next
// installation goes on with them.
func TestPurgeKeepsAccounts(t *testing.T) {
	const name = "user@contoso.example"
	stored(t, name)
	entry, sealed := must(t, "getent", "passwd", name), immutable(t, storeFile)
	t.Run("purged", func(t *testing.T) {
		unwired(t)
		before := must(t, "cat", storeFile)
		out := must(t, "dpkg", "--purge", "aad-login")
		if !strings.Contains(out, "rm -r /var/lib/aad-login") {
			t.Errorf("said %q", out)
		}
		if must(t, "cat", storeFile) != before {
			t.Error("the accounts are not what they were")
		}
		if info, err := os.Stat(storeFile); err != nil || info.Mode() != 0o644 || immutable(t, storeFile) {
			t.Errorf("it cannot be removed: %v %v", info.Mode(), err)
		}
		if left := must(t, "ls", "/var/lib/aad-login"); left != "accounts.cdb\n" {
			t.Errorf("left behind: %q", left)
		}
	})
	imported(t) // a change of the store seals it again
	if got := must(t, "getent", "passwd", name); got != entry || immutable(t, storeFile) != sealed {
		t.Errorf("installed again: %q, immutable: %v; it was %q, %v", got, immutable(t, storeFile), entry, sealed)
	}
}

// Whoever is signed in stays so, whatever happens to the package, and the administrator hears who that is.
func TestRemovalWhileSomebodyIsSignedIn(t *testing.T) {
	const name = "user@contoso.example"
	c := ssh(t, name, "echo begun; cat")
	c.signIn(name)
	c.expect(`begun\n`)
	goesOn := func(word string) {
		t.Helper()
		c.typeLine(word)
		c.expect(word + `\n` + word + `\n`) // the terminal's echo, and cat's
	}
	install := unwired(t)
	goesOn("removed")
	if out, status := install(); status != 0 {
		t.Fatal(out)
	}
	goesOn("installed")
	if out, status := install(); status != 0 {
		t.Fatal(out)
	}
	goesOn("installed over itself")
	if out, status := command(t, "", "dpkg", "--install", nextVersion(t)); status != 0 {
		t.Fatal(out)
	}
	goesOn("upgraded")
	if out := must(t, "dpkg", "--remove", "aad-login"); !strings.Contains(out, "aad-login: "+name+" is signed in") {
		t.Errorf("said %q", out)
	}
	goesOn("removed-again")
}

// A service that an administrator has given the module by hand would let nobody in without it.
func TestRemovalRefuses(t *testing.T) {
	put(t, "/etc/pam.d/cockpit.old", "auth required pam_aad.so\n")
	for file, test := range map[string]struct{ old, new, says string }{
		"/etc/pam.d/cockpit":        {"", "auth required pam_aad.so\n", "/etc/pam.d/cockpit names pam_aad.so"},
		"/etc/pam.d/common-session": {"# end of pam-auth-update config\n", "$0session optional pam_aad.so\n", "common-session names pam_aad.so"},
		"/etc/pam.d/common-account": {"module_unknown=ignore", "module_unknown=bad", "left /etc/pam.d/common-* alone"},
	} {
		t.Run(file, func(t *testing.T) {
			before, _ := os.ReadFile(file)
			after := strings.Replace(string(before), test.old, strings.Replace(test.new, "$0", test.old, 1), 1)
			if after == string(before) {
				t.Fatalf("nothing to edit in %s", before)
			}
			put(t, file, after)
			wired := wiring(t)
			out, status := command(t, "", "dpkg", "--remove", "aad-login")
			if status == 0 || !strings.Contains(out, test.says) {
				t.Errorf("exit status %d, said %s", status, out)
			}
			for _, line := range differences(wired, wiring(t)) {
				t.Error(line)
			}
			must(t, "getent", "group", "aad_users")
		})
	}
}
