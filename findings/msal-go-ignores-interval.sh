#!/bin/bash
# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# Software:  MSAL Go 1.10.1 (github.com/AzureAD/microsoft-authentication-library-for-go)
# Surprise:  The device code flow polls at MSAL's own pace. RFC 8628, Section 3.2, defines
#            "interval" as the minimum number of seconds between two polls. Section 3.5 adds five
#            seconds for each slow_down. MSAL Go polls after 156 ms, 451 ms, 1.35 s, 4.05 s and then
#            every 5 s. It ignores what the server has said, slow_down included.
# Matters:   A server that counts the polls answers slow_down for ever. A program that must keep the
#            server's pace has to keep it in the HTTP client.
# Seen:      2026-11, Go 1.26, with the server below, which asks for an interval of 30 s: 5 polls in
#            the first 7 s.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

func main() {
	var polls atomic.Int32
	var server *httptest.Server
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		base := server.URL + "/tenant"
		switch {
		case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
			fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q}`,
				base+"/v2.0", base+"/oauth2/v2.0/authorize", base+"/oauth2/v2.0/token")
		case strings.HasSuffix(r.URL.Path, "/devicecode"):
			fmt.Fprint(w, `{"user_code":"ABCD","device_code":"x","expires_in":900,"interval":30,`+
				`"verification_uri":"https://example.com/","message":"m"}`)
		default:
			polls.Add(1)
			w.WriteHeader(http.StatusBadRequest)
			word := "authorization_pending"
			if polls.Load() > 1 {
				word = "slow_down"
			}
			fmt.Fprintf(w, `{"error":%q}`, word)
		}
	}))
	defer server.Close()
	client, err := public.New("00001111-aaaa-2222-bbbb-3333cccc4444",
		public.WithAuthority(server.URL+"/tenant"),
		public.WithHTTPClient(server.Client()), public.WithInstanceDiscovery(false))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	code, err := client.AcquireTokenByDeviceCode(context.Background(), []string{"openid"})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 7*time.Second)
	defer cancel()
	code.AuthenticationResult(ctx)
	fmt.Printf("the server asked for 30 s between polls: %d polls in 7 s\n", polls.Load())
	if polls.Load() < 3 {
		fmt.Println("changed: it waits now")
		os.Exit(1)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/AzureAD/microsoft-authentication-library-for-go@v1.10.1 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run .
