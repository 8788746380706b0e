// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/pasted"
	signinpage "aadlogin/packaging/sign-in-page"
)

// contosoPage is the sign-in page of the emulator's tenant.
func contosoPage(t testing.TB) []byte {
	t.Helper()
	d := emulator.Contoso()
	page, err := signinpage.Fill(signinpage.Settings{
		Tenant: d.TenantID, Client: d.ClientID, Authority: entra.EntraURL(), Issuer: contosoIssuer(), Scope: "openid profile " + ownScope,
	})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func contosoIssuer() string { return entra.EntraURL() + "/" + emulator.Contoso().TenantID + "/v2.0" }

// contosoKnown is what both ends know of its tokens.
func contosoKnown() pasted.Known {
	d := emulator.Contoso()
	return pasted.Known{Tenant: d.TenantID, Client: d.ClientID, Issuer: contosoIssuer()}
}

// webHost is a web server that gives out a page at / and at /index.html, and a page around it at /around.
func webHost(t testing.TB, page []byte) (url string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Path {
		case "/", "/index.html":
			w.Write(page)
		case "/around":
			fmt.Fprint(w, `<!doctype html><link rel="icon" href="data:,"><title>around</title><iframe id="inner" width="300" height="600" src="/index.html"></iframe>`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/"
}

// atPrompt is a sign-in that waits at a prompt.
func atPrompt(page string, change func(*pasted.Attempt)) *pasted.Attempt {
	a := pasted.Attempt{Page: page, Account: "user@contoso.example", Machine: "web-07", Origin: "203.0.113.9", Service: "sshd", Kind: pasted.Token, Size: 1000}
	if change != nil {
		change(&a)
	}
	return pasted.New(a)
}

// goOn opens an address, and says yes to what it asks, by keyboard.
func (c *chromium) goOn(a *pasted.Attempt) {
	c.t.Helper()
	c.goOnFrom(a.Address(), a.Machine)
}

func (c *chromium) goOnFrom(address, machine string) {
	c.t.Helper()
	c.open("about:blank") // another fragment alone is no other page
	c.open(address)
	c.expect(machine)
	c.heard(`heading "Sign in to ` + machine + `?"`)
	c.tabTo(`button "Go on to sign in"`)
	c.press(keyEnter)
	c.heard(`heading "Sign in"`)
}

// signIn does so on Entra ID's page, with the account that the page was asked for.
func (c *chromium) signIn() {
	c.t.Helper()
	c.tabTo(`button "Sign in"`)
	c.press(keyEnter)
}

const toPaste = "You are signed in, and the terminal waits."

// clipboard is what was copied.
func (c *chromium) clipboard() (text string) {
	c.t.Helper()
	c.js(`return navigator.clipboard.readText()`, &text)
	return text
}

// mayPaste lets this test read the clipboard, which no page may unasked.
func (c *chromium) mayPaste() {
	c.t.Helper()
	if c.firefox { // preferences say so
		return
	}
	c.devtools("Browser.grantPermissions", map[string]any{"permissions": []string{"clipboardReadWrite", "clipboardSanitizedWrite"}})
	c.t.Cleanup(func() { c.devtools("Browser.resetPermissions", map[string]any{}) })
}

// address is what the address bar shows.
func (c *chromium) address() (url string) {
	c.t.Helper()
	c.do("GET", c.session+"/url", nil, &url)
	return url
}

// parts are the texts that the page shows.
func (c *chromium) parts() (all []string) {
	c.t.Helper()
	c.js(`return [...document.querySelectorAll("#parts textarea")].map(e => e.value)`, &all)
	return all
}

// token puts together what was pasted, which has to be a token that Entra ID has given out.
func token(t testing.TB, a *pasted.Attempt, answers ...string) string {
	t.Helper()
	p := a.Parts()
	for _, answer := range answers {
		p.Add([]byte(answer))
	}
	got, err := p.Token(contosoKnown())
	if err != nil || !slices.Contains(entra.Secrets(), got) {
		t.Fatalf("no token of Entra ID's: %v", err)
	}
	return got
}

// The whole way by keyboard alone, with what is in the clipboard at its end; then what a person may do who has not pasted yet.
func TestSignInPage(t *testing.T) { signInWithPage(t, newChromium(t)) }

func signInWithPage(t *testing.T, c *chromium) {
	c.mayPaste()
	entra.ForgetRequests()
	page := webHost(t, contosoPage(t))
	a := atPrompt(page, nil)
	c.goOn(a)
	c.signIn()
	c.expect(toPaste)
	c.heard(`button "Copy the answer"`)
	c.press(keyEnter)
	c.expect("Copied the answer. Paste it into your terminal, and press ENTER.")
	answer := c.clipboard()
	token(t, a, answer)
	t.Logf("%d characters", len(answer))
	if len(answer) > 1000 {
		t.Errorf("%d characters are more than one paste for ssh", len(answer))
	}

	var kept struct {
		Address, Storage string
		Entries          int
	}
	look := func() {
		c.js(`return {Address: location.href, Storage: JSON.stringify(sessionStorage) + JSON.stringify(localStorage) + document.cookie, Entries: history.length}`, &kept)
		if kept.Address != page || strings.Contains(kept.Storage, "verifier") || strings.Contains(kept.Storage, `\"code\"`) {
			t.Errorf("kept: %+v", kept)
		}
		for _, secret := range entra.Secrets() { // the code, the access token, the ID token as it was
			if strings.Contains(kept.Storage, secret) {
				t.Errorf("kept: %s", secret)
			}
		}
	}
	look()
	c.do("POST", c.session+"/refresh", struct{}{}, nil)
	c.expect(toPaste)
	if got := c.parts(); len(got) != 1 || got[0] != answer {
		t.Error("a reload shows something else")
	}
	c.open("about:blank")
	c.do("POST", c.session+"/back", struct{}{}, nil)
	c.expect(toPaste)
	look()
	passed := 0
	for c.address() != "about:blank" { // the page that the person came from: on the way there is neither an answer nor the question
		c.do("POST", c.session+"/back", struct{}{}, nil)
		if got := c.address(); strings.Contains(got, "#") {
			t.Errorf("back leads to %s", got)
		}
		passed++
	}
	for range passed {
		c.do("POST", c.session+"/forward", struct{}{}, nil)
	}
	c.expect(toPaste)
	c.lastButNotLeast(answer)
	for _, r := range entra.Requests() {
		if r.Endpoint == "token" && r.Grant == "authorization_code" && r.Origin != strings.TrimSuffix(page, "/") {
			t.Errorf("redeemed by %q", r.Origin)
		}
	}
	if n := redeemed(); n != 1 {
		t.Errorf("redeemed %d times", n)
	}
}

// lastButNotLeast is what no click leads to: a browser that lets no page copy in the modern way, and the end of the ten minutes.
func (c *chromium) lastButNotLeast(answer string) {
	c.t.Helper()
	if c.firefox { // where a test cannot take the page's place
		return
	}
	c.click("#title") // the way back and forward has taken the focus from the window
	c.js(`return navigator.clipboard.writeText("something else")`, nil)
	c.js(`navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"))`, nil)
	c.click("#copy1")
	c.expect("Copied the answer.")
	if got := c.clipboard(); got != answer {
		c.t.Errorf("copied in the old way: %q", got)
	}
	c.js(`document.execCommand = () => false`, nil)
	c.click("#copy1")
	c.expect("This browser does not let the page copy.")
	c.js(`expire()`, nil)
	c.expect("Ten minutes have passed, and the terminal waits no longer.")
	if got := c.parts(); len(got) > 0 {
		c.t.Errorf("still there: %q", got)
	}
}

// redeemed counts the codes that were.
func redeemed() (n int) {
	for _, r := range entra.Requests() {
		if r.Grant == "authorization_code" && r.Status == http.StatusOK {
			n++
		}
	}
	return n
}

// The code itself, in parts, for the machine to redeem: the worker's verifier is what it was asked for with.
func TestSignInPageCode(t *testing.T) { signInWithCode(t, newChromium(t)) }

func signInWithCode(t *testing.T, c *chromium) {
	c.mayPaste()
	page := webHost(t, contosoPage(t)) + "index.html"
	for _, lines := range []bool{false, true} {
		a := atPrompt(page, func(a *pasted.Attempt) { a.Kind, a.Size, a.Lines, a.Service = pasted.Code, 480, lines, "sudo" })
		c.goOn(a)
		c.signIn()
		c.expect(toPaste)
		first := `button "Copy everything"`
		if !lines {
			first = `button "Copy part 1 of 4"`
		}
		c.heard(first)
		c.click("#all")
		c.expect("Copied everything. Paste it into your terminal, and press ENTER.")
		together := c.clipboard()
		parts := c.parts()
		separator := map[bool]string{true: "\n", false: ""}[lines]
		if len(parts) != 4 || together != strings.Join(parts, separator) || slices.ContainsFunc(parts, func(p string) bool { return len(p) > 480 }) {
			t.Fatalf("%d parts of %d characters, together %d", len(parts), len(parts[0]), len(together))
		}
		for i := range parts { // one by one, as they stand
			c.click("#copy" + strconv.Itoa(i+1))
			c.expect(fmt.Sprintf("Copied part %d of 4.", i+1))
			if got := c.clipboard(); got != parts[i] {
				t.Errorf("part %d: %q", i+1, got)
			}
		}
		p := a.Parts()
		p.Add([]byte(together))
		code, err := p.Code()
		if err != nil || !slices.Contains(entra.Secrets(), code) {
			t.Fatalf("no code of Entra ID's: %v", err)
		}
		claims := redeem(t, page, code, a.Verifier())
		if claims["nonce"] != a.Nonce() || claims["preferred_username"] != a.Account {
			t.Errorf("claims %v", claims)
		}
	}
}

// redeem does what a worker does with a code.
func redeem(t testing.TB, page, code, verifier string) (claims map[string]any) {
	t.Helper()
	d := emulator.Contoso()
	form := fmt.Sprintf("grant_type=authorization_code&client_id=%s&code=%s&code_verifier=%s&redirect_uri=%s", d.ClientID, code, verifier, page)
	resp, err := newBrowser(t.(*testing.T), entra.CA()).client.Post(entra.EntraURL()+"/"+d.TenantID+"/oauth2/v2.0/token", "application/x-www-form-urlencoded", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		IDToken string `json:"id_token"`
		Error   string `json:"error_description"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.IDToken == "" {
		t.Fatalf("%v %s", err, answer.Error)
	}
	return tokenClaims(t, answer.IDToken)
}

// tokenClaims reads a token without a look at its signature.
func tokenClaims(t testing.TB, token string) (claims map[string]any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
