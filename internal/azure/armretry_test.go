// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestARMTriesAgain(t *testing.T) {
	requests := 0
	arm := newARM(t, func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests < 3 {
			panic(http.ErrAbortHandler) // a reset in the middle of an answer
		}
		io.WriteString(w, "ok")
	})
	reply, err := arm.Post(t.Context(), "/x", nil, nil)
	if err != nil || string(reply.Body) != "ok" {
		t.Errorf("%s, %v", reply.Body, err)
	}
}

// Azure sends an HTML page only if its front door fails.
func TestARMPortal(t *testing.T) {
	for status, want := range map[int]string{
		200: "a proxy or portal answered in Azure's place: 200 text/html from 127.0.0.1:",
		404: "a proxy or portal answered in Azure's place: 404 text/html from 127.0.0.1:",
		502: "HTTP 502",
	} {
		arm := newARM(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			io.WriteString(w, "<html>sign in to this network")
		})
		_, err := arm.Get(t.Context(), "/x", nil)
		if err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "sign in to") {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// The client waits once for as long as the server asks. A second wait would keep a person waiting
// twice.
func TestARMRetryAfterOnce(t *testing.T) {
	var waited time.Duration
	requests := 0
	arm := newARM(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(429)
	})
	arm.Sleep = func(_ context.Context, d time.Duration) error { waited += d; return nil }
	_, err := arm.Get(t.Context(), "/x", nil)
	if !errors.Is(err, ErrUnreachable) || requests != 2 || waited != 17*time.Second {
		t.Errorf("%d requests within %v: %v", requests, waited, err)
	}
}

// A person at a prompt does not wait minutes for one retry.
func TestARMLongRetryAfterIsFinal(t *testing.T) {
	requests := 0
	arm := newARM(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(503)
	})
	if _, err := arm.Get(t.Context(), "/x", nil); !errors.Is(err, ErrUnreachable) || requests != 1 {
		t.Errorf("%d requests: %v", requests, err)
	}
}
