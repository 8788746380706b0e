// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"fmt"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
	signinpage "aadlogin/packaging/sign-in-page"
)

// The page, the terminal and the worker work with an authority that the project has not written.
// The page's requests must be RFC 6749, RFC 7636 and OpenID Connect. A token with other claims in
// another order must survive a paste.
func TestThirdPartyPage(t *testing.T) {
	if !*withBrowsers {
		t.Skip("run: make browsers")
	}
	const user = "user@contoso.example"
	d, authority := emulator.Contoso(), "https://127.0.0.1:"+thirdPartyPort
	filled, err := signinpage.Fill(signinpage.Settings{
		Tenant: d.TenantID, Client: d.ClientID, Authority: authority,
		Issuer: authority + "/" + d.TenantID + "/v2.0", Scope: "openid profile",
	})
	if err != nil {
		t.Fatal(err)
	}
	page := rig.WebHost(t, filled)
	server := startThirdParty(t, page)
	browserFlow(t, page)
	b := rig.NewChromium(t)
	b.MayPaste()

	c := rig.SSH(t, user, "id -un")
	b.Open(shownAddress(c))
	b.Expect("Go on only if you started this sign-in")
	b.Click("#go")
	b.Expect("Sign-in")
	b.JS(fmt.Sprintf(`document.querySelector("[name=login]").value = %q; document.querySelector("[name=password]").value = "any"`, user), nil)
	b.Click("[type=submit]")
	rig.Eventually(t, "consent is asked for, and given", rig.Patience, func() bool {
		text := b.Text()
		if strings.Contains(text, "Continue") {
			b.Click("[type=submit]")
		}
		return strings.Contains(text, rig.ToPaste)
	})
	var all string
	b.JS(`return [...document.querySelectorAll("#parts textarea")].map(e => e.value).join("")`,
		&all)
	t.Logf("%d characters", len(all))
	for i, part := range b.Parts() {
		if i > 0 {
			c.Expect(fmt.Sprintf("Part %d of %d: ", i+1, len(b.Parts())))
		}
		c.TypeLine(part)
	}
	c.Expect(`\nuser@contoso\.example\n`)
	if status, _ := c.End(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	meant(b) // its sign-in pages load a font from elsewhere
	for _, e := range server.stop() {
		// A browser does the same.
		if !strings.HasSuffix(e, ".success") && e != "elsewhere GET /favicon.ico" {
			t.Errorf("the provider did not like a request: %s", e)
		}
	}
}
