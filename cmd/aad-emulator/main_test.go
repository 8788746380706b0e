// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

// An output reports when the program is ready.
type output struct {
	mu    sync.Mutex
	b     bytes.Buffer
	ready chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.b.Write(p)
	if bytes.HasSuffix(p, []byte("\nready\n")) {
		close(o.ready)
	}
	return n, err
}

func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ca := filepath.Join(t.TempDir(), "ca.pem")
	out := &output{ready: make(chan struct{})}
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-listen", "127.0.0.1:0", "-metadata", "127.0.0.1:0", "-ca", ca,
			"-config", "../../internal/emulator/contoso.toml"}, out)
	}()
	select {
	case <-out.ready:
	case err := <-ended:
		t.Fatal(err)
	}
	pem, err := os.ReadFile(ca)
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(pem) {
		t.Errorf("CA file: %v, %q", err, pem)
	}
	for _, want := range []string{"account admin@contoso.example   administrator\n",
		"account user@contoso.example    user\n", "account norole@contoso.example  no role\n"} {
		if !strings.Contains(out.b.String(), want) {
			t.Errorf("no %q in\n%s", want, out.b.String())
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRunRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bad := filepath.Join(t.TempDir(), "bad.toml")
	if err := os.WriteFile(bad, []byte("nonsense = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"extra"}, `unexpected argument "extra"`},
		{[]string{"-config", "/nonexistent.toml"}, "no such file"},
		{[]string{"-config", bad}, "bad.toml:1: nonsense: no such key"},
		{[]string{"-listen", taken.Addr().String()}, "address already in use"},
		{[]string{"-listen", "127.0.0.1:0", "-metadata", taken.Addr().String()},
			"address already in use"},
		{[]string{"-listen", "127.0.0.1:0", "-metadata", "127.0.0.1:0", "-ca",
			"/nonexistent/ca.pem"}, "write certificate"},
	}
	for _, test := range tests {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := run(ctx, test.args, io.Discard); err == nil ||
			!strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %s", test.args, err, test.want)
		}
		cancel()
	}
}

// A typed text must not move the terminal's cursor.
func TestTrace(t *testing.T) {
	var b strings.Builder
	trace(&b, emulator.Request{Endpoint: "page", Method: "POST", Path: "/devicelogin\x1b[2J",
		Status: 400, Error: "no \x1b[31m\nsuch"})
	if got := b.String(); strings.ContainsRune(got, 0x1b) || strings.Count(got, "\n") != 1 {
		t.Errorf("%q", got)
	}
}
