#!/bin/bash
# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# Software:  MSAL Go 1.10.1 (github.com/AzureAD/microsoft-authentication-library-for-go)
# Surprise:  MSAL returns the error "declined scopes are present", and drops the tokens, if the
#            member "scope" of the token answer spells the granted scope in another way than the
#            request. An application has two names: its client id and its identifier URI. So <client
#            id>/sign-in and api://<client id>/sign-in are the same scope. An answer about the
#            application's own scope need not list openid and profile either.
# Matters:   The server chooses how it spells a scope (RFC 6749, Section 3.3: it defines the
#            values). A program that asks for a scope of its own must compare the scopes itself, and
#            must give MSAL an answer without the member. MSAL takes such an answer to grant every
#            scope.
# Seen:      2026-11, Go 1.26, with the server below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >main.go <<'GO'
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

const client = "00001111-aaaa-2222-bbbb-3333cccc4444"

// grant is a sign-in that asks for <client id>/sign-in, and is answered with this member scope.
func grant(scope string) error {
	b64 := base64.RawURLEncoding.EncodeToString
	var server *httptest.Server
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		base := server.URL + "/tenant"
		switch {
		case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
			fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q}`,
				base+"/v2.0", base+"/oauth2/v2.0/authorize", base+"/oauth2/v2.0/token")
		case strings.HasSuffix(r.URL.Path, "/devicecode"):
			fmt.Fprint(w, `{"user_code":"ABCD","device_code":"x","expires_in":900,"interval":1,`+
				`"verification_uri":"https://example.com/","message":"m"}`)
		default:
			fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"access_token":"a",`+
				`"id_token":"%s.%s.s"%s}`,
				b64([]byte(`{"alg":"none"}`)), b64([]byte(`{"sub":"s"}`)), scope)
		}
	}))
	defer server.Close()
	app, err := public.New(client, public.WithAuthority(server.URL+"/tenant"),
		public.WithHTTPClient(server.Client()), public.WithInstanceDiscovery(false))
	if err != nil {
		return err
	}
	code, err := app.AcquireTokenByDeviceCode(context.Background(), []string{client + "/sign-in"})
	if err != nil {
		return err
	}
	_, err = code.AuthenticationResult(context.Background())
	return err
}

func main() {
	same := grant(`,"scope":"` + client + `/sign-in"`)
	other, none := grant(`,"scope":"api://`+client+`/sign-in"`), grant("")
	fmt.Printf("spelt as asked for: %v\nspelt with the other name: %v\nnot at all: %v\n",
		same, other, none)
	if same != nil || other == nil || none != nil {
		fmt.Println("changed")
		os.Exit(1)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/AzureAD/microsoft-authentication-library-for-go@v1.10.1 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run .
