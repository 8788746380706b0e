// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/pasted"
)

const noSignIn = "This answer belongs to no sign-in that was started in this tab"

// nothing fails if the page shows anything that could be pasted, or keeps anything in the address bar.
func (c *chromium) nothing(page string) {
	c.t.Helper()
	var shown bool
	c.js(`return document.getElementById("answer").checkVisibility() || document.querySelectorAll("#parts *").length > 0`, &shown)
	if shown {
		c.t.Errorf("something to paste: %q", c.parts())
	}
	if got := c.address(); got != page {
		c.t.Errorf("the address bar keeps %s", got)
	}
}

// Who was not asked by the page in this very tab gets nothing to paste: neither by a link of a stranger's own straight to Entra
// ID, which is right in every value, nor with an answer made up.
func TestSignInPageStranger(t *testing.T) { sentByStranger(t, newChromium(t)) }

func sentByStranger(t *testing.T, c *chromium) {
	page := webHost(t, contosoPage(t))
	d := emulator.Contoso()
	a := atPrompt(page, nil)
	link := entra.EntraURL() + "/" + d.TenantID + "/oauth2/v2.0/authorize?" + url.Values{
		"client_id": {d.ClientID}, "response_type": {"code"}, "response_mode": {"fragment"}, "redirect_uri": {page}, "scope": {"openid profile"},
		"code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"}, "state": {challengeOf(a)}, "nonce": {a.Nonce()}, "login_hint": {a.Account},
	}.Encode()
	c.open(link)
	c.heard(`heading "Sign in"`)
	c.signIn()
	c.expect(noSignIn)
	c.nothing(page)

	// The person has seen the question, but for another sign-in.
	before := redeemed()
	c.goOn(atPrompt(page, nil))
	c.open(link)
	c.heard(`heading "Sign in"`)
	c.signIn()
	c.expect(noSignIn)
	c.nothing(page)

	c.goOn(a)
	for _, answer := range []string{"#code=x", "#code=x&state=", "#code=x&state=" + a.Nonce(), "#error=access_denied&error_description=<b>", "#code=x&state=" + challengeOf(a)[:42]} {
		c.open("about:blank")
		c.open(page + answer)
		c.expect(noSignIn)
		c.nothing(page)
	}
	if n := redeemed(); n != before {
		t.Errorf("%d codes of strangers redeemed", n-before)
	}
}

// challengeOf is the attempt's challenge, from its address.
func challengeOf(a *pasted.Attempt) string {
	_, rest, _ := strings.Cut(a.Address(), "#c=")
	return rest[:43]
}

// A sign-in that is asked for in one tab is answered in that tab: two of them do not mix, and each is over after ten minutes.
func TestSignInPageTabs(t *testing.T) { twoTabs(t, newChromium(t)) }

func twoTabs(t *testing.T, c *chromium) {
	page := webHost(t, contosoPage(t))
	one, two := atPrompt(page, nil), atPrompt(page, func(a *pasted.Attempt) { a.Machine, a.Account = "web-08", "admin@contoso.example" })
	c.goOn(one)
	var first string
	c.do("GET", c.session+"/window", nil, &first)
	second := c.newTab()
	t.Cleanup(func() {
		c.tab(second)
		c.do("DELETE", c.session+"/window", nil, nil)
		c.tab(first)
	})
	c.goOn(two)
	c.signIn()
	c.expect(toPaste)
	if claims := tokenClaims(t, token(t, two, c.parts()...)); claims["preferred_username"] != two.Account || claims["nonce"] != two.Nonce() {
		t.Errorf("claims %v", claims)
	}
	c.tab(first)
	c.signIn()
	c.expect(toPaste)
	if claims := tokenClaims(t, token(t, one, c.parts()...)); claims["preferred_username"] != one.Account || claims["nonce"] != one.Nonce() {
		t.Errorf("claims %v", claims)
	}

	// Another address, typed over the parts of the last.
	three := atPrompt(page, nil)
	c.open(three.Address())
	c.heard(`heading "Sign in to web-07?"`)

	c.tab(second)
	c.js(`const r = JSON.parse(sessionStorage.getItem("sign-in")); r.at -= 10 * 60 * 1000; sessionStorage.setItem("sign-in", JSON.stringify(r))`, nil)
	c.do("POST", c.session+"/refresh", struct{}{}, nil)
	c.expect("Open the address that your terminal shows, or paste all of it here.")
	var kept int
	if c.js(`return sessionStorage.length`, &kept); kept != 0 {
		t.Error("what is over is kept")
	}
}

// tab goes to a tab.
func (c *chromium) tab(handle string) {
	c.t.Helper()
	c.do("POST", c.session+"/window", map[string]string{"handle": handle}, nil)
}

func (c *chromium) newTab() (handle string) {
	c.t.Helper()
	var tab struct{ Handle string }
	c.do("POST", c.session+"/window/new", map[string]string{"type": "tab"}, &tab)
	c.tab(tab.Handle)
	return tab.Handle
}

// What Entra ID says no to, and what the person can do about it.
func TestSignInPageRefused(t *testing.T) { refusedInPage(t, newChromium(t)) }

func refusedInPage(t *testing.T, c *chromium) {
	page := webHost(t, contosoPage(t))
	a := atPrompt(page, nil)
	c.goOn(a)
	c.tabTo(`button "Cancel"`)
	c.press(keyEnter)
	c.expect("You cancelled the sign-in. If that was a mistake, try again.")
	c.nothing(page)
	c.tabTo(`button "Try again"`)
	c.press(keyEnter)
	c.heard(`heading "Sign in"`)

	// An organization that blocks device codes, and demands a managed device.
	directory(t, func(d *emulator.Directory) {
		d.Policies = []emulator.Policy{{Name: "codes", AuthenticationFlows: []string{emulator.DeviceCode}, Grant: "block"}, {Name: "managed", Grant: "managed-device"}}
	})
	c.signIn()
	c.expect("Error code: 53000")
	c.goOn(a)
	c.click("#managed")
	c.signIn()
	c.expect(toPaste)
	token(t, a, c.parts()...)

	// Another account than the machine asked for.
	c.goOn(a)
	c.js(`document.getElementById("account").value = "admin@contoso.example"`, nil)
	c.click("#managed")
	c.signIn()
	c.expect("Entra ID says that you are admin@contoso.example, and the machine asked for user@contoso.example.")

	// The page is registered as a public client, and redeems; and the other way round.
	for _, test := range []struct {
		registration emulator.Registration
		want         string
	}{
		{emulator.Registration{Scopes: []string{"sign-in"}, PublicClient: []string{"http://127.0.0.1/"}}, "AADSTS9002326"},
		{emulator.Registration{Scopes: []string{"sign-in"}, Web: []string{"http://127.0.0.1/"}}, "AADSTS9002326"},
	} {
		directory(t, func(d *emulator.Directory) { d.Policies, d.Registration = nil, test.registration })
		c.goOn(a)
		c.signIn()
		c.expect("This page is registered in another way than it is used.")
		c.expect(test.want)
		c.nothing(page)
	}
	directory(t, func(d *emulator.Directory) {
		d.Registration = emulator.Registration{SPA: []string{"http://127.0.0.1/"}}
	})
	c.open("about:blank")
	c.open(a.Address())
	c.click("#go")
	c.expect("This page is not set up as the application is.")
	c.expect("AADSTS650053")

	// Entra ID out of reach, and then in reach: the code is still good.
	directory(t, func(d *emulator.Directory) { d.Registration = emulator.Contoso().Registration })
	c.goOn(a)
	entra.Fail(emulator.Fault{Endpoint: "token", Reset: true, Times: 3}) // a browser tries more than once
	t.Cleanup(entra.Heal)
	c.signIn()
	c.expect("This browser could not fetch the answer of " + entra.EntraURL())
	entra.Heal()
	c.click("#retry")
	c.expect(toPaste)
	token(t, a, c.parts()...)
	c.meant()
}

// meant forgets the errors on the console so far.
func (c *chromium) meant() {
	c.t.Helper()
	c.log()
	c.said = nil
}

// The page does nothing inside another page, and a page with another script does nothing at all.
func TestSignInPageTampered(t *testing.T) { tampered(t, newChromium(t)) }

func tampered(t *testing.T, c *chromium) {
	good := contosoPage(t)
	page := webHost(t, good)
	a := atPrompt(page+"index.html", nil)
	c.open(page + "around")
	c.js(`const f = document.getElementById("inner"); return new Promise(done => { f.onload = () => done(1); f.src = "`+strings.Replace(a.Address(), "/index.html", "/index.html?inside", 1)+`" })`, nil)
	c.do("POST", c.session+"/frame", map[string]any{"id": 0}, nil)
	c.expect("This page does not work inside another page.")
	var visible bool
	if c.js(`return document.getElementById("go").checkVisibility()`, &visible); visible {
		t.Error("a button to be pressed unseen")
	}
	c.do("POST", c.session+"/frame", map[string]any{"id": nil}, nil)

	const mine = `const lifetime = 10`
	for name, change := range map[string]func([]byte) []byte{
		"another script": func(p []byte) []byte { return bytes.Replace(p, []byte(mine), []byte(mine+"0"), 1) },
		"one more": func(p []byte) []byte {
			return bytes.Replace(p, []byte("</main>"), []byte("</main><script>document.title='run'</script>"), 1)
		},
		"from elsewhere": func(p []byte) []byte {
			return bytes.Replace(p, []byte("</main>"), []byte("</main><script src='"+page+"around'></script>"), 1)
		},
		"an attribute": func(p []byte) []byte {
			return bytes.Replace(p, []byte("<main>"), []byte("<main tabindex=0 autofocus onfocus=\"document.title='run'\">"), 1)
		},
	} {
		bad := change(good)
		if bytes.Equal(bad, good) {
			t.Fatalf("%s: the same", name)
		}
		a := atPrompt(webHost(t, bad), nil)
		c.open(a.Address())
		if name == "another script" {
			c.expect("If this stays here, the script of this page does not run")
		} else {
			c.expect("Sign in to web-07?") // the page itself works, and the addition does not
		}
		if !c.firefox {
			eventually(t, name+" is refused", patience, func() bool {
				return strings.Contains(strings.Join(c.console(), "\n"), "Content Security Policy")
			})
		}
		var title string
		if c.js(`return document.title`, &title); title == "run" {
			t.Errorf("%s: has run", name)
		}
		c.meant()
	}

	// Not even the right script reaches another host.
	c.open(atPrompt(page, nil).Address())
	var err string
	c.js(`return fetch("`+page+`").then(() => "reached", e => String(e))`, &err)
	if err == "reached" {
		t.Error("the page reaches its own host, and could others")
	}
	c.meant()
}

// Every state of the page can be used on a phone, without a mouse, and with weak eyes; and it says what to do.
func TestSignInPageCanBeUsed(t *testing.T) {
	c := newChromium(t)
	page := webHost(t, contosoPage(t))
	a := atPrompt(page, func(a *pasted.Attempt) { a.Size, a.Lines, a.Service, a.Origin = 480, true, "sudo", "local" })
	c.open(page)
	c.heard(`textbox "Address from your terminal"`)
	c.usable()

	first, rest := a.Address()[:77], a.Address()[77:]
	c.open(first) // the first row of PuTTY's
	c.expect("The end of the address is missing, from the machine on. Copy all of its rows from your terminal.")
	c.heard(`textbox "Address from your terminal"`)
	c.described(c.missing())
	c.usable()
	c.js(`document.getElementById("address").focus()`, nil)
	c.press(keyEnd + "> " + rest + keyTab + keyEnter)
	c.heard(`heading "Sign in to web-07?"`)
	c.expect("local: by a session on the machine itself")
	c.expect("Go on only if you started this sign-in, in your own terminal.")
	c.usable()

	c.click("#go")
	c.heard(`heading "Sign in"`)
	c.usable()
	c.signIn()
	c.expect(toPaste)
	c.usable()

	c.open("about:blank")
	c.open(page + "#error=x&state=y")
	c.expect(noSignIn)
	c.usable()
}

// missing is what the page says that an address lacks.
func (c *chromium) missing() (text string) {
	c.t.Helper()
	c.js(`return document.getElementById("missing").innerText`, &text)
	return text
}
