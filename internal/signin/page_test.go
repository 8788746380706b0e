// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"aadlogin/internal/emulator"
)

// These types are the sign-in page and its browser, as far as a machine sees them. The page itself
// is tested in a real browser (internal/machine/browsers).

const (
	pageSPA    = "http://127.0.0.1:8000/"
	pagePublic = "http://127.0.0.1:8000/index.html"

	browserFlow  = "sign_in.flow = \"browser\"\n"
	byToken      = browserFlow + "sign_in.page = \"" + pageSPA + "\"\n"
	byPastedCode = browserFlow + "sign_in.page = \"" + pagePublic +
		"\"\nsign_in.answer = \"code\"\n"
)

var addressLine = regexp.MustCompile(`(?m)^http\S*#c=\S+$`)

// page is one address that was opened.
type page struct {
	m       *machine
	url     string
	values  url.Values
	scope   string
	size    int // of parts, if not what the address says
	managed bool
	short   bool // leave out of the token what both ends know
	stray   bool // with that, the application, too, as if it were the machine's
}

func (m *machine) open(address string) *page {
	at, fragment, _ := strings.Cut(address, "#")
	values, err := url.ParseQuery(fragment)
	if err != nil {
		m.t.Fatal(err)
	}
	return &page{m: m, url: at, values: values, scope: "openid profile"}
}

// webClient is an HTTP client that trusts the emulator.
func (m *machine) webClient() *http.Client {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(m.entra.CA())
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true,
	}}
}

func hash64(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (p *page) nonce() string {
	var all []string
	for _, key := range []string{"c", "u", "m", "o", "s", "p"} {
		all = append(all, p.values.Get(key))
	}
	return hash64(strings.Join(all, "\n"))
}

// answer signs an account in, and returns the parts that the page shows.
func (p *page) answer(as string) []string {
	p.m.t.Helper()
	verifier, challenge := "", p.values.Get("c")
	token := strings.HasPrefix(p.values.Get("p"), "T")
	if token {
		verifier = rand.Text() + rand.Text()
		challenge = hash64(verifier)
	}
	ask := url.Values{
		"client_id": {emulator.Contoso().ClientID}, "response_type": {"code"},
		"response_mode": {"fragment"}, "redirect_uri": {p.url},
		"scope": {p.scope}, "state": {p.values.Get("c")}, "nonce": {p.nonce()},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
		"login_hint": {p.values.Get("u")},
	}
	base := p.m.entra.EntraURL() + "/" + emulator.Contoso().TenantID + "/oauth2/v2.0/"
	next, err := p.m.entra.Authorize(base+"authorize?"+ask.Encode(), as, p.managed)
	if err != nil {
		p.m.t.Fatal(err)
	}
	_, fragment, _ := strings.Cut(next, "#")
	got, _ := url.ParseQuery(fragment)
	if got.Get("code") == "" || got.Get("state") != p.values.Get("c") {
		p.m.t.Fatalf("authorize: %v", got)
	}
	if !token {
		return p.parts("C", got.Get("code"))
	}
	raw := p.redeem(base+"token", got.Get("code"), verifier)
	if !p.short {
		return p.parts("t", raw)
	}
	return p.parts("T", p.compact(raw))
}

func (p *page) redeem(endpoint, code, verifier string) (idToken string) {
	p.m.t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {emulator.Contoso().ClientID},
		"code": {code}, "code_verifier": {verifier}, "redirect_uri": {p.url}, "scope": {p.scope},
	}
	req, _ := http.NewRequestWithContext(p.m.t.Context(), http.MethodPost, endpoint,
		strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", strings.TrimSuffix(p.url, "/"))
	resp, err := p.m.webClient().Do(req)
	if err != nil {
		p.m.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer["id_token"] == nil {
		p.m.t.Fatalf("redeem: %v %v", err, answer)
	}
	return answer["id_token"].(string)
}

// compact leaves the nonce out, because it is this page's and not the machine's.
func (p *page) compact(raw string) string {
	segments := strings.Split(raw, ".")
	decode := func(i int) string {
		b, _ := base64.RawURLEncoding.DecodeString(segments[i])
		return string(b)
	}
	text := strings.Replace(decode(0)+"\x1f"+decode(1), `,"nonce":"`+p.nonce()+`"`, "\x05", 1)
	if !strings.Contains(text, "\x05") {
		p.m.t.Fatalf("no nonce in %s", text)
	}
	if p.stray {
		issued := regexp.MustCompile(`\{"aud":"[^"]+","iss":"[^"]+","iat":`)
		if text = issued.ReplaceAllString(text, "\x02"); !strings.Contains(text, "\x02") {
			p.m.t.Fatalf("no audience in %s", text)
		}
	}
	signature := decode(2)
	b := bytes.NewBufferString(
		string([]byte{byte(len(signature) >> 8), byte(len(signature))}) + signature)
	w, _ := flate.NewWriter(b, 6)
	w.Write([]byte(text))
	w.Close()
	return base64.RawURLEncoding.EncodeToString(b.Bytes())
}

func (p *page) parts(kind, data string) (all []string) {
	size, err := strconv.Atoi(strings.Trim(p.values.Get("p"), "TCn"))
	if err != nil {
		p.m.t.Fatal(err)
	}
	if p.size != 0 {
		size = p.size
	}
	room := size - 20
	n := (len(data) + room - 1) / room
	for i := range n {
		head := fmt.Sprintf("%d/%d.%s%s", i+1, n, kind, p.values.Get("c")[:4])
		piece := data[i*room : min(len(data), (i+1)*room)]
		all = append(all, head+"."+hash64(head + "." + piece)[:6]+"."+piece+";")
	}
	return all
}

// A typist is a person at the prompt. They open the address that the first question shows, and then
// answer with the next part.
type typist struct {
	m      *machine
	as     string
	edit   func(*page)                   // of what the page is told
	lines  func(parts []string) []string // what is typed, question by question; nil: the parts
	errors map[int]error                 // of the conversation, by question
	echo   []bool

	address string
	shown   []string // by the page
	typed   []string // what comes next
	asked   int
}

func (y *typist) answer(question string, echo bool) (string, error) {
	y.echo = append(y.echo, echo)
	if y.asked++; y.asked == 1 {
		y.look(question)
	}
	if err := y.errors[y.asked]; err != nil {
		return "", err
	}
	if len(y.typed) == 0 {
		return "", nil
	}
	next := y.typed[0]
	y.typed = y.typed[1:]
	return next, nil
}

// look reads the address in text, if there is one, and signs in.
func (y *typist) look(text string) {
	address := addressLine.FindString(text)
	if address == "" {
		return
	}
	y.address = address
	p := y.m.open(y.address)
	if y.edit != nil {
		y.edit(p)
	}
	y.shown = p.answer(y.as)
	y.typed = y.shown
	if y.lines != nil {
		y.typed = y.lines(y.typed)
	}
}

// sshd returns a request of sshd, which knows the name.
func (m *machine) sshd(name string) Request {
	req := m.request(name)
	req.Program, req.KnownToHost, req.UID = "sshd", true, m.firstID(name)
	return req
}

// paste runs an attempt in the browser flow.
func (m *machine) paste(req Request, y *typist) (Verdict, *said) {
	m.t.Helper()
	y.m = m
	conv := &said{typed: y.answer}
	conv.reads = y.look
	verdict := m.signin.Authenticate(m.t.Context(), req, conv)
	conv.check(m.t, verdict)
	if mark := filepath.Join(m.signin.RuntimeDir, "pending", req.Attempt); verdict == Success {
		// as pam/window.c does, if there is one
		os.Rename(mark, filepath.Join(m.signin.RuntimeDir, "opened", req.Attempt))
	}
	for _, part := range y.shown {
		for _, text := range slices.Concat(conv.logged, conv.told, conv.prompts, conv.last) {
			if len(part) > 40 && strings.Contains(text, part[20:40]) {
				m.t.Errorf("what was pasted is in %s", text)
			}
		}
	}
	if strings.Contains(strings.Join(conv.logged, "\n"), m.open(y.address).values.Get("c")) {
		m.t.Errorf("the log holds the challenge: %q", conv.logged)
	}
	return verdict, conv
}
