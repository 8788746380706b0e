// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/emulator"
	"aadlogin/internal/pasted"
	signinpage "aadlogin/packaging/sign-in-page"
)

// ByBrowser configures sign-ins with a browser at the sign-in page, whose answer is a token or a
// code. It returns the browser.
func ByBrowser(t *testing.T, answer string) *Chromium {
	t.Helper()
	page := WebHost(t, ContosoPage(t)) +
		map[string]string{"token": "", "code": "index.html"}[answer]
	Configured(t, "sign_in",
		fmt.Sprintf("flow = \"browser\"\npage = %q\nanswer = %q", page, answer))
	b := NewChromium(t)
	b.MayPaste()
	return b
}

// InTheBrowser is the shortest time that a person is away. Text that is typed sooner than
// AAD_AT_ONCE (pam/door.h) comes from a program.
const InTheBrowser = 350 * time.Millisecond

// AnswerTo signs in at the address in a prompt. It returns the text that the page copies as a
// whole, and its parts.
func (b *Chromium) AnswerTo(address, account string) (everything string, parts []string) {
	b.T.Helper()
	_, fragment, _ := strings.Cut(address, "#")
	// The page gets it unchanged.
	asked, err := url.ParseQuery(strings.NewReplacer("\n", "", "> ", "").Replace(fragment))
	if err != nil {
		b.T.Fatal(err)
	}
	b.goOnFrom(address, asked.Get("m"))
	b.JS(fmt.Sprintf(`document.querySelector("[name=account]").value = %q`, account), nil)
	b.SignIn()
	b.Expect(ToPaste)
	if parts = b.Parts(); len(parts) == 1 {
		b.Click("#copy1")
	} else {
		b.Click("#all")
	}
	b.Expect("Copied ")
	return b.Clipboard(), parts
}

// ContosoPage returns the sign-in page of the emulator's tenant.
func ContosoPage(t testing.TB) []byte {
	t.Helper()
	d := emulator.Contoso()
	page, err := signinpage.Fill(signinpage.Settings{
		Tenant: d.TenantID, Client: d.ClientID, Authority: Entra.EntraURL(),
		Issuer: ContosoIssuer(), Scope: "openid profile " + OwnScope,
	})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// ContosoIssuer returns the issuer of the emulator's tenant.
func ContosoIssuer() string {
	return Entra.EntraURL() + "/" + emulator.Contoso().TenantID + "/v2.0"
}

// WebHost serves a page at / and at /index.html, and a page around it at /around.
func WebHost(t testing.TB, page []byte) (url string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Path {
		case "/", "/index.html":
			w.Write(page)
		case "/around":
			fmt.Fprint(w, `<!doctype html><link rel="icon" href="data:,"><title>around</title>`+
				`<iframe id="inner" width="300" height="600" src="/index.html"></iframe>`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/"
}

// GoOn opens an address, and agrees to its question by keyboard.
func (c *Chromium) GoOn(a *pasted.Attempt) {
	c.T.Helper()
	c.goOnFrom(a.Address(), a.Machine)
}

func (c *Chromium) goOnFrom(address, machine string) {
	c.T.Helper()
	c.Open("about:blank") // another fragment alone is no other page
	c.Open(address)
	c.Expect(machine)
	c.Heard(`heading "Sign in to ` + machine + `?"`)
	c.TabTo(`button "Go on to sign in"`)
	c.Press(KeyEnter)
	c.Heard(`heading "Sign in"`)
}

// SignIn signs in on Entra ID's page, with the account that the page was asked for.
func (c *Chromium) SignIn() {
	c.T.Helper()
	c.TabTo(`button "Sign in"`)
	c.Press(KeyEnter)
}

// ToPaste is the text of the page when it has an answer.
const ToPaste = "You are signed in, and the terminal waits."

// Clipboard returns the copied text.
func (c *Chromium) Clipboard() (text string) {
	c.T.Helper()
	c.JS(`return navigator.clipboard.readText()`, &text)
	return text
}

// MayPaste lets this test read the clipboard. By default no page may.
func (c *Chromium) MayPaste() {
	c.T.Helper()
	if c.Firefox { // preferences say so
		return
	}
	c.devtools("Browser.grantPermissions",
		map[string]any{"permissions": []string{"clipboardReadWrite", "clipboardSanitizedWrite"}})
	c.T.Cleanup(func() { c.devtools("Browser.resetPermissions", map[string]any{}) })
}

// Address returns the text of the address bar.
func (c *Chromium) Address() (url string) {
	c.T.Helper()
	c.Do("GET", c.Session+"/url", nil, &url)
	return url
}

// Parts returns the texts that the page shows.
func (c *Chromium) Parts() (all []string) {
	c.T.Helper()
	c.JS(`return [...document.querySelectorAll("#parts textarea")].map(e => e.value)`, &all)
	return all
}
