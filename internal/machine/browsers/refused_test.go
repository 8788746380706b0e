// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"net/url"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
	"aadlogin/internal/pasted"
)

const noSignIn = "This answer belongs to no sign-in that was started in this tab"

// nothing fails if the page shows anything to paste, or keeps anything in the address bar.
func nothing(c *rig.Chromium, page string) {
	c.T.Helper()
	var shown bool
	c.JS(`return document.getElementById("answer").checkVisibility() || document.querySelectorAll("#parts *").length > 0`, &shown)
	if shown {
		c.T.Errorf("something to paste: %q", c.Parts())
	}
	if got := c.Address(); got != page {
		c.T.Errorf("the address bar keeps %s", got)
	}
}

// The page shows nothing to paste unless it has asked in this tab. This holds for a stranger's link
// straight to Entra ID, even with the right values, and for an invented answer.
func TestSignInPageStranger(t *testing.T) { sentByStranger(t, rig.NewChromium(t)) }

func sentByStranger(t *testing.T, c *rig.Chromium) {
	page := rig.WebHost(t, rig.ContosoPage(t))
	d := emulator.Contoso()
	a := atPrompt(page, nil)
	link := rig.Entra.EntraURL() + "/" + d.TenantID + "/oauth2/v2.0/authorize?" + url.Values{
		"client_id": {d.ClientID}, "response_type": {"code"}, "response_mode": {"fragment"},
		"redirect_uri": {page}, "scope": {"openid profile"},
		"code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"},
		"state": {challengeOf(a)}, "nonce": {a.Nonce()}, "login_hint": {a.Account},
	}.Encode()
	c.Open(link)
	c.Heard(`heading "Sign in"`)
	c.SignIn()
	c.Expect(noSignIn)
	nothing(c, page)

	// The person has seen the question, but for another sign-in.
	before := redeemed()
	c.GoOn(atPrompt(page, nil))
	c.Open(link)
	c.Heard(`heading "Sign in"`)
	c.SignIn()
	c.Expect(noSignIn)
	nothing(c, page)

	c.GoOn(a)
	for _, answer := range []string{
		"#code=x", "#code=x&state=", "#code=x&state=" + a.Nonce(),
		"#error=access_denied&error_description=<b>", "#code=x&state=" + challengeOf(a)[:42],
	} {
		c.Open("about:blank")
		c.Open(page + answer)
		c.Expect(noSignIn)
		nothing(c, page)
	}
	if n := redeemed(); n != before {
		t.Errorf("%d codes of strangers redeemed", n-before)
	}
}

// challengeOf returns the attempt's challenge from its address.
func challengeOf(a *pasted.Attempt) string {
	_, rest, _ := strings.Cut(a.Address(), "#c=")
	return rest[:43]
}

// A sign-in that begins in one tab is answered in that tab. Two of them do not mix, and each ends
// after ten minutes.
func TestSignInPageTabs(t *testing.T) { twoTabs(t, rig.NewChromium(t)) }

func twoTabs(t *testing.T, c *rig.Chromium) {
	page := rig.WebHost(t, rig.ContosoPage(t))
	one, two := atPrompt(page, nil),
		atPrompt(page, func(a *pasted.Attempt) {
			a.Machine, a.Account = "web-08", "admin@contoso.example"
		})
	c.GoOn(one)
	var first string
	c.Do("GET", c.Session+"/window", nil, &first)
	second := c.NewTab()
	t.Cleanup(func() {
		c.Tab(second)
		c.Do("DELETE", c.Session+"/window", nil, nil)
		c.Tab(first)
	})
	c.GoOn(two)
	c.SignIn()
	c.Expect(rig.ToPaste)
	claims := tokenClaims(t, token(t, two, c.Parts()...))
	if claims["preferred_username"] != two.Account || claims["nonce"] != two.Nonce() {
		t.Errorf("claims %v", claims)
	}
	c.Tab(first)
	c.SignIn()
	c.Expect(rig.ToPaste)
	claims = tokenClaims(t, token(t, one, c.Parts()...))
	if claims["preferred_username"] != one.Account || claims["nonce"] != one.Nonce() {
		t.Errorf("claims %v", claims)
	}

	// Another address is typed while the parts of the last one are shown.
	three := atPrompt(page, nil)
	c.Open(three.Address())
	c.Heard(`heading "Sign in to web-07?"`)

	c.Tab(second)
	c.JS(`const r = JSON.parse(sessionStorage.getItem("sign-in")); r.at -= 10 * 60 * 1000; sessionStorage.setItem("sign-in", JSON.stringify(r))`, nil)
	c.Do("POST", c.Session+"/refresh", struct{}{}, nil)
	c.Expect("Open the address that your terminal shows, or paste all of it here.")
	var kept int
	if c.JS(`return sessionStorage.length`, &kept); kept != 0 {
		t.Error("what is over is kept")
	}
}

// If Entra ID refuses, the page says why and what the person can do.
func TestSignInPageRefused(t *testing.T) { refusedInPage(t, rig.NewChromium(t)) }

func refusedInPage(t *testing.T, c *rig.Chromium) {
	page := rig.WebHost(t, rig.ContosoPage(t))
	a := atPrompt(page, nil)
	c.GoOn(a)
	c.TabTo(`button "Cancel"`)
	c.Press(rig.KeyEnter)
	c.Expect("You cancelled the sign-in. If that was a mistake, try again.")
	nothing(c, page)
	c.TabTo(`button "Try again"`)
	c.Press(rig.KeyEnter)
	c.Heard(`heading "Sign in"`)

	// This organization blocks device codes, and demands a managed device.
	rig.Directory(t, func(d *emulator.Directory) {
		d.Policies = []emulator.Policy{
			{Name: "codes", AuthenticationFlows: []string{emulator.DeviceCode}, Grant: "block"},
			{Name: "managed", Grant: "managed-device"},
		}
	})
	c.SignIn()
	c.Expect("Error code: 53000")
	c.GoOn(a)
	c.Click("#managed")
	c.SignIn()
	c.Expect(rig.ToPaste)
	token(t, a, c.Parts()...)

	// The account is not the one that the machine asked for.
	c.GoOn(a)
	c.JS(`document.getElementById("account").value = "admin@contoso.example"`, nil)
	c.Click("#managed")
	c.SignIn()
	c.Expect("Entra ID says that you are admin@contoso.example, and the machine asked for " +
		"user@contoso.example.")

	// The page redeems but is registered as a public client, and the other way round.
	for _, test := range []struct {
		registration emulator.Registration
		want         string
	}{
		{emulator.Registration{Scopes: []string{"sign-in"},
			PublicClient: []string{"http://127.0.0.1/"}}, "AADSTS9002326"},
		{emulator.Registration{Scopes: []string{"sign-in"}, Web: []string{"http://127.0.0.1/"}},
			"AADSTS9002326"},
	} {
		rig.Directory(t, func(d *emulator.Directory) {
			d.Policies, d.Registration = nil, test.registration
		})
		c.GoOn(a)
		c.SignIn()
		c.Expect("This page is registered in another way than it is used.")
		c.Expect(test.want)
		nothing(c, page)
	}
	rig.Directory(t, func(d *emulator.Directory) {
		d.Registration = emulator.Registration{SPA: []string{"http://127.0.0.1/"}}
	})
	c.Open("about:blank")
	c.Open(a.Address())
	c.Click("#go")
	c.Expect("This page is not set up as the application is.")
	c.Expect("AADSTS650053")

	// Entra ID cannot be reached, and then it can: the code is still good.
	rig.Directory(t,
		func(d *emulator.Directory) { d.Registration = emulator.Contoso().Registration })
	c.GoOn(a)
	// A browser tries more than once.
	rig.Entra.Fail(emulator.Fault{Endpoint: "token", Reset: true, Times: 3})
	t.Cleanup(rig.Entra.Heal)
	c.SignIn()
	c.Expect("This browser could not fetch the answer of " + rig.Entra.EntraURL())
	rig.Entra.Heal()
	c.Click("#retry")
	c.Expect(rig.ToPaste)
	token(t, a, c.Parts()...)
	meant(c)
}

// meant forgets the errors on the console so far.
func meant(c *rig.Chromium) {
	c.T.Helper()
	c.Log()
	c.Said = nil
}

// Every state of the page can be used on a phone, without a mouse, and with weak eyes, and says
// what to do.
func TestSignInPageCanBeUsed(t *testing.T) {
	c := rig.NewChromium(t)
	page := rig.WebHost(t, rig.ContosoPage(t))
	a := atPrompt(page, func(a *pasted.Attempt) {
		a.Size, a.Lines, a.Service, a.Origin = 480, true, "sudo", "local"
	})
	c.Open(page)
	c.Heard(`textbox "Address from your terminal"`)
	c.Usable()

	first, rest := a.Address()[:77], a.Address()[77:]
	c.Open(first) // the first row of PuTTY's
	c.Expect("The end of the address is missing, from the machine on. Copy all of its rows from " +
		"your terminal.")
	c.Heard(`textbox "Address from your terminal"`)
	described(c, missing(c))
	c.Usable()
	c.JS(`document.getElementById("address").focus()`, nil)
	c.Press(rig.KeyEnd + "> " + rest + rig.KeyTab + rig.KeyEnter)
	c.Heard(`heading "Sign in to web-07?"`)
	c.Expect("local: by a session on the machine itself")
	c.Expect("Go on only if you started this sign-in, in your own terminal.")
	c.Usable()

	c.Click("#go")
	c.Heard(`heading "Sign in"`)
	c.Usable()
	c.SignIn()
	c.Expect(rig.ToPaste)
	c.Usable()

	c.Open("about:blank")
	c.Open(page + "#error=x&state=y")
	c.Expect(noSignIn)
	c.Usable()
}

// missing returns what the page says that an address lacks.
func missing(c *rig.Chromium) (text string) {
	c.T.Helper()
	c.JS(`return document.getElementById("missing").innerText`, &text)
	return text
}
