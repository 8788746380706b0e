// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package pasted

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/pasted anew")

const vectors = "../../testdata/pasted/vectors.json"

// A vector is one attempt and its answer, as both the worker and the page's script must see them.
// The page may deflate differently from the parts here. Its own parts must yield the same token.
type vector struct {
	Name      string
	Page      string
	Challenge string
	Account   string // cleaned, as all that the page is told
	Machine   string
	Origin    string
	Service   string
	P         string
	Address   string
	Nonce     string
	Tenant    string
	Client    string
	Issuer    string
	Token     string   `json:",omitempty"` // that Entra ID issues, or
	Code      string   `json:",omitempty"`
	Text      string   `json:",omitempty"` // header and claims, shortened; none for a token that goes as it is
	Kind      string   // letter of the parts
	Parts     []string // one way to send it
}

func newVector(t *testing.T, name string, a *Attempt, token, code string) vector {
	t.Helper()
	v := vector{
		Name: name, Page: a.Page, Address: a.Address(), Nonce: a.Nonce(), Token: token,
		Code: code, Tenant: known.Tenant, Client: known.Client, Issuer: known.Issuer,
	}
	for i, into := range []*string{
		&v.Challenge, &v.Account, &v.Machine, &v.Origin, &v.Service, &v.P,
	} {
		*into = a.values()[i].text
	}
	data, kind := plainCode(code)
	if token != "" {
		data, kind = compact(t, token, a)
		v.Text = shorten(token, a)
	}
	v.Kind, v.Parts = string(kind), split(a, data, kind, a.Size)
	return v
}

func allVectors(t *testing.T) (all []vector) {
	with := func(change func(*Attempt)) *Attempt {
		a := *sshd()
		change(&a)
		return &a
	}
	sudo := with(func(a *Attempt) {
		a.Service, a.Size, a.Lines, a.Origin = "sudo", 480, true, "local"
	})
	odd := with(func(a *Attempt) {
		a.Page, a.Machine, a.Origin, a.Service = "https://contoso.z6.web.core.windows.net/linux/index.html", "web 07>\n", "2001:db8::1%eth0", "a+b|c%2e"
		a.Account = "o'neil_#1@sub-domain.contoso.com"
	})
	code := func(size int, lines bool) *Attempt {
		return with(func(a *Attempt) { a.Kind, a.Size, a.Lines = Code, size, lines })
	}
	long := "1.A" + strings.Repeat("Qm9-_x7", 228) + ".~"
	for _, v := range []struct {
		name        string
		a           *Attempt
		token, code string
	}{
		{"token, one paste for ssh", sshd(), jwt(entra(sshd(), 0)), ""},
		{"token, four groups", sshd(), jwt(entra(sshd(), 4)), ""},
		{"token, lines of sudo", sudo, jwt(entra(sudo, 6)), ""},
		{"token, many parts", sudo, jwt(entra(sudo, 90)), ""},
		{"token, odd values", odd, jwt(entra(odd, 1)), ""},
		{"token, other account and order", sshd(),
			jwt(`{"tid":"` + known.Tenant +
				`","preferred_username":"mallory@contoso.com","name":"Mällory 王 \"M\" \u0001","nonce":"x"}`), ""},
		{"token, entries twice", sshd(), jwt(`{"ver":"2.0","ver":"2.0","nonce":"` + sshd().Nonce() +
			`","nonce":"` + sshd().Nonce() + `","name":"a","name":"b"}`), ""},
		{"token, control character", sshd(), jwt("{\t\"ver\":\"2.0\"}"), ""},
		{"token, not UTF-8", sshd(), jwt("{\"name\":\"\xff\"}"), ""},
		{"code, two parts for ssh", code(1000, false), "", long},
		{"code, lines of sudo", code(480, true), "", long},
		{"code, one part for su", code(4000, false), "", long},
		{"code, short", code(1000, false), "", "x"},
		{"code, other characters", code(1000, false), "", "0.AX!/+= |\"\\code"},
	} {
		all = append(all, newVector(t, v.name, v.a, v.token, v.code))
	}
	return all
}

// These rules make the file, and its content comes out again.
func TestVectors(t *testing.T) {
	all := allVectors(t)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(all); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(vectors, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(vectors)
	if err != nil || !bytes.Equal(file, b.Bytes()) {
		t.Errorf("%s is not what this package makes (%v): see -update", vectors, err)
	}
	for _, v := range all {
		a := Attempt{
			Page: v.Page, Account: v.Account, Machine: v.Machine, Origin: v.Origin,
			Service: v.Service, challenge: v.Challenge, Kind: Kind(v.P[0]),
		}
		for _, c := range strings.TrimSuffix(v.P[1:], "n") {
			a.Size = a.Size*10 + int(c-'0')
		}
		a.Lines = strings.HasSuffix(v.P, "n")
		if a.Address() != v.Address || a.Nonce() != v.Nonce {
			t.Errorf("%s: cleaned values have another address: %s", v.Name, a.Address())
		}
		p := a.Parts()
		for _, part := range v.Parts {
			if len(part) > a.Size {
				t.Errorf("%s: a part of %d", v.Name, len(part))
			}
			p.Add([]byte(part))
		}
		got, err := p.Token(known)
		if v.Code != "" {
			got, err = p.Code()
		}
		if err != nil || got != v.Token+v.Code {
			t.Errorf("%s: %v, %q", v.Name, err, got)
		}
	}
}

// OpenSSH takes 1,023 bytes in one paste. That holds the token of a person in four groups.
func TestLength(t *testing.T) {
	for _, groups := range []int{0, 4, 6} {
		a := sshd()
		data, kind := compact(t, jwt(entra(a, groups)), a)
		length := len(split(a, data, kind, 4000)[0])
		t.Logf("%d groups: a token of %d characters is pasted as %d", groups,
			len(jwt(entra(a, groups))), length)
		if groups <= 4 && length > 1000 {
			t.Errorf("%d characters for %d groups", length, groups)
		}
	}
	t.Logf("an address of %d characters: %s", len(sshd().Address()), sshd().Address())
}
