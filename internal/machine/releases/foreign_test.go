// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package releases

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// TestForeign runs programs of another architecture under qemu-user. They load both modules, sign
// an account in, and run sudo. The root is a chroot, because an emulated systemd does not boot. The
// script "matrix" runs the test.
func TestForeign(t *testing.T) {
	root := releaseRoot()
	if root == "" {
		t.Skip("it takes a root of another architecture; run: make matrix")
	}
	f := foreign{t, root}
	if err := rig.StartEntra(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rig.Entra.Close() })
	// These belong to a namespace that ends with the test.
	rig.Must(t, "mount", "-t", "proc", "proc", filepath.Join(root, "proc"))
	rig.Must(t, "mount", "--rbind", "/dev", filepath.Join(root, "dev"))
	for path, text := range map[string][]byte{
		"/etc/emulator-ca.pem": rig.Entra.CA(),
		rig.ConfigFile: []byte(`tenant_id = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
client_id = "00001111-aaaa-2222-bbbb-3333cccc4444"
domains = ["contoso.example"]
endpoints.authority = "` + rig.Entra.EntraURL() + `"
endpoints.resource_manager = "` + rig.Entra.EntraURL() + `"
endpoints.metadata = "` + rig.Entra.MetadataURL() + `"
endpoints.ca_file = "/etc/emulator-ca.pem"
`),
	} {
		rig.Must(t, "mkdir", "-p", filepath.Dir(filepath.Join(root, path)))
		if err := rig.ReplaceFile(filepath.Join(root, path), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("install", f.step(func(f foreign) {
		rig.Must(f.t, "cp", rig.FileAt(f.t, "../../../build/dist/*_arm64.deb"),
			filepath.Join(root, "var/tmp/aad-login.deb"))
		f.must("dpkg", "--install", "--force-confold", "/var/tmp/aad-login.deb")
		f.must("aadctl", "config", "apply")
		group := f.must("getent", "group", "aad_users")
		if !strings.HasPrefix(group, "aad_users:*:1879048192:") {
			f.t.Errorf("getent says %s", group)
		}
	}))
	t.Run("sign in", f.step(func(f foreign) {
		c := rig.Open(f.t, "chroot", root, "pamtester", "login", rig.Admin,
			"authenticate", "acct_mgmt")
		c.SignIn(rig.Admin)
		c.Expect("successfully authenticated")
		c.Expect("account management done")
		c.EndsWell()
		id := f.must("id", rig.Admin)
		if !strings.Contains(id, "(aad_users)") || !strings.Contains(id, "(aad_admins)") {
			f.t.Errorf("id says %s", id)
		}
	}))
	t.Run("sudo", f.step(func(f foreign) {
		uid := strings.TrimSpace(f.must("id", "-u", rig.Admin))
		c := rig.Open(f.t, "chroot", "--userspec="+uid+":"+uid, root, "sudo", "id", "-u")
		c.SignIn(rig.Admin)
		c.Expect(`\n0\n`)
		c.EndsWell()
	}))
	t.Run("refusal", f.step(func(f foreign) {
		c := rig.Open(f.t, "chroot", root, "pamtester", "login",
			"norole@contoso.example", "authenticate")
		c.SignIn("norole@contoso.example")
		c.Expect(rig.DeniedSentence)
		if status, _ := c.End(); status == 0 {
			f.t.Error("let in without a role")
		}
	}))
	t.Run("purge", f.step(func(f foreign) {
		f.must("dpkg", "--purge", "aad-login")
		out, status := rig.Command(f.t, "", "chroot", root, "getent", "group", "aad_users")
		if status != 2 {
			f.t.Errorf("purged, and getent says %s", out)
		}
	}))
}

// foreign is such a root.
type foreign struct {
	t    *testing.T
	root string
}

func (f foreign) must(args ...string) string {
	f.t.Helper()
	return rig.Must(f.t, "chroot", append([]string{f.root}, args...)...)
}

func (f foreign) step(do func(foreign)) func(*testing.T) {
	return func(t *testing.T) {
		t.Setenv("DEBIAN_FRONTEND", "noninteractive")
		t.Setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:"+
			os.Getenv("PATH"))
		do(foreign{t, f.root})
	}
}
