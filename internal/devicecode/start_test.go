// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package devicecode

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestStartEnds(t *testing.T) {
	for step, is := range map[string]func(error) bool{
		"invalid_client":          isError("invalid_client"),
		"unauthorized_client":     isError("unauthorized_client"),
		"temporarily_unavailable": isUnreachable,
		"503":                     isUnreachable,
		"429":                     isUnreachable,
		"reset":                   isUnreachable,
		"truncated":               isUnreachable,
		"half":                    isUnreachable,
		"html 403":                isUnreachable,
	} {
		e := newEntra(t, "tokens")
		e.first = step
		if code, err := Start(t.Context(), e.request()); code != nil || !is(err) {
			t.Errorf("%s: %v, %v", step, code, err)
		}
		if len(e.requests) != 1 {
			t.Errorf("%s: %d requests", step, len(e.requests))
		}
	}
}

func TestStartBadCode(t *testing.T) {
	for name, value := range map[string]any{
		"user_code":        strings.Repeat("A", 65),
		"device_code":      "",
		"verification_uri": "javascript:alert(1)",
		"expires_in":       0,
		"interval":         "often",
	} {
		e := newEntra(t, "tokens")
		e.code[name] = value
		if code, err := Start(t.Context(), e.request()); code != nil || !isUnreachable(err) {
			t.Errorf("%s = %v: %v, %v", name, value, code, err)
		}
	}
}

func TestStartBadRequest(t *testing.T) {
	e := newEntra(t, "tokens")
	for name, change := range map[string]func(*Request){
		"plain-text token endpoint": func(r *Request) {
			r.TokenEndpoint = "http://login.example/token"
		},
		"plain-text device endpoint": func(r *Request) {
			r.DeviceEndpoint = "http://login.example/devicecode"
		},
		"no client id":         func(r *Request) { r.ClientID = "" },
		"plain-text authority": func(r *Request) { r.Authority = "http://login.example/" + tenant },
		"metadata of nobody":   func(r *Request) { r.Metadata = []byte("{}") },
		"metadata of a stranger": func(r *Request) {
			r.Metadata = []byte(strings.ReplaceAll(string(r.Metadata), e.URL,
				"https://stranger.example"))
		},
	} {
		r := e.request()
		change(&r)
		if code, err := Start(t.Context(), r); err == nil {
			t.Errorf("%s: %v", name, code)
		}
	}
	if len(e.requests) != 0 {
		t.Errorf("requests %q", e.requests)
	}
}

// An authority of a closed network may issue tokens in the name of another host. Package token
// decides which name is right.
func TestStartIssuerOfAnotherHost(t *testing.T) {
	for _, issuer := range []string{
		"https://sts.closed.example/" + tenant + "/v2.0",
		"https://login.microsoftonline.com/" + tenant + "/v2.0",
	} {
		e := newEntra(t, "tokens")
		r := e.request()
		r.Metadata = []byte(strings.Replace(string(r.Metadata),
			`"issuer":"`+e.URL+"/"+tenant+`/v2.0"`, `"issuer":"`+issuer+`"`, 1))
		if !strings.Contains(string(r.Metadata), issuer) {
			t.Fatal(string(r.Metadata))
		}
		code, err := Start(t.Context(), r)
		if err != nil {
			t.Errorf("%s: %v", issuer, err)
			continue
		}
		if tokens, err := code.Wait(t.Context()); err != nil || tokens.IDToken == "" {
			t.Errorf("%s: %v", issuer, err)
		}
	}
}

// A portal that wants people to sign in to the network is no sign-in service. The log names the
// host of its page.
func TestStartPortal(t *testing.T) {
	for _, status := range []int{200, 302, 403} {
		serve := func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			io.WriteString(w, `<html>{"user_code":"A"}`)
		}
		portal := httptest.NewTLSServer(http.HandlerFunc(serve))
		e := newEntra(t, "tokens")
		r := e.request()
		r.HTTP, r.DeviceEndpoint = portal.Client(), portal.URL+"/devicecode"
		_, err := Start(t.Context(), r)
		want := fmt.Sprintf("a proxy or portal answered in Azure's place: %d text/html from "+
			"127.0.0.1:", status)
		if !isUnreachable(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %v", status, err)
		}
		portal.Close()
	}
}
