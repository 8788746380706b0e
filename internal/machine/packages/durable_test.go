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

// The files that everybody's sign-in goes by are old or new after a power cut, and nothing between:
// what takes a file's place is on the disk before it does, and the directory is after it.
func TestWiringIsDurable(t *testing.T) {
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	for _, program := range []string{"sync", "mv"} {
		text := "#!/bin/sh\necho " + program + ` "$@" >>` + said + "\nexec /usr/bin/" + program + ` "$@"` + "\n"
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
		nsswitch: "passwd: files\ngroup: files\n", stack: "auth required pam_unix.so\naccount required pam_unix.so\n", "/etc/ssh/sshd_config": "Port 22\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"nsswitch add " + nsswitch, "nsswitch remove " + nsswitch, "pam-stack add " + stack, "pam-stack remove " + stack,
		"sshd-config add", "sshd-config remove", "drop-ins note"} {
		os.Remove(said)
		rig.Must(t, "env", append([]string{"PATH=" + dir + ":" + os.Getenv("PATH")}, strings.Fields("../../../packaging/wiring/"+command)...)...)
		text, _ := os.ReadFile(said)
		lines := strings.Split(string(text), "\n")
		renamed := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "mv ") })
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
