// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// The package's scripts make pam-auth-update sync a stack before it replaces another. Otherwise a
// power cut could leave an empty stack, and nobody would get in.
func TestStacksAreDurable(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"common-auth": "old", "common-auth.pam-new": "new"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	here, err := filepath.Abs("../../../packaging/debian")
	if err != nil {
		t.Fatal(err)
	}
	const program = `BEGIN {
		my $sync = \&IO::Handle::sync;
		no warnings;
		*IO::Handle::sync = sub { 
			print -d $_[0] ? "directory" : "file", -e "$ARGV[0]/common-auth.pam-new" ? " before;" : " after;";
			$sync->(@_);
		};
	}
	rename("$ARGV[0]/common-auth.pam-new", "$ARGV[0]/common-auth") or die;
	rename("$ARGV[0]/missing", "$ARGV[0]/common-auth") and die;
	print $!{ENOENT} ? "missing" : $!;`
	said := rig.Must(t, "env", "PERL5OPT=-I"+here+" -MDurableStacks",
		"perl", "-w", "-e", program, dir)
	if want := "file before;directory after;directory after;missing"; said != want {
		t.Errorf("perl said %q, want %q", said, want)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "common-auth")); string(text) != "new" {
		t.Errorf("the stack is %q, %v", text, err)
	}
	for _, script := range []string{"postinst", "prerm"} {
		text, err := os.ReadFile(filepath.Join(here, script))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if words := strings.Fields(line); len(words) > 0 && words[0] == "pam-auth-update" {
				t.Errorf("%s does it without: %s", script, line)
			}
		}
	}
}

const (
	records      = "/var/lib/pam/"
	profilesSeen = "/var/lib/aad-login/profiles-seen"
	modified     = "Local modifications"
)

// A power cut may end pam-auth-update before any of its renames, with or without the new text of a
// stack on the disk. The next run does what this one would have done, and takes nothing for an edit
// by hand.
func TestStacksCutShort(t *testing.T) {
	keepStacks(t)
	for _, change := range []string{"--remove", "--enable"} {
		before := stacks(t)
		updateStacks(t, 0, change)
		want := stacks(t)
		if maps.Equal(before, want) {
			t.Fatalf("%s has changed nothing", change)
		}
		for n := 1; n <= 10; n++ {
			putStacks(t, before)
			updateStacks(t, (n+1)/2, change)
			if _, err := os.Stat(profilesSeen); err != nil {
				t.Fatalf("%s, cut at %d: it came to its end", change, n)
			}
			if lost, _ := filepath.Glob("/etc/pam.d/*.pam-new"); n%2 == 0 {
				for _, path := range lost {
					os.Remove(path)
				}
			}
			out, status := updateStacks(t, 0, change)
			if status != 0 || strings.Contains(out, modified) || !maps.Equal(stacks(t), want) {
				t.Errorf("%s, cut at %d: exit status %d, said %q; files %q, want %q",
					change, n, status, out, stacks(t), want)
			}
		}
		if _, err := os.Stat(profilesSeen); err == nil {
			t.Errorf("%s: %s is still there", change, profilesSeen)
		}
	}
}

// What somebody has edited after such a cut is an edit.
func TestEditAfterStacksCutShort(t *testing.T) {
	keepStacks(t)
	for n := 1; n <= 2; n++ {
		updateStacks(t, n, "--remove")
		const auth = "/etc/pam.d/common-auth"
		text, err := os.ReadFile(auth)
		if err != nil {
			t.Fatal(err)
		}
		edited := strings.Replace(string(text), "# here's the fallback",
			"auth\toptional\tpam_exec.so /bin/true\n# here's the fallback", 1)
		if edited == string(text) {
			t.Fatal(edited)
		}
		rig.Put(t, auth, edited)
		out, _ := updateStacks(t, 0, "--remove")
		if now, _ := os.ReadFile(auth); !strings.Contains(out, modified) || string(now) != edited {
			t.Errorf("cut at %d: said %q; the stack is\n%s", n, out, now)
		}
		rig.Put(t, auth, string(text))
		updateStacks(t, 0, "--enable")
	}
}

// A power cut may empty the list of the profiles that an administrator has seen. A profile that was
// disabled stays so, also if it was disabled after an earlier cut.
func TestDisabledProfileAfterPowerCut(t *testing.T) {
	keepStacks(t)
	rig.Put(t, "/usr/share/pam-configs/disabled", "Name: Disabled\nDefault: yes\nPriority: 0\n"+
		"Session-Type: Additional\nSession:\n\toptional\tpam_lastlog.so\n")
	updateStacks(t, 1, "--remove")
	rig.Must(t, "pam-auth-update", "--disable", "disabled")
	updateStacks(t, 1, "--remove")
	if err := os.Truncate(records+"seen", 0); err != nil {
		t.Fatal(err)
	}
	updateStacks(t, 0, "--enable")
	if text := stacks(t)["/etc/pam.d/common-session"]; strings.Contains(text, "pam_lastlog.so") {
		t.Errorf("the profile is enabled again:\n%s", text)
	}
}

// What another program has left beside the records is not taken for one, and neither is an empty
// file, which a power cut may leave.
func TestStrangeRecords(t *testing.T) {
	keepStacks(t)
	for _, test := range []struct {
		name, text string
		cut        bool
	}{{"another program's", "foreign\n", false}, {"empty after a power cut", "", true}} {
		before := stacks(t)
		for _, name := range []string{"password.new", "seen.new"} {
			rig.Put(t, records+name, test.text)
		}
		if test.cut {
			rig.Put(t, profilesSeen, rig.Must(t, "cat", records+"seen"))
		}
		out, status := updateStacks(t, 0, "--enable")
		if status != 0 || out != "" {
			t.Errorf("%s: exit status %d, said %q", test.name, status, out)
		}
		for path, text := range before {
			if now := stacks(t)[path]; now != text {
				t.Errorf("%s: %s: %q, was %q", test.name, path, now, text)
			}
		}
		os.Remove(records + "seen.new") // nobody's
	}
}

// updateStacks does what the package's scripts do. With a number, it is killed at that rename of a
// stack or record.
func updateStacks(t *testing.T, n int, change string) (string, int) {
	t.Helper()
	here, err := filepath.Abs("../../../packaging/debian")
	if err != nil {
		t.Fatal(err)
	}
	return rig.Command(t, "", "env", fmt.Sprint("CUT_AT=", n), "DEBIAN_FRONTEND=noninteractive",
		fmt.Sprintf("PERL5OPT=-I%s -MDurableStacks %s", here, cutAt(t, t.TempDir())),
		"pam-auth-update", "--package", change, "aad-login")
}

// cutAt returns options with which perl dies at the rename that CUT_AT says.
func cutAt(t *testing.T, dir string) string {
	t.Helper()
	const cut = `package Cut;
		my $rename = \&CORE::GLOBAL::rename;
		my $renames = 0;
		no warnings;
		*CORE::GLOBAL::rename = sub ($$) {
			$_[1] =~ m{^/(etc/pam\.d/common-|var/lib/pam/)} && ++$renames == $ENV{CUT_AT} and kill 9, $$;
			goto &$rename;
		};
		1;`
	if err := os.WriteFile(filepath.Join(dir, "Cut.pm"), []byte(cut), 0o644); err != nil {
		t.Fatal(err)
	}
	return "-I" + dir + " -MCut"
}

// stacks returns the stacks, and what pam-auth-update has noted about them.
func stacks(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"/etc/pam.d/common-*", records + "*"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[path] = string(text)
		}
	}
	return all
}

func putStacks(t *testing.T, all map[string]string) {
	t.Helper()
	for path := range stacks(t) {
		if _, ok := all[path]; !ok {
			os.Remove(path)
		}
	}
	for path, text := range all {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func keepStacks(t *testing.T) {
	t.Helper()
	before := stacks(t)
	t.Cleanup(func() { putStacks(t, before) })
}
