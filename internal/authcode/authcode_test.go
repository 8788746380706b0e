// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package authcode

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"aadlogin/internal/oauth"
)

const (
	tenant   = "11111111-2222-4333-8444-555555555555"
	client   = "99999999-8888-4777-8666-555555555544"
	verifier = "verifier-secret"
	redirect = "https://signin.contoso.com/"
)

var code = strings.Repeat("code-secret.", 137) // as long as Entra ID's

// entra is a token endpoint that follows a script. The last step repeats. Its clock runs only while
// somebody sleeps.
type entra struct {
	*httptest.Server
	steps []string

	mu       sync.Mutex
	requests []string
	forms    []url.Values
	headers  []http.Header
	slept    []time.Duration
}

func newEntra(t *testing.T, steps ...string) *entra {
	t.Helper()
	e := &entra{steps: steps}
	e.Server = httptest.NewUnstartedServer(e)
	e.Config.ErrorLog = log.New(io.Discard, "", 0)
	e.StartTLS()
	t.Cleanup(e.Close)
	return e
}

func (e *entra) request() Request {
	base := e.URL + "/" + tenant
	metadata, _ := json.Marshal(map[string]string{
		"issuer": base + "/v2.0", "authorization_endpoint": base + "/authorize",
		"token_endpoint": base + "/oauth2/v2.0/token",
	})
	return Request{
		Client: oauth.Client{Authority: base, ClientID: client, Metadata: metadata,
			TokenEndpoint: base + "/oauth2/v2.0/token", HTTP: e.Client()},
		Code: code, Verifier: verifier, Redirect: redirect,
		Sleep: func(ctx context.Context, d time.Duration) error {
			e.slept = append(e.slept, d)
			return ctx.Err()
		},
	}
}

func (e *entra) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	e.mu.Lock()
	e.requests = append(e.requests, r.Method+" "+r.URL.Path)
	e.forms = append(e.forms, r.PostForm)
	e.headers = append(e.headers, r.Header)
	step := e.steps[min(len(e.requests), len(e.steps))-1]
	e.mu.Unlock()
	b64 := base64.RawURLEncoding.EncodeToString
	answer := map[string]any{
		"token_type": "Bearer", "scope": "openid profile", "expires_in": 3599,
		"access_token": "access-secret", "refresh_token": "refresh-secret",
		"id_token": b64([]byte(`{"alg":"none"}`)) + "." + b64([]byte(`{"sub":"s"}`)) + ".id-secret",
	}
	switch step {
	case "tokens":
	case "undecodable":
		answer["id_token"] = "a.b.id-secret"
	case "no ID token":
		delete(answer, "id_token")
	case "reset":
		panic(http.ErrAbortHandler)
	case "half":
		io.WriteString(w, `{"access_token":"access-secret`)
		return
	case "503":
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(503)
		return
	case "page":
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(403)
		io.WriteString(w, "<html>"+code)
		return
	default: // the number of an error
		w.WriteHeader(400)
		fmt.Fprintf(w,
			`{"error":"invalid_grant","error_description":"AADSTS%s: description-secret","error_codes":[%s],"correlation_id":"c0"}`, step, step)
		return
	}
	json.NewEncoder(w).Encode(answer)
}

// There is one POST with exactly the fields of RFC 6749 and RFC 7636. It has no Origin, because
// Entra ID would take us for a browser.
func TestRedeem(t *testing.T) {
	e := newEntra(t, "tokens")
	r := e.request()
	r.Scopes = []string{client + "/sign-in"}
	got, err := Redeem(t.Context(), r)
	if err != nil || !strings.HasSuffix(got.IDToken, ".id-secret") || got.AccessToken != "" ||
		got.Scope != "openid profile" {
		t.Fatalf("%v", err)
	}
	want := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code},
		"redirect_uri": {redirect}, "code_verifier": {verifier},
		"scope": {"openid profile " + client + "/sign-in"},
	}
	if len(e.forms) != 1 || !reflect.DeepEqual(e.forms[0], want) ||
		e.requests[0] != "POST /"+tenant+"/oauth2/v2.0/token" {
		t.Errorf("%q: %v", e.requests, e.forms)
	}
	if e.headers[0].Get("Origin") != "" || e.headers[0].Get("Authorization") != "" {
		t.Errorf("%v", e.headers[0])
	}
}

// The access token is returned to callers that ask for it, if it is good for the requested scope.
func TestAccessToken(t *testing.T) {
	for scope, good := range map[string]bool{
		"":          true,
		"x/profile": true,
		"https://management.azure.com/user_impersonation": false,
	} {
		r := newEntra(t, "tokens").request()
		if r.AccessToken = true; scope != "" {
			r.Scopes = []string{scope}
		}
		got, err := Redeem(t.Context(), r)
		if good != (err == nil) || !good && !errors.Is(err, oauth.ErrUnusable) ||
			good && got.AccessToken != "access-secret" {
			t.Errorf("%q: %v", scope, err)
		}
	}
}

func TestEnds(t *testing.T) {
	unreachable := func(err error) bool { return errors.As(err, new(*oauth.UnreachableError)) }
	refused := func(err error) bool {
		var e *oauth.Error
		return errors.As(err, &e) && !unreachable(err) && e.CorrelationID == "c0" &&
			len(e.AADSTS) == 1
	}
	unusable := func(err error) bool { return errors.Is(err, oauth.ErrUnusable) }
	good := func(err error) bool { return err == nil }
	for name, test := range map[string]struct {
		steps    []string
		is       func(error) bool
		requests int
	}{
		"redeemed before":                 {[]string{"54005"}, refused, 1},
		"expired":                         {[]string{"70008"}, refused, 1},
		"verifier":                        {[]string{"501481"}, refused, 1},
		"single-page application":         {[]string{"9002327"}, refused, 1},
		"outage, then tokens":             {[]string{"503", "tokens"}, good, 2},
		"an outage's number, then tokens": {[]string{"90033", "tokens"}, good, 2},
		"reset, then tokens":              {[]string{"reset", "tokens"}, good, 2},
		"half, half, then tokens":         {[]string{"half", "half", "tokens"}, good, 3},
		"outage for long":                 {[]string{"503"}, unreachable, 3},
		"answer lost, and the code used":  {[]string{"half", "54005"}, unreachable, 2},
		"outage, and the code not ours":   {[]string{"503", "501481"}, refused, 2},
		"a portal's page":                 {[]string{"page"}, unreachable, 1},
		"no ID token":                     {[]string{"no ID token"}, unusable, 1},
		"an ID token that is none":        {[]string{"undecodable"}, unusable, 1},
		"half an error":                   {[]string{"not a number"}, unreachable, 3},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEntra(t, test.steps...)
			r := e.request()
			r.Passing = []int{90033}
			got, err := Redeem(t.Context(), r)
			if !test.is(err) || (got != nil) != (err == nil) || len(e.requests) != test.requests {
				t.Errorf("%d requests, %v", len(e.requests), err)
			}
			for i, d := range e.slept {
				if d < firstWait || d > maxPause {
					t.Errorf("pause %d of %v", i, d)
				}
			}
			if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, "secret") {
				t.Error(text)
			}
		})
	}
}

// The time is up while the code is redeemed. The authority is to blame, not the person.
func TestContext(t *testing.T) {
	e := newEntra(t, "503")
	r := e.request()
	ctx, cancel := context.WithCancel(t.Context())
	r.Sleep = func(context.Context, time.Duration) error { cancel(); return ctx.Err() }
	_, err := Redeem(ctx, r)
	if !errors.As(err, new(*oauth.UnreachableError)) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := Redeem(ctx, e.request()); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

func TestBadRequest(t *testing.T) {
	e := newEntra(t, "tokens")
	for name, change := range map[string]func(*Request){
		"plain-text endpoint": func(r *Request) { r.TokenEndpoint = "http://login.example/token" },
		"no client id":        func(r *Request) { r.ClientID = "" },
		"plain-text authority": func(r *Request) {
			r.Authority = "http://login.example/" + tenant
		},
		"metadata of nobody": func(r *Request) { r.Metadata = []byte("{}") },
	} {
		r := e.request()
		change(&r)
		if got, err := Redeem(t.Context(), r); err == nil || got != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(e.requests) != 0 {
		t.Errorf("requests %q", e.requests)
	}
}

func TestFormatPrintsNothing(t *testing.T) {
	r := newEntra(t, "tokens").request()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, value := range []any{r, &r, []any{r}} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, "secret") {
				t.Errorf("%s: %s", verb, text)
			}
		}
	}
}
