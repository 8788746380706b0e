// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClip(t *testing.T) {
	for _, short := range []string{"", "denied", strings.Repeat("x", maxText)} {
		if got := Clip(short); got != short {
			t.Errorf("%q became %q", short, got)
		}
	}
	for _, long := range []string{
		strings.Repeat("x", maxText+1), strings.Repeat("é", maxText),
		"x" + strings.Repeat("€", maxText),
	} {
		got := Clip(long)
		if !utf8.ValidString(got) || len(got) > maxText+len("…") || !strings.HasSuffix(got, "…") {
			t.Errorf("%q", got)
		}
	}
}

func TestPage(t *testing.T) {
	html, app := "text/html; charset=utf-8", "application/json"
	for _, test := range []struct {
		status     int
		kind, body string
		page       bool
	}{
		{200, html, "<html>sign in to the network</html>", true},
		{403, html, "<html>", true},
		{407, "TEXT/HTML", "", true},
		{200, html, "\ufeff{\"a\":1}", false}, // JSON with the wrong header
		{503, html, "<html>", false},          // a front end of the service's own
		{400, app, "<html>", false},
		{400, "", "<html>", false},
	} {
		h := http.Header{"Content-Type": {test.kind}}
		got := Page(test.status, h, []byte(test.body), "login.example")
		if (got != "") != test.page || test.page && !strings.Contains(got, "login.example") {
			t.Errorf("%d %s %q: %q", test.status, test.kind, test.body, got)
		}
	}
}

// whole is an error of ours whose text may be shown.
type whole struct{ text string }

func (w whole) Error() string { return w.text }
func (whole) QuotesNothing()  {}

func TestQuiet(t *testing.T) {
	const secret = "eyJ-secret"
	req := httptest.NewRequest(http.MethodPost, "https://login.example/token?code="+secret, nil)
	for _, test := range []struct {
		err  error
		want string
	}{
		{errors.New("malformed HTTP response \"" + secret + "\""), "malformed HTTP response"},
		{&url.Error{Op: "Post", URL: "https://x/" + secret,
			Err: errors.New("http: server gave HTTP response to HTTPS client")},
			"http: server gave"},
		{errors.New(secret), "no usable answer, of the host or of the proxy"},
		{fmt.Errorf("outer %s: %w", secret, &net.DNSError{Err: "no such host",
			Name: "login.example"}), "lookup login.example: no such host"},
		{&url.Error{Op: "Post", URL: secret, Err: whole{"azure: certificate of \"x\" has expired"}},
			"azure: certificate of \"x\" has expired"},
	} {
		got := Quiet(req, test.err)
		text := got.Error()
		if strings.Contains(text, secret) ||
			!strings.HasPrefix(text, "POST https://login.example: "+test.want) ||
			!errors.Is(got, test.err) {
			t.Errorf("%v became %q, want %q", test.err, text, test.want)
		}
	}
	if Quiet(req, nil) != nil {
		t.Error("no error became one")
	}
}
