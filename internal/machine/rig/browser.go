// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser is a person with a browser that handles pages without scripts.
type Browser struct {
	t      *testing.T
	Client *http.Client
}

// NewBrowser returns a browser that trusts a certification authority and keeps cookies.
func NewBrowser(t *testing.T, ca []byte) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	return &Browser{t, &http.Client{Jar: jar, Transport: transport}}
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	inputs     = regexp.MustCompile(`<input[^>]*>`)
	attribute  = regexp.MustCompile(` (name|value)="([^"]*)"`)
)

// GoThrough opens a page and submits one form after the other until a page has this text. It fills
// fields and buttons by their names, and keeps the values that a form has already.
func (b *Browser) GoThrough(page string, answers url.Values, until string) {
	b.t.Helper()
	text := b.read(b.Client.Get(page))
	for range 10 {
		action := formAction.FindStringSubmatch(text)
		switch {
		case strings.Contains(text, until):
			return
		case action == nil:
			b.t.Fatalf("no form, and no %q:\n%s", until, text)
		}
		text = b.read(b.Client.PostForm(html.UnescapeString(action[1]), fill(text, answers)))
	}
	b.t.Fatalf("no end of forms, and no %q:\n%s", until, text)
}

func fill(page string, answers url.Values) url.Values {
	form := url.Values{}
	for _, input := range inputs.FindAllString(page, -1) {
		var name, value string
		for _, a := range attribute.FindAllStringSubmatch(input, -1) {
			if a[1] == "name" {
				name = a[2]
			} else {
				value = html.UnescapeString(a[2])
			}
		}
		form.Set(name, value)
	}
	for name := range answers {
		if strings.Contains(page, fmt.Sprintf(`name="%s"`, name)) {
			form.Set(name, answers.Get(name))
		}
	}
	return form
}

func (b *Browser) read(resp *http.Response, err error) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}
