// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// A tenant blocks device codes except for one application, and does not let people consent. The
// commands that "aadctl setup" prints, run in two shells, expose the application's scope beside its
// other scopes, and consent. Then people are let in; without the scope they are not. "aadctl check
// --tenant" finds that out with a person at a browser.
func TestScope(t *testing.T) {
	const user = "user@contoso.example"
	client := emulator.Contoso().ClientID
	rig.Stored(t, user)
	stranger := azClient{
		AppID: "99990000-0000-4000-8000-000000000009", Permissions: []string{azScopeOf("other").ID},
	}
	azAPI.clients = []azClient{stranger}
	t.Cleanup(func() { azAPI.clients = nil })
	rig.Directory(t, func(d *emulator.Directory) {
		d.UserConsent = "none"
		d.Registration = emulator.Registration{
			Scopes: []string{"other"}, ForItself: "guid", ConsentRequired: true,
			NoServicePrincipal: true,
		}
		d.Policies = []emulator.Policy{{Name: "Block device codes", Grant: "block",
			AuthenticationFlows: []string{emulator.DeviceCode}, ExcludeResources: []string{client}}}
	})
	// This restores the present state afterwards.
	rig.Edit(t, rig.ConfigFile, func(s string) []byte { return []byte(s) })
	t.Cleanup(func() { os.Remove(rig.ConfigFile + ".previous") })

	// Without a scope, this application is blocked, too.
	c := rig.Open(t, "aadctl", "login", user)
	_, code := c.Prompted()
	refusedWith(t, rig.Entra.SignIn(code, user), 53003)
	c.TypeLine("\x03")
	c.End()

	out := rig.Must(t, "aadctl", "setup", "--tenant", emulator.Contoso().TenantID, "--client",
		client, "--domain", "contoso.example",
		"--scope", rig.OwnScope)
	lines, _, _ := strings.Cut(out, "# This machine")
	script := strings.Join(regexp.MustCompile(`(?m)^(az|#) .*$`).FindAllString(lines, -1), "\n")
	t.Setenv("PATH", azOnPath(t)+":"+os.Getenv("PATH"))
	for _, shell := range []string{"bash", "dash"} { // the second time, nothing is left to do
		rig.Must(t, shell, "-euc", script)
	}
	if err := registered(func(r *emulator.Registration) {
		if !slices.Equal(r.Scopes, []string{"other", "sign-in"}) ||
			!slices.Equal(r.PreAuthorized, []string{"sign-in"}) || r.NoServicePrincipal ||
			!slices.Equal(r.AdminConsent, []string{"openid", "profile", client + "/sign-in"}) {
			t.Errorf("the registration: %+v", r)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(azAPI.clients) != 1 || azAPI.clients[0].AppID != stranger.AppID {
		t.Errorf("pre-authorized: %+v", azAPI.clients)
	}

	c = rig.Open(t, "aadctl", "login", user)
	_, code = c.Prompted()
	if err := rig.Entra.SignIn(code, user); err != nil {
		t.Fatal(err)
	}
	c.Expect(`may sign in here`)
	c.WentWell()

	c = rig.Open(t, "aadctl", "check", "--tenant")
	shown := func(form string) string {
		return c.Expect(form + `:\n  open \S+ and enter the code (\S+)\n`)[1]
	}
	refusedWith(t, rig.Entra.SignIn(shown(`1 of 3, no scope`), user), 53003)
	c.TypeLine("53003")
	c.Expect(`refused, AADSTS53003`)
	if err := rig.Entra.SignIn(shown(`2 of 3, scope `+rig.OwnScope), user); err != nil {
		t.Fatal(err)
	}
	c.Expect(`accepted`)
	shown(`3 of 3, scope api://` + rig.OwnScope)
	c.TypeLine("")
	c.Expect(`the configuration is right as it is`)
	c.WentWell()
}

// refusedWith fails unless the browser has refused with this number.
func refusedWith(t *testing.T, err error, number int) {
	t.Helper()
	var no *emulator.Refused
	if !errors.As(err, &no) || no.AADSTS != number {
		t.Fatalf("%v, want AADSTS%d", err, number)
	}
}
