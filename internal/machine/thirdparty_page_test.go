// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	signinpage "aadlogin/packaging/sign-in-page"
)

// The page, the terminal and the worker with an authority that its authors have not written: what the page asks for and redeems has to be
// RFC 6749, RFC 7636 and OpenID Connect, and a token of other claims in another order has to come through a paste.
func TestThirdPartyPage(t *testing.T) {
	if !*withBrowsers {
		t.Skip("run: make browsers")
	}
	const user = "user@contoso.example"
	d, authority := emulator.Contoso(), "https://127.0.0.1:"+thirdPartyPort
	filled, err := signinpage.Fill(signinpage.Settings{
		Tenant: d.TenantID, Client: d.ClientID, Authority: authority, Issuer: authority + "/" + d.TenantID + "/v2.0", Scope: "openid profile",
	})
	if err != nil {
		t.Fatal(err)
	}
	page := webHost(t, filled)
	server := startThirdParty(t, page)
	browserFlow(t, page)
	b := newChromium(t)
	b.mayPaste()

	c := ssh(t, user, "id -un")
	b.open(c.shownAddress())
	b.expect("Go on only if you started this sign-in")
	b.click("#go")
	b.expect("Sign-in")
	b.js(fmt.Sprintf(`document.querySelector("[name=login]").value = %q; document.querySelector("[name=password]").value = "any"`, user), nil)
	b.click("[type=submit]")
	eventually(t, "consent is asked for, and given", patience, func() bool {
		text := b.text()
		if strings.Contains(text, "Continue") {
			b.click("[type=submit]")
		}
		return strings.Contains(text, toPaste)
	})
	var all string
	b.js(`return [...document.querySelectorAll("#parts textarea")].map(e => e.value).join("")`, &all)
	t.Logf("%d characters", len(all))
	for i, part := range b.parts() {
		if i > 0 {
			c.expect(fmt.Sprintf("Part %d of %d: ", i+1, len(b.parts())))
		}
		c.typeLine(part)
	}
	c.expect(`\nuser@contoso\.example\n`)
	if status, _ := c.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	b.meant() // its sign-in pages load a font from elsewhere
	for _, e := range server.stop() {
		if !strings.HasSuffix(e, ".success") && e != "elsewhere GET /favicon.ico" { // as a browser does
			t.Errorf("the provider did not like a request: %s", e)
		}
	}
}
