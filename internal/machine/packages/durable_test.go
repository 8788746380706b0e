// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// Every sign-in depends on these files. After a power cut each is the old one or the new one,
// because a new file is synced before it replaces the old one, and its directory afterwards.
func TestWiringIsDurable(t *testing.T) {
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	for _, program := range []string{"sync", "mv"} {
		text := "#!/bin/sh\necho " + program + ` "$@" >>` + said +
			"\nexec /usr/bin/" + program +
			` "$@"` + "\n"
		if err := os.WriteFile(filepath.Join(dir, program), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sshd, err := os.ReadFile("/etc/ssh/sshd_config")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.WriteFile("/etc/ssh/sshd_config", sshd, 0o644) })
	nsswitch, stack := filepath.Join(dir, "nsswitch.conf"), filepath.Join(dir, "system-auth")
	for file, text := range map[string]string{
		nsswitch:               "passwd: files\ngroup: files\n",
		stack:                  "auth required pam_unix.so\naccount required pam_unix.so\n",
		"/etc/ssh/sshd_config": "Port 22\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{
		"nsswitch add " + nsswitch, "nsswitch remove " + nsswitch, "pam-stack add " + stack,
		"pam-stack remove " + stack, "sshd-config add", "sshd-config remove", "drop-ins note",
	} {
		os.Remove(said)
		script := strings.Fields("../../../packaging/wiring/" + command)
		path := "PATH=" + dir + ":" + os.Getenv("PATH")
		rig.Must(t, "env", append([]string{path}, script...)...)
		text, _ := os.ReadFile(said)
		lines := strings.Split(string(text), "\n")
		renamed := slices.IndexFunc(lines, func(line string) bool {
			return strings.HasPrefix(line, "mv ")
		})
		if renamed < 1 || renamed == len(lines)-1 {
			t.Errorf("%s: %q", command, lines)
			continue
		}
		words := strings.Fields(lines[renamed])
		from, to := words[len(words)-2], words[len(words)-1]
		if lines[renamed-1] != "sync "+from || lines[renamed+1] != "sync "+filepath.Dir(to) {
			t.Errorf("%s: %q", command, lines)
		}
	}
}

// An administrator's version of a file is on disk under its new name before its old name is
// removed.
func TestKeptFilesAreDurable(t *testing.T) {
	const file, kept = "/etc/ssh/sshd_config.d/40-aad-login.conf", "/etc/aad-login/40-aad-login.conf.kept"
	rig.Edit(t, file, func(text string) []byte { return []byte(text + "# an administrator's\n") })
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	for _, program := range []string{"sync", "rm"} {
		text := "#!/bin/sh\necho " + program + ` "$@" >>` + said +
			"\nexec /usr/bin/" + program + ` "$@"` + "\n"
		if err := os.WriteFile(filepath.Join(dir, program), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	rig.Must(t, "env", "PATH="+dir+":"+os.Getenv("PATH"), "/usr/share/aad-login/drop-ins", "remove")
	t.Cleanup(func() { rig.Must(t, "/usr/share/aad-login/drop-ins", "add") })
	text, err := os.ReadFile(said)
	if err != nil {
		t.Fatal(err)
	}
	want := "sync " + kept + "\nsync " + filepath.Dir(kept) + "\nrm " + file +
		"\nsync " + filepath.Dir(file) + "\n"
	if !strings.Contains(string(text), want) {
		t.Errorf("drop-ins remove:\n%s\nwant in it:\n%s", text, want)
	}
}

// dpkg syncs its note that a package is removed, and not the directories that it has removed files
// from. After a power cut it could find a module that belongs to no package, and the next
// installation would refuse it.
func TestRemovedModulesAreDurable(t *testing.T) {
	install := rig.Unwired(t)
	if out, status := install(); status != 0 {
		t.Fatal(out)
	}
	module := rig.FileAt(t, "/lib/*/security/pam_aad.so")
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	text := "#!/bin/sh\n[ -e " + module + " ] || echo \"$*\" >>" + said +
		"\nexec /usr/bin/sync \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "sync"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	rig.Must(t, "env", "PATH="+dir+":"+os.Getenv("PATH"), "dpkg", "--remove", "aad-login")
	synced, err := os.ReadFile(said)
	if err != nil {
		t.Fatal(err)
	}
	if want := "--file-system /usr/lib /lib\n"; !strings.Contains(string(synced), want) {
		t.Errorf("after the module was gone, the calls of sync were\n%s", synced)
	}
}
