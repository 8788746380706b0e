// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/doctor"
	"aadlogin/internal/emulator"
)

// A pageUser talks to check --tenant where there is a sign-in page. This person has a browser, and
// types a name and then what the page shows, or the number of an error.
type pageUser struct {
	bytes.Buffer
	t     *testing.T
	entra *emulator.Server
	lines chan string
	says  []string // typed instead of the name and of each answer; "" for the right ones
}

var pageShown = regexp.MustCompile(`(?m)^(http\S+)#(c=\S+)$`)

func (u *pageUser) Write(p []byte) (int, error) {
	switch m := pageShown.FindSubmatch(p); {
	case bytes.Contains(p, []byte("Type the name of who signs in")):
		u.types("user@contoso.example")
	case m != nil:
		u.types(u.byPage(string(m[1]), string(m[2])))
	}
	return u.Buffer.Write(p)
}

func (u *pageUser) types(line string) {
	if len(u.says) > 0 {
		line, u.says = cmp.Or(u.says[0], line), u.says[1:]
	}
	for one := range strings.SplitSeq(line, "\n") {
		u.lines <- one
		u.lines <- "" // the line break in the clipboard
	}
}

// byPage does what the page does, for the simpler of its two answers.
func (u *pageUser) byPage(page, fragment string) string {
	values, err := url.ParseQuery(fragment)
	if err != nil {
		u.t.Error(err)
	}
	var shown []string
	for _, key := range []string{"c", "u", "m", "o", "s", "p"} {
		shown = append(shown, values.Get(key))
	}
	sum := sha256.Sum256([]byte(strings.Join(shown, "\n")))
	d := emulator.Contoso()
	const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	kind, challenge := values.Get("p")[:1], values.Get("c")
	q := url.Values{"client_id": {d.ClientID}, "response_type": {"code"},
		"response_mode": {"fragment"}, "redirect_uri": {page}, "state": {challenge},
		"scope": {"openid profile"}, "nonce": {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	if kind == "T" {
		own := sha256.Sum256([]byte(verifier))
		q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(own[:]))
	}
	next, err := u.entra.Authorize(u.entra.EntraURL()+"/"+d.TenantID+"/oauth2/v2.0/authorize?"+
		q.Encode(), values.Get("u"), false)
	if no := (*emulator.Refused)(nil); errors.As(err, &no) {
		return fmt.Sprintf("AADSTS%d", no.AADSTS)
	}
	_, answer, _ := strings.Cut(next, "#")
	back, _ := url.ParseQuery(answer)
	if kind == "C" {
		return framed("C", challenge, back.Get("code"))
	}
	token, number := u.redeem(page, back.Get("code"), verifier)
	if number != "" {
		return number
	}
	return framed("t", challenge, token)
}

func framed(kind, challenge, data string) string {
	head := "1/1." + kind + challenge[:4] + "."
	sum := sha256.Sum256([]byte(head + data))
	return head + base64.RawURLEncoding.EncodeToString(sum[:])[:6] + "." + data + ";"
}

func (u *pageUser) redeem(page, code, verifier string) (token, number string) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(u.entra.CA())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	d := emulator.Contoso()
	form := url.Values{"client_id": {d.ClientID}, "grant_type": {"authorization_code"},
		"code": {code}, "redirect_uri": {page}, "code_verifier": {verifier}}
	req, err := http.NewRequest(http.MethodPost, u.entra.EntraURL()+"/"+d.TenantID+
		"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		u.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "http://127.0.0.1:8000")
	answer, err := client.Do(req)
	if err != nil {
		u.t.Fatal(err)
	}
	defer answer.Body.Close()
	var got struct {
		IDToken    string `json:"id_token"`
		ErrorCodes []int  `json:"error_codes"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		u.t.Fatal(err)
	}
	if len(got.ErrorCodes) > 0 {
		return "", fmt.Sprint(got.ErrorCodes[0])
	}
	return got.IDToken, ""
}

// Only a sign-in with the page tells that it works, how long an answer is, which registration is
// wrong, and whether the tenant accepts both answers.
func TestCheckTenantByPage(t *testing.T) {
	const page = "http://127.0.0.1:8000/"
	base := []string{`sign_in.flow = "browser"`, `sign_in.page = "` + page + `"`}
	code := append(base, `sign_in.answer = "code"`)
	as := func(spa, public, web []string) func(*emulator.Directory) {
		return func(d *emulator.Directory) {
			d.Registration.SPA, d.Registration.PublicClient, d.Registration.Web = spa, public, web
		}
	}
	here, other := []string{page}, []string{page + "index.html"}
	for _, test := range []struct {
		name   string
		lines  []string
		tenant func(*emulator.Directory)
		says   []string
		exit   int
		want   string // the first words of each finding
	}{
		{"both answers", base, as(here, other, nil), nil, 0,
			`ok sign_in.answer = "token" at http://127.0.0.1:8000/: accepted; the answer has \d+ characters: with ssh 2 pastes
ok sign_in.answer = "code" at http://127.0.0.1:8000/index.html: accepted; the answer has 1\d\d\d characters: with ssh 2 pastes`},
		{"the code first", code, as(other, here, nil), nil, 0,
			`ok sign_in.answer = "code" at http://127.0.0.1:8000/: accepted
ok sign_in.answer = "token" at http://127.0.0.1:8000/index.html: accepted`},
		{"not registered", base, as(nil, nil, nil), nil, exitConfiguration,
			`failed sign_in.answer = "token" at http://127.0.0.1:8000/: refused, the browser said AADSTS50011
warning sign_in.answer = "code" at http://127.0.0.1:8000/index.html: refused, the browser said AADSTS50011`},
		{"as a public client's", base, as(nil, here, nil), []string{"", "", "skip"},
			exitConfiguration,
			`failed sign_in.answer = "token" at http://127.0.0.1:8000/: refused, the browser said AADSTS9002326
skipped`},
		{"as a page's", code, as(here, nil, nil), []string{"", "", "skip"}, exitConfiguration,
			`failed sign_in.answer = "code" at http://127.0.0.1:8000/: refused, this machine was told AADSTS9002327
skipped`},
		{"as a web server's", code, as(nil, nil, here), []string{"", "", "skip"}, exitConfiguration,
			`failed sign_in.answer = "code" at http://127.0.0.1:8000/: refused, this machine was told AADSTS7000218
skipped`},
		{"a managed device", base, func(d *emulator.Directory) {
			as(here, other, nil)(d)
			d.Policies = []emulator.Policy{{Name: "managed", Grant: "managed-device"}}
		}, []string{"", "", "skip"}, exitNo,
			`failed sign_in.answer = "token" at http://127.0.0.1:8000/: refused, the browser said AADSTS53000
skipped`},
		{"nobody", base, as(here, other, nil), []string{"skip"}, 0,
			`skipped sign_in.answer = "token" at http://127.0.0.1:8000/: not tried to the end`},
		{"another attempt's", base, as(here, other, nil),
			[]string{"", "1/1.TAAAA.abcdef.e30;\nskip"}, 0, `skipped
ok`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path, entra := tenantMachine(t, strings.Join(test.lines, "\n")+"\n", test.tenant)
			u := &pageUser{t: t, entra: entra, lines: make(chan string, 16), says: test.says}
			var findings []doctor.Finding
			(&options{config: path}).tryTenant(t.Context(), &walk{say: u, lines: u.lines},
				func(more []doctor.Finding) { findings = append(findings, more...) })
			var lines []string
			for _, r := range findings[2:] {
				lines = append(lines, string(r.Status)+" "+r.Found)
				if r.Check != "page" || r.Status == doctor.Failed && r.Fix == "" {
					t.Errorf("%+v", r)
				}
			}
			want := strings.Split(test.want, "\n")
			for i := range max(len(want), len(lines)) {
				if i >= len(want) || i >= len(lines) ||
					!regexp.MustCompile("^"+want[i]).MatchString(lines[i]) {
					t.Fatalf("got\n%s\nwant\n%s\nsaid %s", strings.Join(lines, "\n"), test.want, u)
				}
			}
			if got := complain(&bytes.Buffer{}, checkError(findings)); got != test.exit {
				t.Errorf("exit status %d, want %d", got, test.exit)
			}
			if strings.Contains(u.String(), "eyJ") {
				t.Errorf("said %s", u)
			}
		})
	}
}
