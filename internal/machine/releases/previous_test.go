// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package releases

import (
	"os"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// previous is a machine with the last release and people at work: one is signed in, in a process
// that has the former name service mapped, and one is at the prompt of a worker of the former
// module. The machine is upgraded under them, downgraded, and upgraded again.
func (v *visit) previous(t *testing.T) {
	former := os.Getenv("MATRIX_PREVIOUS")
	if former == "" {
		t.Skip("there is no package of it; make matrix makes one")
	}
	v.bring(t, former)
	v.must(t, "sed", "-i", `s|^#authority = .*|authority = "`+rig.Entra.EntraURL()+`"|;
		s|^#resource_manager = .*|resource_manager = "`+rig.Entra.EntraURL()+`"|;
		s|^#ca_file = .*|ca_file = "/etc/emulator-ca.pem"|`, rig.ConfigFile)
	v.must(t, "aadctl", "setup", "--tenant", "aaaabbbb-0000-cccc-1111-dddd2222eeee", "--client",
		"00001111-aaaa-2222-bbbb-3333cccc4444",
		"--domain", "contoso.example")
	configuration := v.must(t, "cat", rig.ConfigFile)

	session := v.ssh(t, rig.User)
	session.SignIn(rig.User)
	session.Expect(`\$ `)
	session.TypeLine("echo ~" + rig.User + "; grep -c libnss_aad /proc/$$/maps")
	session.Expect(`\n/home/user@contoso\.example\n[1-9]`)
	session.Expect(`\$ `)
	entry := v.must(t, "getent", "passwd", rig.User)
	waiting := v.ssh(t, rig.User, "echo in as $(id -un)")
	page, code := waiting.Prompted()

	v.bring(t, rig.DebianPackage(t))
	if now := v.must(t, "cat", rig.ConfigFile); now != configuration {
		t.Errorf("upgraded, the configuration is %s", now)
	}
	rig.Browse(t, page, code, rig.User)
	waiting.TypeLine("")
	waiting.Expect(`in as user@contoso\.example\n`)
	waiting.EndsWell()
	session.TypeLine("echo ~" + rig.User + "; grep -c 'libnss_aad.*deleted' /proc/$$/maps")
	session.Expect(`\n/home/user@contoso\.example\n[1-9]`)
	session.Expect(`\$ `)
	v.worksFor(t, entry)
	out, status := v.command(t, "aadctl", "check", "--json")
	if wrong := rig.WrongOf(t, out); status != 0 || len(wrong) > 0 {
		t.Errorf("aadctl check: exit status %d: %+v", status, wrong)
	}

	v.bring(t, former)
	if now := v.must(t, "cat", rig.ConfigFile); now != configuration {
		t.Errorf("back at the former version, the configuration is %s", now)
	}
	v.worksFor(t, entry)
	session.TypeLine("id -un; exit")
	session.Expect(`\nuser@contoso\.example\n`)
	session.EndsWell()
	v.bring(t, rig.DebianPackage(t))
	v.worksFor(t, entry)

	v.must(t, "apt-get", "purge", "--yes", "aad-login")
	v.must(t, "rm", "-r", "/var/lib/aad-login", "/home/"+rig.User)
	v.asBefore(t)
}

// worksFor fails unless the store is sound and has the account as before, and a sign-in to it
// works.
func (v *visit) worksFor(t *testing.T, entry string) {
	t.Helper()
	v.must(t, "aadctl", "store", "verify")
	if now := v.must(t, "getent", "passwd", rig.User); now != entry {
		t.Errorf("the account is %q, was %q", now, entry)
	}
	c := v.ssh(t, rig.User, "echo in as $(id -un)")
	c.SignIn(rig.User)
	c.Expect(`in as user@contoso\.example\n`)
	c.EndsWell()
	if local := v.must(t, "id", "-Gn", "local"); strings.Contains(local, "aad") {
		t.Errorf("local is in %s", local)
	}
	v.localsGetIn(t)
}
