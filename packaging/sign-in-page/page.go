// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package signinpage is the page that a person opens to sign in with their own browser: one static
// file, index.html, that an organization puts online. The file is a template. Fill puts a tenant's
// values into it. Same reports whether a web server serves what Fill returned.
//
// The file itself explains to its publisher what the page does.
package signinpage

import (
	"bytes"
	_ "embed" // the page
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
)

//go:embed index.html
var template string

// Settings are the values that the page needs.
type Settings struct {
	Tenant    string // id
	Client    string // id
	Authority string // scheme and host, "https://login.microsoftonline.com": the only host that the page may reach
	Issuer    string // of ID tokens
	Scope     string // separated by blanks
}

// These errors say how a page differs.
var (
	ErrNotOurs = errors.New("this is not the sign-in page of aad-login")
	ErrVersion = errors.New("this is the sign-in page of another version of aad-login, or it " +
		"was changed")
	ErrSettings = errors.New("this sign-in page has other values")
)

// values returns the settings in the order of the page's attributes.
func (s Settings) values() []value {
	return []value{{"tenant", s.Tenant}, {"client", s.Client}, {"authority", s.Authority},
		{"issuer", s.Issuer}, {"scope", s.Scope}}
}

type value struct{ name, text string }

// Fill returns the page for a tenant.
func Fill(s Settings) ([]byte, error) {
	if err := s.problem(); err != nil {
		return nil, err
	}
	var pairs []string
	for _, v := range s.values() {
		pairs = append(pairs, "@"+strings.ToUpper(v.name)+"@", html.EscapeString(v.text))
	}
	return []byte(strings.NewReplacer(pairs...).Replace(template)), nil
}

var (
	identifier = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.-]*$`)
	visible    = regexp.MustCompile(`^[!-~]+( [!-~]+)*$`)
	// hostPort allows no character that would end a source in a Content-Security-Policy.
	hostPort = regexp.MustCompile(`^[0-9A-Za-z.-]+(:[0-9]+)?$`)
)

func (s Settings) problem() error {
	for _, v := range s.values() {
		switch {
		case !visible.MatchString(v.text):
			return fmt.Errorf("sign-in page: %s: %q cannot be put into it", v.name, v.text)
		case (v.name == "tenant" || v.name == "client") && !identifier.MatchString(v.text):
			return fmt.Errorf("sign-in page: %s: %q is no id", v.name, v.text)
		}
	}
	u, err := url.Parse(s.Authority)
	if err != nil || !hostPort.MatchString(u.Host) || s.Authority != u.Scheme+"://"+u.Host ||
		u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("sign-in page: authority: %q is not like "+
			"https://login.microsoftonline.com, without a path", s.Authority)
	}
	return nil
}

var attributes = regexp.MustCompile(`<meta name="aad-login"\s+` +
	`data-tenant="([^"]*)"\s+data-client="([^"]*)"\s+` +
	`data-authority="([^"]*)"\s+data-issuer="([^"]*)"\s+data-scope="([^"]*)">`)

// Same returns nil if got is the page for these settings, byte for byte. Otherwise it returns one
// of the three errors above.
func Same(got []byte, want Settings) error {
	filled, err := Fill(want)
	if err != nil {
		return err
	}
	if bytes.Equal(got, filled) {
		return nil
	}
	m := attributes.FindSubmatch(got)
	if m == nil {
		return ErrNotOurs
	}
	var has Settings
	var differ []string
	for i, into := range []*string{&has.Tenant, &has.Client, &has.Authority,
		&has.Issuer, &has.Scope} {
		*into = html.UnescapeString(string(m[i+1]))
		if v := want.values()[i]; *into != v.text {
			differ = append(differ, fmt.Sprintf("%s is %q in place of %q", v.name, *into, v.text))
		}
	}
	if len(differ) > 0 {
		return fmt.Errorf("%w: %s", ErrSettings, strings.Join(differ, ", "))
	}
	return ErrVersion
}
