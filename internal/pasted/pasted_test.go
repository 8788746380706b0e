// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package pasted

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// An address survives what terminals do to it (see what the page strips). Its values are those of
// the digest, whatever a stranger has put into the name of a machine or a service.
func TestAddress(t *testing.T) {
	for _, test := range []Attempt{
		{Account: "alice@contoso.com", Machine: "web-07", Origin: "203.0.113.9", Service: "sshd"},
		{Account: "o'neil_#1@contoso.com", Machine: "web 07\n>|+", Origin: "2001:db8::1%eth0",
			Service: "a&u=mallory@contoso.com"},
		{Account: "älice@contoso.com", Machine: "\x1b[31m\u202e", Origin: "",
			Service: strings.Repeat("s", 999)},
		{Machine: "\xff\xfe#", Origin: "%20%3E", Service: "\"<>`'"},
	} {
		test.Page, test.Kind, test.Size = "https://signin.contoso.com/", Token, 1000
		a := attempt(test)
		address := a.Address()
		page, fragment, _ := strings.Cut(address, "#")
		if page != test.Page || strings.ContainsAny(fragment, "#+>| ") ||
			strings.Trim(fragment[len(fragment)-8:], "0123456789abcdef") != "" {
			t.Error(address)
		}
		for _, gone := range []string{"%20", "%3E", "%7C", "%0A", "%0D"} {
			if strings.Contains(strings.ToUpper(fragment), gone) {
				t.Errorf("%s would lose %s", address, gone)
			}
		}
		// url.ParseQuery reads + as a blank and refuses ;. A page does neither. The address has
		// none of the two.
		values, err := url.ParseQuery(fragment)
		if err != nil || len(values) != 7 {
			t.Fatal(values, err)
		}
		var all []string
		for _, key := range []string{"c", "u", "m", "o", "s", "p"} {
			all = append(all, values.Get(key))
		}
		got := digest(strings.Join(all, "\n"))
		if got != a.Nonce() || len(values.Get("m")) > 64 || len(values.Get("s")) > 32 {
			t.Errorf("%s: nonce %s", address, got)
		}
	}
	a := sshd()
	const want = "https://signin.contoso.com/#c=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&u=alice@contoso.com&m=web-07&o=203.0.113.9&s=sshd&p=T1000&z=bc4941c8"
	if got := a.Address(); got != want {
		t.Error(got) // the challenge is that of RFC 7636, Appendix B
	}
}

// The nonce binds each value that the page shows, and each attempt has its own nonce.
func TestNonce(t *testing.T) {
	seen := map[string]string{sshd().Nonce(): "all right"}
	for name, change := range map[string]func(*Attempt){
		"machine": func(a *Attempt) { a.Machine = "build-01" },
		"account": func(a *Attempt) { a.Account = "bob@contoso.com" },
		"origin":  func(a *Attempt) { a.Origin = "203.0.113.10" },
		"service": func(a *Attempt) { a.Service = "sudo" },
		"kind":    func(a *Attempt) { a.Kind = Code }, "size": func(a *Attempt) { a.Size = 999 },
		"lines":     func(a *Attempt) { a.Lines = true },
		"challenge": func(a *Attempt) { a.challenge = digest("x") },
	} {
		a := *sshd()
		change(&a)
		if had, twice := seen[a.Nonce()]; twice {
			t.Errorf("%s has the nonce of %s", name, had)
		}
		seen[a.Nonce()] = name
	}
	one, two := New(*sshd()), New(*sshd())
	if one.Nonce() == two.Nonce() || one.Verifier() == two.Verifier() ||
		len(one.Verifier()) != 43 || one.challenge != digest(one.Verifier()) {
		t.Error("attempts are not each their own")
	}
}

func TestFormatPrintsNothing(t *testing.T) {
	a := sshd()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{a, *a, a.Parts(), []any{a}} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, a.verifier[:8]) || strings.Contains(text, a.challenge[:8]) {
				t.Errorf("%s: %s", verb, text)
			}
		}
	}
}
