// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signinpage

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false,
	"write the hashes of the page's script and style into its Content-Security-Policy")

var contoso = Settings{
	Tenant: "aaaabbbb-0000-cccc-1111-dddd2222eeee", Client: "00001111-aaaa-2222-bbbb-3333cccc4444",
	Authority: "https://login.microsoftonline.com",
	Issuer:    "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0",
	Scope:     "openid profile api://x/sign-in",
}

// The browser runs the script and applies the style with the hashes that the page names. They must
// be right.
func TestHashes(t *testing.T) {
	page := template
	for _, tag := range []string{"script", "style"} {
		blocks := regexp.MustCompile(`(?s)<`+tag+`[^>]*>(.*?)</`+tag+`>`).
			FindAllStringSubmatch(page, -1)
		if len(blocks) != 1 {
			t.Fatalf("%d blocks of %s", len(blocks), tag)
		}
		sum := sha256.Sum256([]byte(blocks[0][1]))
		page = regexp.MustCompile(tag+`-src 'sha256-[^']*'`).ReplaceAllLiteralString(page,
			tag+"-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	if *update {
		if err := os.WriteFile("index.html", []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if page != template {
		t.Error("the script or the style has changed: go test ./packaging/sign-in-page -update")
	}
}

// These properties make the page safe and small, before any browser sees it.
func TestPage(t *testing.T) {
	page, err := Fill(contoso)
	if err != nil {
		t.Fatal(err)
	}
	if len(page) > 30<<10 {
		t.Errorf("%d bytes", len(page))
	}
	text := string(page)
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).
		FindStringSubmatch(text)
	if policy == nil || strings.Index(text, policy[0]) > strings.Index(text, "<style>") {
		t.Fatal("no policy before the first thing that it is for")
	}
	for _, want := range []string{"default-src 'none'; ",
		"; connect-src https://login.microsoftonline.com; ", "; base-uri 'none'; ",
		"; form-action 'none'; "} {
		if !strings.Contains(policy[1], want) {
			t.Errorf("no %q in %s", want, policy[1])
		}
	}
	if regexp.MustCompile(`unsafe|\*|https?:`).
		MatchString(strings.Replace(policy[1], contoso.Authority, "", 1)) {
		t.Errorf("the policy lets something through: %s", policy[1])
	}
	never := regexp.MustCompile(`@[A-Z]+@| src=|<script .*|innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|import\(|Function\(|localStorage|cookie|<[^>]* (on\w+|style)=`)
	if found := never.FindString(text); found != "" {
		t.Errorf("the page holds %q", found)
	}
}

// Every sentence of the page is explained in the documentation.
func TestSentencesAreExplained(t *testing.T) {
	docs, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, script, _ := strings.Cut(template, "<script>")
	n := 0
	for _, m := range regexp.MustCompile(`'( ?[A-Z][^'\n]*? [^'\n]*)'`).
		FindAllStringSubmatch(script, -1) {
		sentence := strings.TrimSpace(m[1])
		if regexp.MustCompile(`^(Copy (the|everything|part)|Copied|Paste this|You are signed in, and|What you paste|In PuTTY|Sign in|Signing in|Not signed in|One moment|Text of)`).MatchString(sentence) {
			continue // it says how to go on, and nothing is wrong
		}
		if n++; !bytes.Contains(docs, []byte(sentence)) {
			t.Errorf("not in docs/troubleshooting.md: %s", sentence)
		}
	}
	if n < 20 {
		t.Errorf("%d sentences found", n)
	}
}

// Values stay inside of their attributes.
func TestFill(t *testing.T) {
	change := func(f func(*Settings)) Settings { s := contoso; f(&s); return s }
	for name, s := range map[string]Settings{
		"no tenant":   change(func(s *Settings) { s.Tenant = "" }),
		"a slash":     change(func(s *Settings) { s.Tenant = "a/b" }),
		"placeholder": change(func(s *Settings) { s.Client = "@CLIENT@" }),
		"path":        change(func(s *Settings) { s.Authority += "/" }),
		"two sources": change(func(s *Settings) {
			s.Authority += " https://evil.example"
		}),
		"another directive": change(func(s *Settings) { s.Authority += ";script-src" }),
		"any host":          change(func(s *Settings) { s.Authority = "https://*" }),
		"userinfo":          change(func(s *Settings) { s.Authority = "https://a@b" }),
		"no scheme": change(func(s *Settings) {
			s.Authority = "login.microsoftonline.com"
		}),
		"script":               change(func(s *Settings) { s.Authority = "javascript://a" }),
		"line break":           change(func(s *Settings) { s.Issuer += "\n" }),
		"two blanks":           change(func(s *Settings) { s.Scope = "openid  profile" }),
		"no scope":             change(func(s *Settings) { s.Scope = "" }),
		"not a character here": change(func(s *Settings) { s.Scope = "openid é" }),
	} {
		if page, err := Fill(s); err == nil || page != nil {
			t.Errorf("%s: filled", name)
		}
	}
	quoted := change(func(s *Settings) { s.Issuer = `https://a/"><script>alert(1)</script>&amp;` })
	page, err := Fill(quoted)
	if err != nil || bytes.Contains(page, []byte("<script>alert")) {
		t.Errorf("%v", err)
	}
	if err := Same(page, quoted); err != nil {
		t.Error(err)
	}
}

// Same distinguishes the pages that a web server may serve.
func TestSame(t *testing.T) {
	page, err := Fill(contoso)
	if err != nil {
		t.Fatal(err)
	}
	other := contoso
	other.Client = "11110000-aaaa-2222-bbbb-3333cccc4444"
	for _, test := range []struct {
		name string
		got  []byte
		want error
	}{
		{"the page", page, nil},
		{"nothing", nil, ErrNotOurs},
		{"another page", []byte("<html>Welcome to nginx!"), ErrNotOurs},
		{"a changed script", bytes.Replace(page, []byte("'use strict'"),
			[]byte("'use  strict'"), 1), ErrVersion},
		{"a line more", append(bytes.Clone(page), '\n'), ErrVersion},
		{"not filled", []byte(template), ErrSettings},
	} {
		if err := Same(test.got, contoso); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	if err := Same(page, other); !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(),
		`client is "`+contoso.Client+`" in place of "`+other.Client+`"`) {
		t.Errorf("%v", err)
	}
	if err := Same(page, Settings{}); err == nil {
		t.Error("no settings, no error")
	}
}
