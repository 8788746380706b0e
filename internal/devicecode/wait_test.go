// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package devicecode

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestWaitEnds(t *testing.T) {
	tests := []struct {
		name     string
		steps    []string
		is       func(error) bool
		requests int
	}{
		{"nobody came", []string{"authorization_pending"}, isExpired, 19},
		{"expired_token", []string{"expired_token"}, isExpired, 1},
		{"outage until the end", []string{"authorization_pending", "503"}, isUnreachable, 5},
		{"outage, then nobody came", []string{"503", "authorization_pending"}, isExpired, 18},
		{"a proxy's page", []string{"html 403"}, isUnreachable, 1},
		{"declined", []string{"authorization_declined"}, isError("authorization_declined"), 1},
		{"denied", []string{"access_denied"}, isError("access_denied"), 1},
		{"unknown word", []string{"teapot"}, isError("teapot"), 1},
		{"invalid_grant", []string{"invalid_grant"}, isError("invalid_grant"), 1},
		{"no ID token", []string{"tokens without id_token"}, isUnusable, 1},
		{"undecodable ID token", []string{"undecodable id_token"}, isUnusable, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := newEntra(t, test.steps...)
			e.code["expires_in"] = 100
			got, err := start(t, e).Wait(t.Context())
			if got != nil || !test.is(err) {
				t.Errorf("%v, %v", got, err)
			}
			if len(e.polls) != test.requests {
				t.Errorf("%d polls, want %d", len(e.polls), test.requests)
			}
			if last := e.polls[len(e.polls)-1]; last >= 100*time.Second {
				t.Errorf("polled %v after a code of 100 s", last)
			}
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), "secret") {
				t.Errorf("secret in %v", err)
			}
		})
	}
}

func TestWaitObeysContext(t *testing.T) {
	e := newEntra(t, "authorization_pending")
	r := e.request()
	ctx, cancel := context.WithCancel(t.Context())
	r.Sleep = func(ctx context.Context, d time.Duration) error {
		if len(e.polls) == 3 {
			cancel()
		}
		return e.Sleep(ctx, d)
	}
	code, err := Start(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := code.Wait(ctx); !errors.Is(err, context.Canceled) || len(e.polls) != 3 {
		t.Errorf("%v after %d polls", err, len(e.polls))
	}
}

// A certificate does not become good with time. Waiting for the code to expire would hide the
// attack.
func TestWaitStopsAtBadCertificate(t *testing.T) {
	e := newEntra(t, "authorization_pending")
	r := e.request()
	code, err := Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	// This client does not trust the server.
	code.transport.request.HTTP = &http.Client{Transport: &http.Transport{}}
	_, err = code.Wait(t.Context())
	if !isUnreachable(err) || e.Now().Sub(e.start) != 5*time.Second {
		t.Errorf("%v after %v", err, e.Now().Sub(e.start))
	}
}
