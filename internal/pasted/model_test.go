// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package pasted

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// This file has the page's rules, written a second time. The page's own tests run in a browser.

var known = Known{
	Tenant: "8f3c1a52-6d1e-4b7a-9c55-0d2f1be7a610",
	Client: "b1a7c3d4-2e5f-4a60-8b9c-7d0e1f2a3b4c",
	Issuer: "https://login.microsoftonline.com/8f3c1a52-6d1e-4b7a-9c55-0d2f1be7a610/v2.0",
}

// attempt returns an attempt whose challenge is known beforehand.
func attempt(a Attempt) *Attempt {
	a.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, Appendix B
	a.challenge = digest(a.verifier)
	return &a
}

func sshd() *Attempt {
	return attempt(Attempt{
		Page: "https://signin.contoso.com/", Account: "alice@contoso.com", Machine: "web-07",
		Origin: "203.0.113.9", Service: "sshd", Kind: Token, Size: 1000,
	})
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// jwt returns a token of these members, with 256 bytes that look like a signature.
func jwt(claims string) string {
	head := encode(`{"typ":"JWT","alg":"RS256","kid":"Xq3wZ0pL8vR2tYb6NcKd1sFgHjE"}`)
	var signature []byte
	for i := range 8 {
		sum := sha256.Sum256(fmt.Append([]byte(claims), i))
		signature = append(signature, sum[:]...)
	}
	return head + "." + encode(claims) + "." + encode(string(signature))
}

// entra returns claims like those of Entra ID's v2.0 tokens, in length and order, for a person with
// a role and that many groups.
func entra(a *Attempt, groups int) string {
	r := rand.New(rand.NewPCG(7, 11))
	random := func(n int) string {
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		return string(b)
	}
	guid := func() string {
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12),
			r.IntN(1<<12), r.Int64N(1<<48))
	}
	var b strings.Builder
	fmt.Fprintf(&b, `{"aud":"%s","iss":"%s","iat":1796000000,"nbf":1796000000,"exp":1796003900`,
		known.Client, known.Issuer)
	if groups > 0 {
		ids := make([]string, groups)
		for i := range ids {
			ids[i] = `"` + guid() + `"`
		}
		fmt.Fprintf(&b, `,"groups":[%s]`, strings.Join(ids, ","))
	}
	fmt.Fprintf(&b,
		`,"name":"Alice Example-Longname","nonce":"%s","oid":"%s","preferred_username":"%s","rh":"1.A%s.","roles":["Linux.Administrator"]`,
		a.Nonce(), guid(), a.Account, random(60))
	fmt.Fprintf(&b, `,"sid":"%s","sub":"%s","tid":"%s","uti":"%s","ver":"2.0","xms_ftd":"%s"}`,
		guid(), random(43), known.Tenant, random(22), random(64))
	return b.String()
}

// shorten returns the text for header and claims before it is deflated, or "" if the token must
// stay as it is.
func shorten(token string, a *Attempt) string {
	segments := strings.Split(token, ".")
	header, err1 := base64.RawURLEncoding.DecodeString(segments[0])
	claims, err2 := base64.RawURLEncoding.DecodeString(segments[1])
	text := string(header) + string(claims)
	if err1 != nil || err2 != nil || !utf8.ValidString(text) ||
		strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
		return ""
	}
	text = string(header) + "\x1f" + string(claims)
	for i, entry := range known.dictionary(a) {
		text = strings.Replace(text, entry, string(rune(i+1)), 1)
	}
	return text
}

// compact returns the data of a token and its kind. Browsers deflate at level 6.
func compact(tb testing.TB, token string, a *Attempt) (data string, kind byte) {
	tb.Helper()
	text := shorten(token, a)
	if text == "" {
		return token, 't'
	}
	signature, err := base64.RawURLEncoding.DecodeString(
		token[strings.LastIndexByte(token, '.')+1:])
	if err != nil {
		tb.Fatal(err)
	}
	var raw bytes.Buffer
	raw.Write([]byte{byte(len(signature) >> 8), byte(len(signature))})
	raw.Write(signature)
	w, err := flate.NewWriter(&raw, 6)
	if err != nil {
		tb.Fatal(err)
	}
	w.Write([]byte(text))
	w.Close()
	return base64.RawURLEncoding.EncodeToString(raw.Bytes()), 'T'
}

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// plainCode returns the data of a code and its kind.
func plainCode(code string) (data string, kind byte) {
	if strings.Trim(code, alphanumeric+"._~-") != "" {
		return encode(code), 'c'
	}
	return code, 'C'
}

// split makes parts of that many characters.
func split(a *Attempt, data string, kind byte, size int) (all []string) {
	room := size - len("1/1.Tabcd.abcdef.;")
	n := max(1, (len(data)+room-1)/room)
	if n > 9 {
		room -= 2
		n = (len(data) + room - 1) / room
	}
	for i := 1; i <= n; i++ {
		head := fmt.Sprintf("%d/%d.%c%s", i, n, kind, a.challenge[:4])
		piece := data[(i-1)*room : min(i*room, len(data))]
		all = append(all, head+"."+digest(head + "." + piece)[:6]+"."+piece+";")
	}
	return all
}
