// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"slices"
	"sync/atomic"
	"testing"

	"aadlogin/internal/machine/rig"
)

const authorityName = "login.contoso.example"

// authority is Entra ID under a name, like the real one. For every request the name is looked up
// and the certificate shown again.
type authority struct {
	nameless atomic.Bool                     // the name server fails
	failures atomic.Int64                    // it has failed so often
	shown    atomic.Pointer[tls.Certificate] // by the server
}

// startAuthority makes this machine use the authority by its name.
func startAuthority(t *testing.T) *authority {
	t.Helper()
	a := new(authority)
	a.serveNames(t)
	rig.Edit(t, "/etc/resolv.conf", func(string) []byte { return []byte("nameserver 127.0.0.1\n") })

	trusted, key := rig.LoopbackCertificate(t, authorityName)
	a.show(t, trusted, key)
	front := httptest.NewUnstartedServer(rig.Entra.Entra())
	front.Config.SetKeepAlivesEnabled(false)
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return a.shown.Load(), nil
	}}
	front.StartTLS()
	t.Cleanup(front.Close)
	_, port, err := net.SplitHostPort(front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	rig.TrustAuthority(t, "https://"+net.JoinHostPort(authorityName, port), trusted)
	return a
}

func (a *authority) show(t *testing.T, certificate, key []byte) {
	t.Helper()
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	a.shown.Store(&pair)
}

// serveNames is a name server in which every name is this machine's (RFC 1035, Section 4.1).
func (a *authority) serveNames(t *testing.T) {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		query := make([]byte, 1500)
		for {
			n, from, err := l.ReadFrom(query)
			if err != nil {
				return
			}
			if answer := a.answer(query[:n]); answer != nil {
				l.WriteTo(answer, from)
			}
		}
	}()
}

func (a *authority) answer(query []byte) []byte {
	const header, serverFailure, typeA = 12, 2, 1
	end := header
	for end < len(query) && query[end] != 0 {
		end += 1 + int(query[end])
	}
	if end += 5; end > len(query) {
		return nil
	}
	answer := slices.Clone(query[:end])
	copy(answer[2:header], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}) // an answer to one question
	switch {
	case a.nameless.Load():
		answer[3] |= serverFailure
		a.failures.Add(1)
	case binary.BigEndian.Uint16(answer[end-4:]) == typeA:
		answer[7] = 1
		answer = append(answer, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
	}
	return answer
}

// A sign-in survives a restart of the name service.
func TestNameServiceFails(t *testing.T) {
	a := startAuthority(t)
	c := rig.SSH(t, "user@contoso.example", "id -un")
	page, code := c.Prompted()
	a.nameless.Store(true)
	rig.Eventually(t, "a poll fails for want of an address", rig.Patience,
		func() bool { return a.failures.Load() > 0 })
	polls := rig.Requests("token")
	a.nameless.Store(false)
	rig.Browse(t, page, code, "user@contoso.example")
	c.TypeLine("")
	c.Expect(`\nuser@contoso\.example\n`)
	if rig.Requests("token") == polls {
		t.Error("no poll after the failure")
	}
}

// A local user may set the environment of sudo. It neither routes the sign-in nor vouches for the
// sign-in service.
func TestEnvironmentOfSudo(t *testing.T) {
	const admin = "admin@contoso.example"
	a := startAuthority(t)
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	var proxied atomic.Int64
	go func() {
		for {
			c, err := proxy.Accept()
			if err != nil {
				return
			}
			proxied.Add(1)
			c.Close()
		}
	}()
	forged, key := rig.LoopbackCertificate(t, authorityName)
	const vouches = "/tmp/forged.pem"
	if err := os.WriteFile(vouches, forged, 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(vouches)

	c := rig.SSH(t, admin)
	c.SignIn(admin)
	c.Expect(`\$ `)
	for _, name := range []string{
		"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy",
	} {
		c.TypeLine("export " + name + "=http://" + proxy.Addr().String())
		c.Expect(`\$ `)
	}
	c.TypeLine("export SSL_CERT_FILE=" + vouches +
		" SSL_CERT_DIR=/nonexistent; sudo -k; sudo id -u")
	c.SignIn(admin)
	c.Expect(`\n0\n`)
	c.Expect(`\$ `) // sudo drops what is typed before its end

	a.show(t, forged, key)
	c.TypeLine("sudo -k; sudo id -u")
	c.Expect(`the certificate of the sign-in service is signed by an authority this machine does not trust\.`)
	if n := proxied.Load(); n != 0 {
		t.Errorf("%d connections to the proxy", n)
	}
}
