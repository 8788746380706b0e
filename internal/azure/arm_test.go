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
	"net/url"
	"strings"
	"testing"
)

func bearer(context.Context) (string, error) { return "machine-token", nil }

func newARM(t *testing.T, h http.HandlerFunc) *ARM {
	t.Helper()
	s := tlsServer(t, h)
	return &ARM{
		Endpoint: s.URL,
		HTTP:     newTestClient(t, Options{CAFile: caFile(t, s)}),
		Bearer:   bearer,
		Sleep:    new(clock).Sleep,
	}
}

func TestARMPost(t *testing.T) {
	arm := newARM(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := r.Method + " " + r.URL.EscapedPath() + " " + r.URL.Query().Get("api-version") + " " +
			r.Header.Get("Authorization") + " " + r.Header.Get("Content-Type") + " " + string(body)
		want := `POST /a%20b/%3Fx 1 Bearer machine-token application/json {"Subject":1}`
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		w.Header().Set("x-ms-correlation-request-id", "c0")
		io.WriteString(w, `[]`)
	})
	reply, err := arm.Post(t.Context(), "/a b/?x", url.Values{"api-version": {"1"}},
		map[string]int{"Subject": 1})
	if err != nil || string(reply.Body) != "[]" || reply.CorrelationID != "c0" {
		t.Errorf("%+v, %v", reply, err)
	}
}

// The token goes only to the host where it went before. The link is used as it stands, except for a
// space.
func TestARMFollow(t *testing.T) {
	var asked string
	arm := newARM(t, func(w http.ResponseWriter, r *http.Request) {
		asked += r.Header.Get("Authorization") + " " + r.URL.RequestURI()
	})
	arm.Bearer = func(context.Context) (string, error) {
		asked = "with token: "
		return "machine-token", nil
	}
	host := strings.TrimPrefix(arm.Endpoint, "https://")
	for link, want := range map[string]string{
		arm.Endpoint +
			"/a%2Fb?$skiptoken=x%2By+z&q=a b": "with token: Bearer machine-token " +
			"/a%2Fb?$skiptoken=x%2By+z&q=a%20b",
		"https://evil.example/":       "",
		"http://" + host + "/":        "",
		"https://" + host + "0/":      "",
		"https://me@" + host + "/":    "",
		"https://" + host + "@evil/":  "",
		"//" + host + "/":             "",
		"/x":                          "",
		"":                            "",
		"https://" + host + "/\x00\n": "",
	} {
		asked = ""
		_, err := arm.Follow(t.Context(), link)
		if asked != want || (err == nil) != (want != "") {
			t.Errorf("%q: asked %q, %v", link, asked, err)
		}
	}
}

// Some links name the default port of https.
func TestSameHost(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"https://management.azure.com", "https://management.azure.com:443/x", true},
		{"https://management.azure.com:443", "https://MANAGEMENT.azure.com/x", true},
		{"https://management.azure.com", "https://management.azure.com:444/x", false},
		{"https://management.azure.com", "https://management.azure.com:80/x", false},
		{"https://management.azure.com:8443", "https://management.azure.com/x", false},
		{"https://management.azure.com", "https://management.azure.com.evil/x", false},
	} {
		a, _ := url.Parse(test.a)
		b, _ := url.Parse(test.b)
		if got := sameHost(a, b); got != test.want {
			t.Errorf("%s and %s: %v", test.a, test.b, got)
		}
	}
}

// A filter is escaped as in RFC 3986, because some servers take a plus literally.
func TestARMFilter(t *testing.T) {
	arm := newARM(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "%24filter=atScope%28%29%20and%20a%2Bb" {
			t.Errorf("query %q", r.URL.RawQuery)
		}
	})
	_, err := arm.Get(t.Context(), "/x", url.Values{"$filter": {"atScope() and a+b"}})
	if err != nil {
		t.Error(err)
	}
}

func TestARMErrors(t *testing.T) {
	tests := []struct {
		name        string
		status      int
		body        string
		want        Error
		requests    int
		unreachable bool
	}{
		{"forbidden", 403, `{"error":{"code":"AuthorizationFailed","message":"no\nright"}}`,
			Error{Code: "AuthorizationFailed", Message: "no\nright"}, 1, false},
		{"oauth shape", 401, `{"error":"invalid_token","error_description":"old"}`,
			Error{Code: "invalid_token", Message: "old"}, 1, false},
		{"flat", 404, `{"Code":"SubscriptionNotFound","Message":"gone"}`,
			Error{Code: "SubscriptionNotFound", Message: "gone"}, 1, false},
		{"a status for a code", 403, `{"statusCode":403,"message":"no right"}`,
			Error{Code: "403", Message: "no right"}, 1, false},
		{"capitals", 403, `{"Error":{"Code":"AuthorizationFailed","Message":"no"}}`,
			Error{Code: "AuthorizationFailed", Message: "no"}, 1, false},
		{"a byte order mark", 403,
			"\ufeff" + `{"error":{"code":"AuthorizationFailed","message":"no"}}`,
			Error{Code: "AuthorizationFailed", Message: "no"}, 1, false},
		{"a number for a code", 400, `{"error":{"code":7,"message":"no"}}`,
			Error{Code: "7", Message: "no"}, 1, false},
		{"no JSON", 404, `no such page`, Error{}, 1, false},
		{"created is not asked for", 201, `[]`, Error{}, 1, false},
		{"throttled", 429, ``, Error{}, 3, true},
		{"broken", 500, `{"error":null}`, Error{}, 3, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			requests := 0
			arm := newARM(t, func(w http.ResponseWriter, r *http.Request) {
				requests++
				w.Header().Set("x-ms-request-id", "r0")
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			})
			_, err := arm.Get(t.Context(), "/x", nil)
			want := test.want
			want.Op, want.Status, want.CorrelationID = "resource manager", test.status, "r0"
			var e *Error
			if !errors.As(err, &e) || *e != want || requests != test.requests {
				t.Fatalf("%d requests: %v", requests, err)
			}
			if errors.Is(err, ErrUnreachable) != test.unreachable {
				t.Errorf("unreachable = %v", !test.unreachable)
			}
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("control characters in %q", err)
			}
		})
	}
}

// A server that echoes our request in an error does not get the token into the log.
func TestARMErrorHoldsNoToken(t *testing.T) {
	for _, body := range []string{
		`{"error":{"code":%q,"message":%[1]q}}`, `{"error":%q,"error_description":%[1]q}`,
	} {
		arm := newARM(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			fmt.Fprintf(w, body, "you said: "+r.Header.Get("Authorization"))
		})
		_, err := arm.Get(t.Context(), "/x", nil)
		var e *Error
		if !errors.As(err, &e) || e.Message != "you said: Bearer …" ||
			strings.Contains(fmt.Sprintf("%v %+v", err, *e), "machine-token") {
			t.Errorf("%+v", e)
		}
	}
}

// Neither client sends a cookie of an earlier answer.
func TestClientsKeepNoCookies(t *testing.T) {
	s := tlsServer(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Cookie"); got != "" {
			t.Errorf("cookie %q", got)
		}
		w.Header().Set("Set-Cookie", "session=1; Path=/")
	})
	plain := httptest.NewServer(s.Config.Handler)
	defer plain.Close()
	for client, url := range map[*http.Client]string{
		newTestClient(t, Options{CAFile: caFile(t, s)}): s.URL,
		new(Metadata).newClient():                       plain.URL,
	} {
		for range 2 {
			resp, err := client.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
	}
}

// JSON is an answer, whatever content type a gateway gives it.
func TestARMAnswerByAnotherName(t *testing.T) {
	arm := newARM(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "\ufeff[]")
	})
	if _, err := arm.Get(t.Context(), "/x", nil); err != nil {
		t.Error(err)
	}
}

func TestARMWithoutToken(t *testing.T) {
	arm := newARM(t, func(http.ResponseWriter, *http.Request) { t.Error("asked without a token") })
	cause := errors.New("no identity")
	arm.Bearer = func(context.Context) (string, error) { return "", cause }
	if _, err := arm.Get(t.Context(), "/x", nil); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func TestARMRefusesPlainHTTP(t *testing.T) {
	for _, endpoint := range []string{
		"", "http://management.azure.com", "management.azure.com", "https://",
	} {
		arm := &ARM{Endpoint: endpoint, HTTP: http.DefaultClient,
			Bearer: func(context.Context) (string, error) {
				t.Errorf("%q: a token was fetched", endpoint)
				return "", errors.New("no")
			}}
		if _, err := arm.Get(t.Context(), "/x", nil); err == nil {
			t.Errorf("%q accepted", endpoint)
		}
	}
}
