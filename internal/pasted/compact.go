// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package pasted

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// ErrUnusable is returned if whole parts do not make an answer: they belong to two answers, or are
// not from our page.
var ErrUnusable = errors.New("pasted: the parts do not make an answer")

func unusable(why string) error { return fmt.Errorf("%w: %s", ErrUnusable, why) }

// Known is what both ends know of an ID token before it exists.
type Known struct {
	Tenant, Client, Issuer string
}

// dictionary returns what the page leaves out of a token. Entry i is replaced by the control
// character i+1, which no JSON text holds. The page has the same list, in the same order.
func (k Known) dictionary(a *Attempt) []string {
	return []string{
		`{"typ":"JWT","alg":"RS256","kid":"`,
		`{"aud":"` + k.Client + `","iss":"` + k.Issuer + `","iat":`,
		`,"nbf":`,
		`,"exp":`,
		`,"nonce":"` + a.Nonce() + `"`,
		`,"preferred_username":"` + plain(a.Account, 120) + `"`,
		`,"preferred_username":"`,
		`,"name":"`,
		`,"oid":"`,
		`,"rh":"1.A`,
		`,"sid":"`,
		`,"sub":"`,
		`,"tid":"` + k.Tenant + `"`,
		`,"uti":"`,
		`,"ver":"2.0"`,
		`,"roles":["`,
		`,"groups":["`,
		`,"xms_ftd":"`,
	}
}

const (
	maxText  = 64 << 10  // inflated
	maxToken = 128 << 10 // with the dictionary's entries; package token takes less
	between  = 0x1f      // the character between header and claims
)

// Token puts the ID token together once all parts have come. The token is not verified yet.
//
// The data of kind T is base64url of three things: the signature's length in two bytes, the
// signature, and header and claims, shortened by the dictionary and deflated (RFC 1951). The data
// of kind t is the token itself. Parts of two answers can inflate, too: what is no JSON then is no
// token, and the person is asked again.
func (p *Parts) Token(k Known) (string, error) {
	data, err := p.all('T', 't')
	if err != nil || p.kind == 't' {
		return data, err
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(data)
	if err != nil || len(raw) < 2 {
		return "", unusable("not base64url")
	}
	length := int(raw[0])<<8 | int(raw[1])
	if raw = raw[2:]; length > len(raw) {
		return "", unusable("a signature is missing")
	}
	text, err := inflate(raw[length:])
	if err != nil {
		return "", err
	}
	text, err = expand(text, k.dictionary(p.attempt))
	if err != nil {
		return "", err
	}
	// expand has made sure that it is there
	header, claims, _ := strings.Cut(text, string(rune(between)))
	if !json.Valid([]byte(header)) || !json.Valid([]byte(claims)) {
		return "", unusable("not JSON")
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(claims)) + "." + encode(raw[:length]), nil
}

// Code returns the authorization code once all parts have come. The data of kind c is base64url of
// a code with characters that parts cannot hold.
func (p *Parts) Code() (string, error) {
	data, err := p.all('C', 'c')
	if err != nil || p.kind == 'C' {
		return data, err
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(data)
	unprintable := func(r rune) bool { return r < ' ' || r > '~' } // RFC 6749, Appendix A.11
	if err != nil || bytes.ContainsFunc(raw, unprintable) {
		return "", unusable("no authorization code")
	}
	return string(raw), nil
}

func (p *Parts) all(kinds ...byte) (string, error) {
	if !p.Complete() || bytes.IndexByte(kinds, p.kind) < 0 {
		return "", unusable("not all parts, or of another kind")
	}
	return strings.Join(p.data, ""), nil
}

// inflate bounds what a stranger's bytes may grow to.
func inflate(data []byte) (string, error) {
	packed := bytes.NewReader(data)
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(packed), maxText+1))
	switch {
	case err != nil:
		// without the library's error, which might quote the data some day
		return "", unusable("not deflated")
	case len(text) > maxText:
		return "", unusable("too long")
	case packed.Len() != 0:
		return "", unusable("something behind its end")
	case !utf8.Valid(text):
		return "", unusable("not UTF-8")
	}
	return string(text), nil
}

// expand puts the dictionary's entries back. Each is used once at most, as the page does.
func expand(text string, entries []string) (string, error) {
	var b strings.Builder
	var used [between + 1]bool
	for _, r := range text {
		switch {
		case r > between:
			b.WriteRune(r)
			continue
		case used[r], r == 0, int(r) > len(entries) && r != between:
			return "", unusable("a character that no token has")
		case r == between:
			b.WriteRune(r)
		default:
			b.WriteString(entries[r-1])
		}
		used[r] = true
	}
	if !used[between] || b.Len() > maxToken {
		return "", unusable("no header, or too long")
	}
	return b.String(), nil
}
