// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package devicecode

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"aadlogin/internal/oauth"
)

const (
	tenant     = "11111111-2222-4333-8444-555555555555"
	client     = "99999999-8888-4777-8666-555555555544"
	deviceCode = "device-code-secret"
)

// entra is a login service that follows a script: each poll takes the next step, and the last step
// repeats. Its clock runs only while somebody sleeps.
type entra struct {
	*httptest.Server
	code  map[string]any // the device authorization response
	first string         // a step instead of it

	granted any // the scope of the tokens; nil: no such member
	steps   []string

	mu       sync.Mutex
	now      time.Time
	requests []string        // method and path
	forms    []url.Values    // as posted
	polls    []time.Duration // since start
	start    time.Time
}

func newEntra(t *testing.T, steps ...string) *entra {
	t.Helper()
	e := &entra{granted: "openid profile", steps: steps, now: time.Unix(1_700_000_000, 0)}
	e.start = e.now
	e.code = map[string]any{
		"user_code": "FJS3K6X4D", "device_code": deviceCode,
		"verification_uri": "https://microsoft.com/devicelogin",
		"expires_in":       900, "interval": 5, "message": "To sign in, use a web browser …",
	}
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
		Client: oauth.Client{
			Authority: base, ClientID: client, Metadata: metadata,
			TokenEndpoint: base + "/oauth2/v2.0/token", HTTP: e.Client(),
		},
		DeviceEndpoint: base + "/oauth2/v2.0/devicecode", Now: e.Now, Sleep: e.Sleep,
	}
}

func (e *entra) Now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

func (e *entra) Sleep(ctx context.Context, d time.Duration) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(max(d, 0))
	return ctx.Err()
}

func (e *entra) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	e.mu.Lock()
	e.requests = append(e.requests, r.Method+" "+r.URL.Path)
	e.forms = append(e.forms, r.PostForm)
	step := e.first
	if r.PostForm.Has("device_code") {
		e.polls = append(e.polls, e.now.Sub(e.start))
		step = e.steps[min(len(e.polls), len(e.steps))-1]
	}
	e.mu.Unlock()
	if step == "" {
		json.NewEncoder(w).Encode(e.code)
		return
	}
	e.play(w, step)
}

// play answers with an OAuth error, unless the step is another word.
func (e *entra) play(w http.ResponseWriter, step string) {
	switch step {
	case "tokens":
		answer := tokens(`{"alg":"none"}`, `{"sub":"s"}`)
		if answer["scope"] = e.granted; e.granted == nil {
			delete(answer, "scope")
		}
		json.NewEncoder(w).Encode(answer)
	case "tokens without id_token":
		io.WriteString(w, `{"token_type":"Bearer","access_token":"access-secret","expires_in":60}`)
	case "undecodable id_token":
		io.WriteString(w,
			`{"token_type":"Bearer","access_token":"access-secret","id_token":"a.b.id-secret","expires_in":60}`)
	case "reset":
		panic(http.ErrAbortHandler)
	case "truncated":
		w.Header().Set("Content-Length", "5000")
		io.WriteString(w, `{"access_token":"access-secret`)
	case "half":
		io.WriteString(w, `{"access_token":"access-secret`)
	case "half 400":
		w.WriteHeader(400)
		io.WriteString(w, `{"error":"authorization_pen`)
	case "html 403":
		w.WriteHeader(403)
		io.WriteString(w, "<html>")
	case "429":
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(429)
	case "503":
		w.WriteHeader(503)
		io.WriteString(w, `{"error":"access_denied"}`)
	case "huge":
		w.Write(make([]byte, oauth.MaxBody+1))
	default:
		w.WriteHeader(400)
		fmt.Fprintf(w,
			`{"error":%q,"error_description":"AADSTS50076: description-secret\r\nTrace ID: t","error_codes":[50076],
			"correlation_id":"c0","trace_id":"t0","suberror":"basic_action","timestamp":"x"}`, step)
	}
}

func tokens(header, payload string) map[string]any {
	b64 := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return map[string]any{
		"token_type": "Bearer", "scope": "openid profile",
		"expires_in": 3599, "ext_expires_in": 3599,
		"access_token": "access-secret", "id_token": b64(header) + "." +
			b64(payload) + ".id-secret",
	}
}
