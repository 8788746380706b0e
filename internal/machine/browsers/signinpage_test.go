// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
	"aadlogin/internal/pasted"
)

// contosoKnown has what both ends know of its tokens.
func contosoKnown() pasted.Known {
	d := emulator.Contoso()
	return pasted.Known{Tenant: d.TenantID, Client: d.ClientID, Issuer: rig.ContosoIssuer()}
}

// atPrompt returns a sign-in that waits at a prompt.
func atPrompt(page string, change func(*pasted.Attempt)) *pasted.Attempt {
	a := pasted.Attempt{
		Page: page, Account: "user@contoso.example", Machine: "web-07", Origin: "203.0.113.9",
		Service: "sshd", Kind: pasted.Token, Size: 1000,
	}
	if change != nil {
		change(&a)
	}
	return pasted.New(a)
}

// token joins the pasted parts, and fails unless they are a token that Entra ID has issued.
func token(t testing.TB, a *pasted.Attempt, answers ...string) string {
	t.Helper()
	p := a.Parts()
	for _, answer := range answers {
		p.Add([]byte(answer))
	}
	got, err := p.Token(contosoKnown())
	if err != nil || !slices.Contains(rig.Entra.Secrets(), got) {
		t.Fatalf("no token of Entra ID's: %v", err)
	}
	return got
}

// A person goes the whole way by keyboard, and the clipboard is right at its end. Then the test
// does what a person may do before pasting.
func TestSignInPage(t *testing.T) { signInWithPage(t, rig.NewChromium(t)) }

func signInWithPage(t *testing.T, c *rig.Chromium) {
	c.MayPaste()
	rig.Entra.ForgetRequests()
	page := rig.WebHost(t, rig.ContosoPage(t))
	a := atPrompt(page, nil)
	c.GoOn(a)
	c.SignIn()
	c.Expect(rig.ToPaste)
	c.Heard(`button "Copy the answer"`)
	c.Press(rig.KeyEnter)
	c.Expect("Copied the answer. Paste it into your terminal, and press ENTER.")
	answer := c.Clipboard()
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
		c.JS(`return {Address: location.href, Storage: JSON.stringify(sessionStorage) + JSON.stringify(localStorage) + document.cookie, Entries: history.length}`, &kept)
		if kept.Address != page || strings.Contains(kept.Storage, "verifier") ||
			strings.Contains(kept.Storage, `\"code\"`) {
			t.Errorf("kept: %+v", kept)
		}
		// These are the code, the access token, and the ID token as it was.
		for _, secret := range rig.Entra.Secrets() {
			if strings.Contains(kept.Storage, secret) {
				t.Errorf("kept: %s", secret)
			}
		}
	}
	look()
	c.Do("POST", c.Session+"/refresh", struct{}{}, nil)
	c.Expect(rig.ToPaste)
	if got := c.Parts(); len(got) != 1 || got[0] != answer {
		t.Error("a reload shows something else")
	}
	c.Open("about:blank")
	c.Do("POST", c.Session+"/back", struct{}{}, nil)
	c.Expect(rig.ToPaste)
	look()
	passed := 0
	// Neither the answer nor the question is in the history: only the page that the person came
	// from.
	for c.Address() != "about:blank" {
		c.Do("POST", c.Session+"/back", struct{}{}, nil)
		if got := c.Address(); strings.Contains(got, "#") {
			t.Errorf("back leads to %s", got)
		}
		passed++
	}
	for range passed {
		c.Do("POST", c.Session+"/forward", struct{}{}, nil)
	}
	c.Expect(rig.ToPaste)
	lastButNotLeast(c, answer)
	for _, r := range rig.Entra.Requests() {
		if r.Endpoint == "token" && r.Grant == "authorization_code" &&
			r.Origin != strings.TrimSuffix(page, "/") {
			t.Errorf("redeemed by %q", r.Origin)
		}
	}
	if n := redeemed(); n != 1 {
		t.Errorf("redeemed %d times", n)
	}
}

// The page tells Entra ID who is to sign in, except for a guest: nobody can sign in with the name
// that the tenant has given them.
func TestSignInPageHints(t *testing.T) {
	c := rig.NewChromium(t)
	page := rig.WebHost(t, rig.ContosoPage(t))
	for account, want := range map[string]string{
		"user@contoso.example":                      "user@contoso.example",
		"bob_fabrikam.example#ext#@contoso.example": "",
		"Bob_fabrikam.example#EXT#@contoso.example": "",
	} {
		c.GoOn(atPrompt(page, func(a *pasted.Attempt) { a.Account = account }))
		asked, err := url.Parse(c.Address())
		if got := asked.Query(); err != nil || got.Get("state") == "" ||
			got.Get("login_hint") != want || got.Has("login_hint") != (want != "") {
			t.Errorf("%s: asked %s", account, asked)
		}
	}
}

// lastButNotLeast tests what no click leads to: a browser without the modern way to copy, and the
// end of the ten minutes.
func lastButNotLeast(c *rig.Chromium, answer string) {
	c.T.Helper()
	if c.Firefox { // where a test cannot take the page's place
		return
	}
	c.Click("#title") // the way back and forward has taken the focus from the window
	c.JS(`return navigator.clipboard.writeText("something else")`, nil)
	c.JS(`navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"))`, nil)
	c.Click("#copy1")
	c.Expect("Copied the answer.")
	if got := c.Clipboard(); got != answer {
		c.T.Errorf("copied in the old way: %q", got)
	}
	c.JS(`document.execCommand = () => false`, nil)
	c.Click("#copy1")
	c.Expect("This browser does not let the page copy.")
	c.JS(`expire()`, nil)
	c.Expect("Ten minutes have passed, and the terminal waits no longer.")
	if got := c.Parts(); len(got) > 0 {
		c.T.Errorf("still there: %q", got)
	}
}

// redeemed counts the redeemed codes.
func redeemed() (n int) {
	for _, r := range rig.Entra.Requests() {
		if r.Grant == "authorization_code" && r.Status == http.StatusOK {
			n++
		}
	}
	return n
}

// The machine redeems the code, which comes in parts, with the worker's verifier.
func TestSignInPageCode(t *testing.T) { signInWithCode(t, rig.NewChromium(t)) }

func signInWithCode(t *testing.T, c *rig.Chromium) {
	c.MayPaste()
	page := rig.WebHost(t, rig.ContosoPage(t)) + "index.html"
	for _, lines := range []bool{false, true} {
		a := atPrompt(page,
			func(a *pasted.Attempt) {
				a.Kind, a.Size, a.Lines, a.Service = pasted.Code, 480, lines, "sudo"
			})
		c.GoOn(a)
		c.SignIn()
		c.Expect(rig.ToPaste)
		first := `button "Copy everything"`
		if !lines {
			first = `button "Copy part 1 of 4"`
		}
		c.Heard(first)
		c.Click("#all")
		c.Expect("Copied everything. Paste it into your terminal, and press ENTER.")
		together := c.Clipboard()
		parts := c.Parts()
		separator := map[bool]string{true: "\n", false: ""}[lines]
		if len(parts) != 4 || together != strings.Join(parts, separator) ||
			slices.ContainsFunc(parts, func(p string) bool { return len(p) > 480 }) {
			t.Fatalf("%d parts of %d characters, together %d", len(parts),
				len(parts[0]), len(together))
		}
		for i := range parts { // one by one, as they stand
			c.Click("#copy" + strconv.Itoa(i+1))
			c.Expect(fmt.Sprintf("Copied part %d of 4.", i+1))
			if got := c.Clipboard(); got != parts[i] {
				t.Errorf("part %d: %q", i+1, got)
			}
		}
		p := a.Parts()
		p.Add([]byte(together))
		code, err := p.Code()
		if err != nil || !slices.Contains(rig.Entra.Secrets(), code) {
			t.Fatalf("no code of Entra ID's: %v", err)
		}
		claims := redeem(t, page, code, a.Verifier())
		if claims["nonce"] != a.Nonce() || claims["preferred_username"] != a.Account {
			t.Errorf("claims %v", claims)
		}
	}
}

// redeem redeems a code as a worker does.
func redeem(t testing.TB, page, code, verifier string) (claims map[string]any) {
	t.Helper()
	d := emulator.Contoso()
	form := fmt.Sprintf("grant_type=authorization_code&client_id=%s&code=%s&code_verifier=%s&redirect_uri=%s", d.ClientID, code, verifier, page)
	resp, err := rig.NewBrowser(t.(*testing.T), rig.Entra.CA()).Client.Post(rig.Entra.EntraURL()+
		"/"+d.TenantID+"/oauth2/v2.0/token", "application/x-www-form-urlencoded",
		strings.NewReader(form))
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

// tokenClaims reads a token without verifying its signature.
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
