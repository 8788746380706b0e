// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package pasted has what a sign-in with the person's own browser sends over a terminal: an address
// to open, and the answer that the page there shows, which the person pastes at the prompt.
//
//	worker ──address (challenge, account, machine, origin, …)──▶ page
//	page ──nonce = SHA-256 of all that it showed──▶ Entra ID
//	worker ◀──parts of the ID token, or of the code── person ◀── page
//
// An address, [Attempt.Address], is good for one attempt. The page shows its values to the person,
// and requests a token with their digest as the nonce. The worker demands the same nonce in the
// signed ID token. So a page that showed the name of another machine yields nothing here.
//
// An answer comes in parts (parts.go), because programs accept lines of different lengths. It is
// the ID token in a short form (compact.go), or the authorization code (RFC 6749, Section 4.1.2),
// which is useless without the attempt's PKCE verifier (RFC 7636). What is pasted is a stranger's:
// all of it is bounded, and nothing here verifies anybody. Package token does.
//
// The page's script has the same rules. testdata/pasted holds the two together.
package pasted

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// A Kind says what an answer is.
type Kind byte

const (
	Token Kind = 'T' // the ID token: the page redeems the code
	Code  Kind = 'C' // the authorization code: the worker redeems it
)

// An Attempt is one sign-in that a browser is to answer. Formatting it prints nothing.
type Attempt struct {
	Page    string // address of the page
	Account string // user principal name of the person
	Machine string
	Origin  string // where the person is: an address, or "local"
	Service string // PAM service

	Kind  Kind
	Size  int  // characters that one answer may have
	Lines bool // the page separates parts by line breaks when it copies all of them

	verifier  string
	challenge string
}

// New gives an attempt its secret.
func New(a Attempt) *Attempt {
	var secret [32]byte
	rand.Read(secret[:]) // never fails
	a.verifier = base64.RawURLEncoding.EncodeToString(secret[:])
	a.challenge = digest(a.verifier)
	return &a
}

// Format keeps the verifier out of logs, whatever the verb.
func (Attempt) Format(f fmt.State, _ rune) { io.WriteString(f, "pasted.Attempt") }

// Verifier returns the attempt's PKCE code verifier.
func (a *Attempt) Verifier() string { return a.verifier }

// Nonce returns the nonce that the ID token must have: the digest of all that the page shows.
func (a *Attempt) Nonce() string { return digest(a.shown()) }

// Address returns the address that the person opens. Its last character is a letter or a digit, so
// that no terminal leaves it out as punctuation.
func (a *Attempt) Address() string {
	var b strings.Builder
	b.WriteString(a.Page)
	for i, v := range a.values() {
		b.WriteByte("#&"[min(i, 1)])
		b.WriteString(v.key + "=" + escape(v.text))
	}
	sum := sha256.Sum256([]byte(a.shown()))
	return b.String() + "&z=" + hex.EncodeToString(sum[:4])
}

type value struct{ key, text string }

// values returns what the page is told, in order. The page computes the rest.
func (a *Attempt) values() []value {
	parts := fmt.Sprintf("%c%d", a.Kind, a.Size)
	if a.Lines {
		parts += "n"
	}
	return []value{
		{"c", a.challenge},
		{"u", plain(a.Account, 120)}, {"m", plain(a.Machine, 64)}, {"o", plain(a.Origin, 64)},
		{"s", plain(a.Service, 32)},
		{"p", parts},
	}
}

func (a *Attempt) shown() string {
	var all []string
	for _, v := range a.values() {
		all = append(all, v.text)
	}
	return strings.Join(all, "\n")
}

// plain replaces the characters that a terminal or PuTTY's folding may put into an address. The
// page removes them wherever they are.
func plain(s string, most int) string {
	safe := func(r rune) rune {
		if r <= ' ' || r > '~' || strings.ContainsRune("+>|", r) {
			return '_'
		}
		return r
	}
	s = strings.Map(safe, s)
	return s[:min(len(s), most)]
}

// escape leaves @ and : as they are: people can read them, and a fragment may hold them (RFC 3986,
// Section 3.5).
func escape(s string) string {
	fragment := strings.NewReplacer("%40", "@", "%3A", ":")
	return fragment.Replace(url.QueryEscape(s)) // there is no blank in it
}

// digest is the transformation S256 of RFC 7636, Section 4.2.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
