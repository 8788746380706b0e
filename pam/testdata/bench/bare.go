// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// This is what a Go worker cannot do without, for internal/machine/bench/prompt: in the place of
// pam/worker.go, behind the same C, it asks for a device code over TLS, shows the answer, and
// waits. It has no configuration, no store, no cache, and keeps no log.
package main

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall -Wextra -Werror -Wdeclaration-after-statement -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
#cgo LDFLAGS: -lpam
#include "door.h"
*/
import "C"

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"os"

	_ "aadlogin/nss"
)

func main() {}

//export aadWork
func aadWork(c *C.struct_aad_request, fd C.int) {
	ca, err := os.ReadFile("/run/aad-emulator-ca.pem")
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	got, err := client.PostForm("https://127.0.0.1:8443/aaaabbbb-0000-cccc-1111-dddd2222eeee/oauth2/v2.0/devicecode", url.Values{
		"client_id": {"00001111-aaaa-2222-bbbb-3333cccc4444"}, "scope": {"openid profile"},
	})
	must(err)
	answer, err := io.ReadAll(got.Body)
	must(err)
	got.Body.Close()
	frame := append([]byte{C.AAD_PROMPT, byte(len(answer)), byte(len(answer) >> 8)}, answer...)
	_, err = os.NewFile(uintptr(fd), "host").Write(frame)
	must(err)
	select {}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
