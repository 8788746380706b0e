// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// The commands that "aadctl setup" prints for the sign-in page run in two shells, one after the
// other. They add the address to those of its platform, and lose none. An address on another
// platform stays only there.
func TestSetupRegistersThePage(t *testing.T) {
	t.Setenv("PATH", azOnPath(t)+":"+os.Getenv("PATH"))
	const page, other = "https://signin.contoso.example/", "https://other.contoso.example/back"
	const byCode, index = `sign_in.answer = "code"`, page + "index.html"
	type addresses = emulator.Registration
	for name, test := range map[string]struct {
		line          string
		before, after addresses
		refused       bool
	}{
		"a token": {"",
			addresses{},
			addresses{SPA: []string{page}}, false},
		"a token beside others": {"",
			addresses{SPA: []string{other}, PublicClient: []string{other + "2"}},
			addresses{SPA: []string{other, page}, PublicClient: []string{other + "2"}}, false},
		"a code": {byCode,
			addresses{PublicClient: []string{other}, SPA: []string{index}},
			addresses{PublicClient: []string{other, page}, SPA: []string{index}}, false},
		"by its source": {`authorization.source = "permissions"`,
			addresses{},
			addresses{PublicClient: []string{page}}, false},
		"there already": {"",
			addresses{SPA: []string{page, other}},
			addresses{SPA: []string{page, other}}, false},
		"on Web": {"",
			addresses{Web: []string{page}},
			addresses{Web: []string{page}}, true},
		"as a public client's": {"",
			addresses{PublicClient: []string{other, page}},
			addresses{PublicClient: []string{other, page}}, true},
		"as a single page's": {byCode,
			addresses{SPA: []string{page}},
			addresses{SPA: []string{page}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			rig.Directory(t, func(d *emulator.Directory) { d.Registration = test.before })
			line := registerLine(t, page, test.line)
			for _, shell := range []string{"bash", "dash"} {
				out, status := rig.Command(t, "", shell, "-euc", line)
				if (status != 0) != test.refused ||
					strings.Contains(out, "is registered on another platform") != test.refused {
					t.Errorf("%s: status %d, %s", shell, status, out)
				}
			}
			if err := registered(func(r *emulator.Registration) {
				if !slices.Equal(r.SPA, test.after.SPA) ||
					!slices.Equal(r.PublicClient, test.after.PublicClient) ||
					!slices.Equal(r.Web, test.after.Web) {
					t.Errorf("%+v", r)
				}
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

// registerLine returns the command that "aadctl setup" prints for the page.
func registerLine(t *testing.T, page, more string) string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf("accounts.directory = %q\nendpoints.metadata = %q\nendpoints.authority = "+
		"%q\nendpoints.ca_file = %q\n%s\n",
		dir, rig.Entra.MetadataURL(), rig.Entra.EntraURL(), rig.CAFile, more)
	if err := os.WriteFile(dir+"/config.toml", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out := rig.Must(t, "aadctl", "--config", dir+"/config.toml", "setup", "--tenant",
		emulator.Contoso().TenantID, "--client", emulator.Contoso().ClientID,
		"--domain", "contoso.example", "--flow", "browser", "--page", page)
	step := regexp.MustCompile(`(?m)^# The address of the sign-in page, .*\n\n(if az .*; fi)$`)
	m := step.FindStringSubmatch(out)
	if m == nil {
		t.Fatal(out)
	}
	return m[1]
}
