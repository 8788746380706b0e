// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFaults(t *testing.T) {
	w := newWorld(t)
	get := func() (answer, error) {
		return w.try("GET", w.EntraURL()+"/common/v2.0/.well-known/openid-configuration", "")
	}
	tests := []struct {
		name  string
		fault Fault
		check func(answer, error) bool
	}{
		{"status", Fault{Endpoint: "openid", Status: 503},
			func(a answer, _ error) bool { return a.status == 503 && a.body == "" }},
		{"group", Fault{Endpoint: "entra", Status: 502},
			func(a answer, _ error) bool { return a.status == 502 }},
		{"all", Fault{Endpoint: "*", Status: 500},
			func(a answer, _ error) bool { return a.status == 500 }},
		{"elsewhere", Fault{Endpoint: "metadata", Status: 500},
			func(a answer, _ error) bool { return a.status == 200 }},
		{"body", Fault{Endpoint: "openid", Body: "<html>"},
			func(a answer, _ error) bool { return a.status == 200 && a.body == "<html>" }},
		{"header", Fault{Endpoint: "openid", Status: 302,
			Header: map[string]string{"Location": "ftp://x/"}},
			func(_ answer, err error) bool { return err != nil }},
		{"retry", Fault{Endpoint: "openid", Retry: "7"},
			func(a answer, _ error) bool {
				return a.status == 429 && a.header.Get("Retry-After") == "7"
			}},
		{"retry at", Fault{Endpoint: "openid", RetryAt: Duration(time.Hour)},
			func(a answer, _ error) bool {
				at, err := http.ParseTime(a.header.Get("Retry-After"))
				return a.status == 429 && err == nil && time.Until(at) > 50*time.Minute &&
					time.Until(at) <= time.Hour
			}},
		{"reset", Fault{Endpoint: "openid", Reset: true},
			func(_ answer, err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
		{"half", Fault{Endpoint: "openid", HalfBody: true}, func(a answer, err error) bool {
			return a.status == 200 && errors.Is(err, io.ErrUnexpectedEOF) && a.body != ""
		}},
		{"half of a body", Fault{Endpoint: "openid", HalfBody: true, Body: "1234"},
			func(a answer, err error) bool { return err != nil && a.body == "12" }},
		{"size", Fault{Endpoint: "openid", Size: 1 << 20, Body: "{}"},
			func(a answer, _ error) bool { return len(a.body) == 1<<20 && a.body[:2] == "{}" }},
		{"error", Fault{Endpoint: "openid", Error: "invalid_grant", AADSTS: 53003},
			func(a answer, _ error) bool {
				return a.status == 400 && strings.Contains(a.body, `"error_codes":[53003]`) &&
					strings.Contains(a.body, `"error":"invalid_grant"`)
			}},
		{"raw", Fault{Endpoint: "openid",
			Raw: "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\nmine"},
			func(a answer, err error) bool {
				return err == nil && a.status == 200 && a.body == "mine"
			}},
		{"raw, no HTTP", Fault{Endpoint: "openid", Raw: "\x15\x03\x01"},
			func(_ answer, err error) bool { return err != nil }},
		{"drip", Fault{Endpoint: "openid", Body: "slow", Drip: 1},
			func(a answer, err error) bool { return err == nil && a.body == "slow" }},
		{"raw drip", Fault{Endpoint: "openid", Raw: "HTTP/1.1 200 OK\r\n\r\nmine", Drip: 1},
			func(a answer, err error) bool { return err == nil && a.body == "mine" }},
		{"delay alone", Fault{Endpoint: "openid", Delay: 1},
			func(a answer, _ error) bool {
				return a.status == 200 && strings.Contains(a.body, "issuer")
			}},
	}
	for _, test := range tests {
		w.Fail(test.fault)
		if a, err := get(); !test.check(a, err) {
			t.Errorf("%s: %+v, %v", test.name, a, err)
		}
		w.Heal()
		if a, err := get(); err != nil || a.status != 200 {
			t.Errorf("%s: not healed: %+v, %v", test.name, a, err)
		}
	}
}

func TestFaultTimes(t *testing.T) {
	w := newWorld(t)
	w.Fail(Fault{Endpoint: "openid", Status: 500, After: 1, Times: 2})
	for i, want := range []int{200, 500, 500, 200} {
		a := w.do("GET", w.EntraURL()+"/common/v2.0/.well-known/openid-configuration", "")
		if a.status != want {
			t.Errorf("request %d: %d, want %d", i, a.status, want)
		}
	}
	if left := w.Faults(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

// TestFaultShapes checks that each service reports a fault in its own form.
func TestFaultShapes(t *testing.T) {
	w := newWorld(t)
	w.Fail(Fault{Endpoint: "*", Error: "oops", Status: 418})
	for url, want := range map[string]string{
		w.EntraURL() + "/common/oauth2/v2.0/token":     `"trace_id":`,
		w.EntraURL() + askURL:                          `{"error":{"code":"oops","message":`,
		w.MetadataURL() + "/metadata/identity/info":    `{"error":"oops","error_description":`,
		w.MetadataURL() + "/metadata/instance/compute": `{"error":"Bad request. `,
	} {
		if a := w.do("POST", url, ""); a.status != 418 || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", url, a.status, a.body)
		}
	}
	if a := w.do("GET", w.VerificationURI(), ""); a.status != 200 {
		t.Errorf("the page is no part of *: %d", a.status)
	}
}

// Existing connections get no further answer, either.
func TestImpostor(t *testing.T) {
	w := newWorld(t)
	get := func() error {
		_, err := w.try("GET", w.EntraURL()+"/common/v2.0/.well-known/openid-configuration", "")
		return err
	}
	for range 2 {
		if err := get(); err != nil {
			t.Errorf("the right one: %v", err)
		}
		w.call("POST", "impostor", "")
		var unknown x509.UnknownAuthorityError
		if err := get(); !errors.As(err, &unknown) {
			t.Errorf("impostor: %v", err)
		}
		w.call("DELETE", "impostor", "")
	}
}

// A server that is being closed must not wait for a delay whose client is gone.
func TestDelayEndsWithClient(t *testing.T) {
	w := newWorld(t)
	w.Fail(Fault{Endpoint: "openid", Delay: Duration(time.Hour)})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		w.Await(t.Context(), func() bool { return len(w.Requests()) == 1 })
		cancel()
	}()
	req, _ := newRequest(ctx, w.EntraURL()+"/common/v2.0/.well-known/openid-configuration")
	if _, err := w.client.Do(req); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := w.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFailRefusesNonsense(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("accepted")
		}
	}()
	new(Server).Fail(Fault{Endpoint: "tokens", Status: 500})
}
