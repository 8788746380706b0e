// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// clock is a time that passes only while somebody sleeps.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	return ctx.Err()
}

// machine serves metadata. It consults fail before each answer.
func machine(t *testing.T, fail func(n int, w http.ResponseWriter) bool) (*Metadata, *clock, *int) {
	t.Helper()
	n := new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*n++
		if r.Header.Get("Metadata") != "true" || r.Header.Get("X-Forwarded-For") != "" {
			t.Errorf("headers %v", r.Header)
		}
		if fail != nil && fail(*n, w) {
			return
		}
		q := r.URL.Query()
		switch r.URL.Path + "?" + q.Get("api-version") {
		case "/metadata/instance/compute?2021-02-01":
			io.WriteString(w,
				`{"azEnvironment":"AzurePublicCloud","resourceId":"/subscriptions/s/x","name":"vm1","unknown":[1]}`)
		case "/metadata/identity/info?2018-02-01":
			io.WriteString(w, `{"tenantId":"8A2F9C1E-0000-4000-8000-00000000000A"}`)
		case "/metadata/identity/oauth2/token?2018-02-01":
			fmt.Fprintf(w,
				`{"access_token":"secret-%s-%s-%d","expires_in":"3599","expires_on":"1506484173","token_type":"Bearer"}`,
				q.Get("resource"), q.Get("client_id"), *n)
		default:
			t.Errorf("asked for %s", r.URL)
		}
	}))
	t.Cleanup(s.Close)
	c := &clock{now: time.Unix(1700000000, 0)}
	return &Metadata{Endpoint: s.URL, Now: c.Now, Sleep: c.Sleep}, c, n
}

func TestMetadata(t *testing.T) {
	m, _, _ := machine(t, nil)
	c, err := m.Compute(t.Context())
	if err != nil || c.Environment != "AzurePublicCloud" || c.ResourceID != "/subscriptions/s/x" ||
		c.Name != "vm1" {
		t.Errorf("Compute = %+v, %v", c, err)
	}
	tenant, err := m.TenantID(t.Context())
	if err != nil || tenant != "8a2f9c1e-0000-4000-8000-00000000000a" {
		t.Errorf("TenantID = %q, %v", tenant, err)
	}
}

func TestMetadataRetries(t *testing.T) {
	tests := []struct {
		status, failures int // failures before the service recovers
		ok               bool
	}{
		{404, 4, true},
		{404, 5, false},
		{429, 4, true},
		{500, 4, true},
		{503, 5, false},
		{410, 14, true},
		{410, 1000, false}, // an update takes up to 70 s
		{400, 1, false},
		{403, 1, false},
		{421, 4, true},
	}
	const notFound = `{"error":"invalid_request","error_description":"Identity not found"}`
	for _, test := range tests {
		t.Run(fmt.Sprint(test.status, "x", test.failures), func(t *testing.T) {
			m, c, n := machine(t, func(n int, w http.ResponseWriter) bool {
				if n > test.failures {
					return false
				}
				w.WriteHeader(test.status)
				io.WriteString(w, notFound)
				return true
			})
			start := c.now
			_, err := m.Compute(t.Context())
			if (err == nil) != test.ok {
				t.Fatalf("after %d requests: %v", *n, err)
			}
			if waited := c.now.Sub(start); waited > 80*time.Second || *n > 1 && waited == 0 {
				t.Errorf("%d requests within %v", *n, waited)
			}
			var e *Error
			recognised := errors.As(err, &e) && e.Status == test.status &&
				e.Message == "Identity not found"
			if !test.ok && !recognised {
				t.Errorf("error %v", err)
			}
			if final := test.status == 400 || test.status == 403; final && *n != 1 {
				t.Errorf("%d asked %d times", test.status, *n)
			}
			if test.status >= 500 && !test.ok && !errors.Is(err, ErrUnreachable) {
				t.Errorf("%v is not ErrUnreachable", err)
			}
		})
	}
}

// A service that does not know a version says so and names those that it knows.
func TestMetadataUnknownVersion(t *testing.T) {
	tests := []struct {
		status           int
		body             string
		unknown, updates bool
		want             string
	}{
		{400, `{"error":"Bad request. api-version is invalid or was not specified in the request.",` +
			`"newest-versions":["2025-04-07","2024-07-17"]}`,
			true, false, "Newest versions: 2025-04-07 2024-07-17"},
		{400, `{"error":"invalid_request","error_description":` +
			`"The api-version not specified. Supported are 2021-02-01 2020-06-01"}`,
			true, false, "Supported are 2021-02-01 2020-06-01"},
		{404, `{"error":"Not found. Invalid version requested"}`,
			true, false, "Invalid version requested"},
		{400, `{"error":"invalid_request","error_description":"Identity not found",` +
			`"newest-versions":[]}`,
			false, false, "Identity not found"},
		{410, `{"error":"gone"}`, false, true, "gone"},
		{404, ``, false, true, "404"},
		{403, ``, false, false, "403"},
	}
	for _, test := range tests {
		e := parseError(MachineMetadata, &answer{status: test.status, body: []byte(test.body)})
		if e.UnknownVersion() != test.unknown || e.Updating() != test.updates ||
			!strings.Contains(e.Error(), test.want) || errors.Is(e, ErrUnreachable) {
			t.Errorf("%d %s: %v, %v, %v", test.status, test.body, e,
				e.UnknownVersion(), e.Updating())
		}
	}
}

// A version that the service does not know is not asked for again a second later.
func TestMetadataUnknownVersionIsFinal(t *testing.T) {
	m, _, n := machine(t, func(_ int, w http.ResponseWriter) bool {
		w.WriteHeader(404)
		io.WriteString(w, `{ "error": "Not found. Invalid version requested" }`)
		return true
	})
	if _, err := m.Compute(t.Context()); err == nil || *n != 1 {
		t.Errorf("%v after %d requests", err, *n)
	}
}

func TestMetadataRetryAfter(t *testing.T) {
	m, c, _ := machine(t, func(n int, w http.ResponseWriter) bool {
		if n > 1 {
			return false
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(429)
		return true
	})
	start := c.now
	if _, err := m.Compute(t.Context()); err != nil || c.now.Sub(start) != 7*time.Second {
		t.Errorf("%v after %v", err, c.now.Sub(start))
	}
}

func TestMetadataNobodyThere(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	c := &clock{}
	m := &Metadata{Endpoint: s.URL, Sleep: c.Sleep}
	if _, err := m.Compute(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

// The metadata service never redirects. A redirect comes from somebody who wants the token.
func TestMetadataRefusesRedirect(t *testing.T) {
	m, _, n := machine(t, func(n int, w http.ResponseWriter) bool {
		w.Header().Set("Location", "/metadata/instance/compute?api-version=2021-02-01")
		w.WriteHeader(302)
		return true
	})
	if _, err := m.Compute(t.Context()); err == nil || *n != 3 {
		t.Errorf("%v after %d requests", err, *n)
	}
}

func TestMetadataGarbage(t *testing.T) {
	for _, body := range []string{
		"", "null", "{}", "[]", "<html>", `{"resourceId":1}`,
		`{"resourceId":"/a","RESOURCEID":"/b"}`, `{"resourceId":"/a"} x`,
	} {
		m, _, _ := machine(t, func(_ int, w http.ResponseWriter) bool {
			io.WriteString(w, body)
			return true
		})
		if c, err := m.Compute(t.Context()); err == nil {
			t.Errorf("%q accepted as %+v", body, c)
		}
	}
}

func TestTokenIsCachedUntilItsEnd(t *testing.T) {
	m, c, n := machine(t, nil)
	bearer := m.Bearer("https://management.azure.com/", "client")
	first, err := bearer(t.Context())
	if err != nil || first != "secret-https://management.azure.com/-client-1" {
		t.Fatalf("%q, %v", first, err)
	}
	c.now = c.now.Add(3500 * time.Second)
	if again, _ := bearer(t.Context()); again != first || *n != 1 {
		t.Errorf("asked again after %d", *n)
	}
	c.now = c.now.Add(40 * time.Second)
	if next, _ := bearer(t.Context()); next == first {
		t.Error("a token was used within a minute of its end")
	}
}

func TestTokenGarbage(t *testing.T) {
	for _, body := range []string{
		`{}`,
		`{"access_token":"secret","token_type":"pop","expires_in":"1"}`,
		`{"access_token":"secret","token_type":"Bearer"}`,
		`{"access_token":"secret","token_type":"Bearer","expires_in":"-1"}`,
		`{"access_token":"secret","token_type":"Bearer","expires_in":"soon"}`,
	} {
		m, _, _ := machine(t, func(_ int, w http.ResponseWriter) bool {
			io.WriteString(w, body)
			return true
		})
		_, err := m.Token(t.Context(), "r", "")
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestAccessTokenDoesNotPrint(t *testing.T) {
	token := AccessToken{Secret: "eyJ0"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{token, &token, []AccessToken{token}} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, "eyJ0") || strings.Contains(text, "65794a30") {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
}
