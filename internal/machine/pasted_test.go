// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
)

// The addresses that the page has for the two kinds of answers, as they are registered.
const (
	tokenPage = "http://127.0.0.1/sign-in/"
	codePage  = "http://127.0.0.1/code/"
)

// byBrowser lets people sign in with a browser of their own, whose answer is a token or a code.
func byBrowser(t *testing.T, answer string) {
	t.Helper()
	page := map[string]string{"token": tokenPage, "code": codePage}[answer]
	directory(t, func(d *emulator.Directory) { d.Registration.PublicClient = []string{codePage} })
	configured(t, "sign_in", fmt.Sprintf("flow = %q\npage = %q\nanswer = %q", "browser", page, answer))
}

var shownAddress = regexp.MustCompile(`(?m)^http://127\.0\.0\.1/\S*#c=(\S+&z=[0-9a-f]{8})$`)

// address waits for the address in a prompt, which stands alone in its line.
func (c *terminal) address() string {
	c.t.Helper()
	return c.expect(shownAddress.String() + `\n`)[0]
}

// A webAnswer is what the page shows to somebody who has signed in: the same rules as the page's, written once more. Its own tests
// hold the page itself to them.
type webAnswer struct {
	t       *testing.T
	v       map[string]string // of the address
	kind    byte
	data    string
	size    int
	between string // parts, where all are copied
}

// answerFor is a person who opens the address, and signs in with the account.
func answerFor(t *testing.T, address, account string) *webAnswer {
	t.Helper()
	page, fragment, _ := strings.Cut(strings.TrimSpace(address), "#")
	a := &webAnswer{t: t, v: map[string]string{}}
	var shown []string
	for _, pair := range strings.Split(fragment, "&") {
		key, escaped, _ := strings.Cut(pair, "=")
		text, err := url.PathUnescape(escaped)
		if err != nil {
			t.Fatal(err)
		}
		if a.v[key] = text; key != "z" {
			shown = append(shown, text)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(shown, "\n")))
	if fmt.Sprintf("%x", sum[:4]) != a.v["z"] {
		t.Fatalf("the sum of %s is wrong", address)
	}
	a.v["nonce"] = base64.RawURLEncoding.EncodeToString(sum[:])
	size := strings.TrimSuffix(a.v["p"][1:], "n")
	if a.between = ""; size != a.v["p"][1:] {
		a.between = "\n"
	}
	a.size, _ = strconv.Atoi(size)
	if a.v["p"][0] == 'C' {
		a.kind, a.data = 'C', a.authorize(page, account, a.v["c"])
		return a
	}
	const verifier = "a-verifier-of-the-page-s-own-which-nobody-else-has"
	code := a.authorize(page, account, hash(verifier))
	a.compact(a.redeem(page, code, verifier))
	return a
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

const pageScope = "openid profile"

// authorize is Entra ID's page. It returns the code.
func (a *webAnswer) authorize(page, account, challenge string) string {
	a.t.Helper()
	d := emulator.Contoso()
	next, err := entra.Authorize(entra.EntraURL()+"/"+d.TenantID+"/oauth2/v2.0/authorize?"+url.Values{
		"client_id": {d.ClientID}, "response_type": {"code"}, "response_mode": {"fragment"}, "redirect_uri": {page}, "scope": {pageScope},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"}, "state": {a.v["c"]}, "nonce": {a.v["nonce"]}, "login_hint": {a.v["u"]},
	}.Encode(), account, false)
	if err != nil {
		a.t.Fatal(err)
	}
	_, fragment, _ := strings.Cut(next, "#")
	answer, err := url.ParseQuery(fragment)
	if err != nil || answer.Get("code") == "" || answer.Get("state") != a.v["c"] {
		a.t.Fatalf("Entra ID answers %s (%v)", next, err)
	}
	return answer.Get("code")
}

// redeem is what the script does. It returns the ID token.
func (a *webAnswer) redeem(page, code, verifier string) string {
	a.t.Helper()
	d := emulator.Contoso()
	r, err := http.NewRequest("POST", entra.EntraURL()+"/"+d.TenantID+"/oauth2/v2.0/token", strings.NewReader(url.Values{
		"grant_type": {"authorization_code"}, "client_id": {d.ClientID}, "code": {code}, "code_verifier": {verifier}, "redirect_uri": {page}, "scope": {pageScope},
	}.Encode()))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://127.0.0.1")
	resp, err := newBrowser(a.t, entra.CA()).client.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		IDToken string `json:"id_token"`
		Error   string `json:"error_description"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.IDToken == "" {
		a.t.Fatalf("no token: %s (%v)", answer.Error, err)
	}
	return answer.IDToken
}

// compact makes the token as short as the page does.
func (a *webAnswer) compact(token string) {
	a.t.Helper()
	var segments [3]string
	for i, s := range strings.SplitN(token, ".", 3) {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			a.t.Fatal(err)
		}
		segments[i] = string(b)
	}
	d := emulator.Contoso()
	text := segments[0] + "\x1f" + segments[1]
	for i, known := range []string{
		`{"typ":"JWT","alg":"RS256","kid":"`, `{"aud":"` + d.ClientID + `","iss":"` + entra.EntraURL() + "/" + d.TenantID + `/v2.0","iat":`,
		`,"nbf":`, `,"exp":`, `,"nonce":"` + a.v["nonce"] + `"`, `,"preferred_username":"` + a.v["u"] + `"`, `,"preferred_username":"`, `,"name":"`, `,"oid":"`,
		`,"rh":"1.A`, `,"sid":"`, `,"sub":"`, `,"tid":"` + d.TenantID + `"`, `,"uti":"`, `,"ver":"2.0"`, `,"roles":["`, `,"groups":["`, `,"xms_ftd":"`,
	} {
		text = strings.Replace(text, known, string(rune(i+1)), 1)
	}
	signature := segments[2]
	raw := bytes.NewBuffer([]byte{byte(len(signature) >> 8), byte(len(signature))})
	raw.WriteString(signature)
	w, err := flate.NewWriter(raw, 6)
	if err != nil {
		a.t.Fatal(err)
	}
	w.Write([]byte(text))
	w.Close()
	a.kind, a.data = 'T', base64.RawURLEncoding.EncodeToString(raw.Bytes())
}

// parts are what the page has to copy.
func (a *webAnswer) parts() (all []string) {
	const frame = len("1/1.Tabcd.abcdef.;")
	n := (len(a.data) + a.size - frame - 1) / (a.size - frame)
	for i := range n {
		head := fmt.Sprintf("%d/%d.%c%s.", i+1, n, a.kind, a.v["c"][:4])
		data := a.data[i*len(a.data)/n : (i+1)*len(a.data)/n]
		all = append(all, head+hash(head + data)[:6]+"."+data+";")
	}
	return all
}

// everything is what the button of that name copies.
func (a *webAnswer) everything() string { return strings.Join(a.parts(), a.between) }

// asked waits for the next question, and returns what stands above it.
func (c *terminal) asked(part string) string {
	c.t.Helper()
	return c.expect(`(?s)(.*?)` + part + `: `)[1]
}

// One paste for ssh, hidden; then one for sudo, echoed, whose lines answer all of its questions, after one that is too long for it.
func TestPasteToken(t *testing.T) {
	const admin = "admin@contoso.example"
	byBrowser(t, "token")
	mark := syslog.mark()
	c := ssh(t, admin, "sudo -k; sudo id -u")
	first := answerFor(t, c.address(), admin)
	c.asked("Part 1")
	if all := first.parts(); len(all) != 1 || len(all[0]) > 1000 {
		t.Fatalf("%d parts for ssh, the first of %d characters", len(all), len(all[0]))
	}
	c.typeLine(first.everything())

	second := answerFor(t, c.address(), admin)
	c.asked("Part 1")
	c.typeLine(strings.Join(second.parts(), ""))
	if said := c.asked("Part 1"); !strings.Contains(said, "That was too long for this program. Paste one part, and press ENTER.") {
		t.Errorf("too long for sudo: %q", said)
	}
	c.typeLine(second.everything())
	c.expect(`\n0\n`)
	if status, _ := c.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if strings.Contains(c.all(), first.data[:20]) || !strings.Contains(c.all(), second.data[:20]) {
		t.Error("ssh has shown what was pasted, or sudo has not")
	}
	syslog.exactly(t, mark, 2, `signed-in account="`+admin+`"`)
	for _, line := range syslog.find(mark, "") {
		for _, secret := range append(entra.Secrets(), first.data, second.data) {
			if strings.Contains(line, secret) {
				t.Errorf("logged: %s", line)
			}
		}
	}
}

// A code in two parts for ssh, however they come; and in one for su.
func TestPasteCode(t *testing.T) {
	const user = "user@contoso.example"
	stored(t, user)
	localUser(t)
	byBrowser(t, "code")
	c := ssh(t, user, "id -un")
	a := answerFor(t, c.address(), user)
	c.asked("Part 1")
	c.typeLine("")
	c.asked("Part 1")
	c.typeLine(a.everything()) // of which ssh reads 1,023 bytes
	if said := c.asked("Part 2 of 2"); !strings.Contains(said, "The end is missing (1023 characters came).") {
		t.Errorf("both at once: %q", said)
	}
	second := a.parts()[1]
	c.typeLine("\x1b[200~" + second[:80] + " " + second[80:] + "\x1b[201~")
	c.expect(`\n` + user + `\n`)

	c = open(t, "runuser", "-u", "local", "--", "su", "-", user, "-c", "id -un")
	a = answerFor(t, c.address(), user)
	c.asked("Part 1")
	if all := a.parts(); len(all) != 1 {
		t.Fatalf("%d parts for su", len(all))
	}
	c.typeLine(a.everything())
	c.expect(`\n` + user + `\n`)
}

// A refusal is read also where the client shows nothing but prompts, and is in the log before anybody presses ENTER there.
func TestPasteRefused(t *testing.T) {
	const admin, user = "admin@contoso.example", "user@contoso.example"
	byBrowser(t, "token")
	mark := syslog.mark()
	c := open(t, "ssh", sshArgs("-q", "-tt", admin+"@127.0.0.1", "id -un")...)
	stranger := answerFor(t, c.address(), user)
	c.asked("Part 1")
	c.typeLine(stranger.everything())
	c.expect(`(?s)This sign-in is for ` + admin + `, but ` + user + ` signed in with the browser\..*Press ENTER\. `)
	syslog.exactly(t, mark, 1, `denied reason="wrong-account" account="`+admin+`"`)
	c.typeLine("")
	owner := answerFor(t, c.address(), admin) // of another attempt, to which the first answer does not belong
	c.asked("Part 1")
	c.typeLine(stranger.everything())
	if said := c.asked("Part 1"); !strings.Contains(said, "That part is of another attempt.") {
		t.Errorf("the answer before: %q", said)
	}
	c.typeLine(owner.everything())
	c.expect(`\n` + admin + `\n`)
}
