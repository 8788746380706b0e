// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package devicecode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aadlogin/internal/oauth"
)

func start(t *testing.T, e *entra) *Code {
	t.Helper()
	code, err := Start(t.Context(), e.request())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestAuthorizationGrant(t *testing.T) {
	e := newEntra(t, "authorization_pending", "tokens")
	e.code["verification_uri_complete"] = "https://microsoft.com/devicelogin?otc=FJS3K6X4D"
	code := start(t, e)
	if code.UserCode != "FJS3K6X4D" ||
		code.VerificationURI != "https://microsoft.com/devicelogin" ||
		!strings.HasSuffix(code.VerificationURIComplete, "?otc=FJS3K6X4D") ||
		!strings.HasPrefix(code.Message, "To sign in") ||
		!code.Expires.Equal(e.start.Add(900*time.Second)) {
		t.Errorf("code %q %q %q %v", code.UserCode, code.VerificationURI,
			code.VerificationURIComplete, code.Expires)
	}
	got, err := code.Wait(t.Context())
	if err != nil || got.IDToken != tokens(`{"alg":"none"}`, `{"sub":"s"}`)["id_token"] ||
		got.AccessToken != "" {
		t.Fatalf("%v", err)
	}
	// There is one POST for the code and one for each poll, and no other request.
	base := "POST /" + tenant + "/oauth2/v2.0/"
	want := []string{base + "devicecode", base + "token", base + "token"}
	if !slices.Equal(e.requests, want) {
		t.Errorf("requests %q", e.requests)
	}
	wantForms := []map[string][]string{
		{"client_id": {client}, "scope": {"openid profile"}},
		{"client_id": {client}, "device_code": {deviceCode}, "grant_type": {grantType}},
	}
	for i, want := range wantForms {
		if !reflect.DeepEqual(map[string][]string(e.forms[i]), want) {
			t.Errorf("form %d: %v", i, e.forms[i])
		}
	}
}

// The access token is returned to callers that ask for it, if it is good for the requested scope.
// Entra ID spells scopes of an application in more than one way. An answer without the member
// grants the requested scope (RFC 6749, Section 5.1).
func TestAccessToken(t *testing.T) {
	const arm, own = "https://management.azure.com/user_impersonation", client + "/sign-in"
	for _, test := range []struct {
		scope   string
		wanted  bool
		granted any
		err     error
	}{
		{arm, true, arm + " https://management.azure.com/.default", nil},
		{arm, true, "https://management.core.windows.net//User_Impersonation", nil},
		{arm, true, "", nil},
		{arm, true, nil, nil},
		{arm, true, "openid profile", oauth.ErrUnusable},
		{arm, true, "openid profile https://management.azure.com/.default", oauth.ErrUnusable},
		{own, false, "openid profile " + own, nil},
		{own, false, "api://" + client + "/sign-in", nil},
		{own, false, "sign-in", nil},
		{own, false, "openid profile", nil},
		{own, false, nil, nil},
		{"api://contoso/sign-in", false, own, nil},
	} {
		e := newEntra(t, "tokens")
		e.granted = test.granted
		r := e.request()
		r.Scopes, r.AccessToken = []string{test.scope}, test.wanted
		code, err := Start(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.forms[0].Get("scope"); got != "openid profile "+test.scope {
			t.Errorf("asked for %q", got)
		}
		got, err := code.Wait(t.Context())
		if !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
			t.Errorf("%q, granted %v: %v", test.scope, test.granted, err)
			continue
		}
		if err == nil && (got.AccessToken == "access-secret") != test.wanted {
			t.Errorf("%q: the access token is %q", test.scope, got.AccessToken)
		}
		if strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("secret in %v", err)
		}
	}
}

func TestPace(t *testing.T) {
	const pending = "authorization_pending"
	type polls []int // seconds after the code
	tests := []struct {
		name     string
		interval any
		steps    []string
		want     polls
	}{
		{"interval before the first poll", 5, []string{"tokens"}, polls{5}},
		{"interval obeyed", 7, []string{pending, pending, "tokens"}, polls{7, 14, 21}},
		{"default interval", nil, []string{pending, "tokens"}, polls{5, 10}},
		{"zero is no interval", 0, []string{pending, "tokens"}, polls{5, 10}},
		{"fraction rounded up", 1.5, []string{pending, "tokens"}, polls{2, 4}},
		{"slow_down for good", 5,
			[]string{"slow_down", pending, "slow_down", pending, "tokens"},
			polls{5, 15, 25, 40, 55}},
		{"back-off", 5,
			[]string{"503", "reset", "truncated", "half", pending, "tokens"},
			polls{5, 15, 35, 65, 95, 100}},
		{"back-off never below the interval", 40, []string{"503", "tokens"}, polls{40, 80}},
		{"Retry-After", 5, []string{"429", pending, "tokens"}, polls{5, 22, 27}},
		{"Retry-After below the interval", 40, []string{"429", "tokens"}, polls{40, 80}},
		{"overloaded in OAuth", 5,
			[]string{"temporarily_unavailable", "server_error", "tokens"}, polls{5, 15, 35}},
		{"other outages", 5, []string{"half 400", "huge", "tokens"}, polls{5, 15, 35}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := newEntra(t, test.steps...)
			e.code["interval"] = test.interval
			if _, err := start(t, e).Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			var got polls
			for _, at := range e.polls {
				got = append(got, int(at/time.Second))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("polled at %v, want %v", got, test.want)
			}
		})
	}
}

// flaky is a network on which polls meet these errors, one after the other. nil lets a poll
// through, and so does the end of the list.
type flaky struct {
	http.RoundTripper
	e      *entra
	errors []error
	at     []int // seconds after the code
}

func (f *flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	f.at = append(f.at, int(f.e.Now().Sub(f.e.start)/time.Second))
	if n := len(f.at); n <= len(f.errors) && f.errors[n-1] != nil {
		return nil, f.errors[n-1]
	}
	return f.RoundTripper.RoundTrip(r)
}

// Each network error is an outage that may pass, at the pace of any other.
func TestFlakyNetwork(t *testing.T) {
	for name, err := range map[string]error{
		"name unknown": &net.DNSError{Err: "no such host",
			Name: "login.example", IsNotFound: true},
		"name server out": &net.DNSError{Err: "server misbehaving",
			Name: "login.example", IsTemporary: true},
		"name server silent": &net.DNSError{Err: "i/o timeout",
			Name: "login.example", IsTimeout: true},
		"refused":             &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"no route":            &net.OpError{Op: "dial", Err: syscall.ENETUNREACH},
		"reset":               &net.OpError{Op: "read", Err: syscall.ECONNRESET},
		"time-out of ours":    context.DeadlineExceeded, // http.Client.Timeout, not the sign-in's
		"time-out of a dial":  os.ErrDeadlineExceeded,
		"connection cut":      io.ErrUnexpectedEOF,
		"handshake cut short": io.EOF,
	} {
		t.Run(name, func(t *testing.T) {
			e := newEntra(t, "authorization_pending", "tokens")
			code := start(t, e)
			network := &flaky{
				RoundTripper: e.Client().Transport, e: e, errors: []error{err, err, nil, err},
			}
			code.transport.request.HTTP = &http.Client{Transport: network}
			if _, err := code.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if want := []int{5, 15, 35, 40, 50}; !slices.Equal(network.at, want) {
				t.Errorf("polled at %v, want %v", network.at, want)
			}
		})
	}
}

func isExpired(err error) bool  { return errors.Is(err, oauth.ErrExpired) && !isUnreachable(err) }
func isUnusable(err error) bool { return errors.Is(err, oauth.ErrUnusable) }

func isUnreachable(err error) bool {
	var e *oauth.UnreachableError
	return errors.As(err, &e) && !errors.Is(err, oauth.ErrExpired)
}

func isError(code string) func(error) bool {
	return func(err error) bool {
		var e *oauth.Error
		return errors.As(err, &e) && e.Code == code && e.Status == 400 &&
			slices.Equal(e.AADSTS, []int{50076}) &&
			e.CorrelationID == "c0" && strings.HasPrefix(e.Description, "AADSTS50076: ") &&
			!isExpired(err) && !isUnreachable(err)
	}
}

func TestNothingPrints(t *testing.T) {
	e := newEntra(t, "tokens")
	code := start(t, e)
	got, err := code.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		for _, value := range []any{code, *code, got, *got, []any{code, got}} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, "secret") || strings.Contains(text, code.UserCode) ||
				strings.Contains(text, got.IDToken) {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
}
