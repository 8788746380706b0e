// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package pasted

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// deflated returns data as kind T sends it, of a text that need not be a token.
func deflated(t testing.TB, signature int, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	b.Write([]byte{byte(signature >> 8), byte(signature)})
	b.Write(make([]byte, signature))
	w, err := flate.NewWriter(&b, 9)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(text))
	w.Close()
	return b.Bytes()
}

// collect returns the collection that holds data of any length.
func collect(a *Attempt, data string, kind byte) *Parts {
	return &Parts{attempt: a, kind: kind, data: []string{data}}
}

// A stranger's data is refused before it is inflated to more than a token.
func TestUnusable(t *testing.T) {
	a := sshd()
	encode := base64.RawURLEncoding.EncodeToString
	whole := deflated(t, 256, "\x01k\"}\x1f{}")
	longest := "{}\x1f\"" + strings.Repeat("a", maxText-5) + "\""
	for name, data := range map[string]string{
		"nothing":                    "",
		"one byte":                   "AA",
		"not base64url":              "AAAA.",
		"another spelling":           encode([]byte{0, 0})[:2] + "B",
		"signature missing":          encode([]byte{1, 0, 1, 2, 3}),
		"signature longer than all":  encode([]byte{0xff, 0xff}),
		"not deflated":               encode(append([]byte{0, 1, 9}, "not deflated"...)),
		"cut":                        encode(whole[:len(whole)-3]),
		"something behind":           encode(append(whole, 0)),
		"grows":                      encode(deflated(t, 256, strings.Repeat("a", 1<<20))),
		"a byte too long":            encode(deflated(t, 256, longest+"\"")),
		"a header of two answers":    encode(deflated(t, 256, "{\"a\x1f{}")),
		"claims of two answers":      encode(deflated(t, 256, "{}\x1f{\"a\":\"b\"\"c\"}")),
		"not UTF-8":                  encode(deflated(t, 256, "{}\x1f\xff")),
		"no header":                  encode(deflated(t, 256, "{}")),
		"two headers":                encode(deflated(t, 256, "{}\x1f{}\x1f{}")),
		"an entry twice":             encode(deflated(t, 256, "\x01k\"}\x1f\x01")),
		"an entry that is not there": encode(deflated(t, 256, "\x13\x1f{}")),
		"zero":                       encode(deflated(t, 256, "\x00\x1f{}")),
		"escape":                     encode(deflated(t, 256, "\x1b\x1f{}")),
	} {
		token, err := collect(a, data, 'T').Token(known)
		if token != "" || !errors.Is(err, ErrUnusable) || strings.Contains(err.Error(), "flate:") {
			t.Errorf("%s: %q, %v", name, token, err)
		}
	}
	if _, err := collect(a, encode(whole), 'T').Token(known); err != nil {
		t.Error(err)
	}
	if _, err := collect(a, encode(deflated(t, 256, longest)), 'T').Token(known); err != nil {
		t.Error(err)
	}
	for _, kind := range "TtC" {
		if code, err := collect(a, encode([]byte("a\nb")), 'c').Code(); err == nil {
			t.Errorf("a code with a line break: %q", code)
		}
		if code, err := collect(a, "x", byte(kind)).Code(); (err == nil) != (kind == 'C') {
			t.Errorf("%c: a code %q", kind, code)
		}
		if token, err := collect(a, "x", byte(kind)).Token(known); (err == nil) != (kind == 't') {
			t.Errorf("%c: a token %q", kind, token)
		}
	}
}

// Data that would inflate to 16 MiB is refused long before.
func TestInflateStops(t *testing.T) {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	for range 16 {
		w.Write(make([]byte, 1<<20))
	}
	w.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = inflate(packed.Bytes())
	if runtime.ReadMemStats(&after); err == nil || after.TotalAlloc-before.TotalAlloc > 2<<20 {
		t.Errorf("%d bytes were allocated for %d (%v)", after.TotalAlloc-before.TotalAlloc,
			packed.Len(), err)
	}
}

// A stranger's bytes are bounded, cause no panic, and have one error. A token that results from
// them has one spelling.
func FuzzToken(f *testing.F) {
	a := sshd()
	for _, text := range []string{
		"\x01k\"}\x1f{}", shorten(jwt(entra(a, 2)), a), "{}\x1f\xff", strings.Repeat("a", 1<<20),
	} {
		f.Add(deflated(f, 256, text))
		f.Add(deflated(f, 0, text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		token, err := collect(a, base64.RawURLEncoding.EncodeToString(data), 'T').Token(known)
		if err != nil {
			if !errors.Is(err, ErrUnusable) || token != "" {
				t.Fatalf("%q, %v", token, err)
			}
			return
		}
		foreign := strings.Trim(token, alphanumeric+"-_.")
		if len(token) > 2*(maxToken+len(data)) || strings.Count(token, ".") != 2 || foreign != "" {
			t.Fatalf("a token of %d", len(token))
		}
		again, kind := compact(t, token, a)
		if got, err := collect(a, again, kind).Token(known); err != nil || got != token {
			t.Fatalf("%q, then %q (%v)", token, got, err)
		}
	})
}

// Both ends have the same token, whatever is in its JSON. If its text is not JSON, it comes out
// whole, or not at all.
func FuzzCompact(f *testing.F) {
	a := sshd()
	f.Add(`{"typ":"JWT","alg":"RS256","kid":"k"}`, entra(a, 1), "signature")
	f.Add("", "{\x1f}", "")
	f.Add("{}", "A", "")
	f.Fuzz(func(t *testing.T, header, claims, signature string) {
		if len(header)+len(claims) > maxText-1 || len(signature) > 0xffff {
			return
		}
		token := encode(header) + "." + encode(claims) + "." + encode(signature)
		data, kind := compact(t, token, a)
		got, err := collect(a, data, kind).Token(known)
		isJSON := json.Valid([]byte(header)) && json.Valid([]byte(claims))
		if !isJSON && got == "" && errors.Is(err, ErrUnusable) {
			return
		}
		if err != nil || got != token {
			t.Fatalf("%q came out as %q (%v)", token, got, err)
		}
	})
}
