// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// trust adds a certificate to the file that endpoints.ca_file names.
func (m *machine) trust(c *x509.Certificate) {
	m.t.Helper()
	bundle := slices.Concat(m.entra.CA(),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	m.write(filepath.Join(m.dir, "ca.pem"), string(bundle))
}

// The person and the log are told the exact problem of the sign-in service's certificate, because
// each problem has another remedy. None of the sentences advises to try again.
func TestCertificates(t *testing.T) {
	t.Parallel()
	const problem = "Tell the administrator of this machine: the certificate of the sign-in " +
		"service "
	now := time.Now()
	for _, test := range []struct {
		name      string
		from, to  time.Time
		address   string
		untrusted bool
		version   uint16 // the highest that the server speaks
		want      Verdict
		told      string
		logged    string
	}{
		{name: "good", want: Success, logged: "signed-in"},
		{name: "expired", to: now.Add(-time.Hour), want: Unreachable,
			told: problem +
				"has expired or is not valid yet, or the clock of this machine is wrong.",
			logged: "is after"},
		{name: "not valid yet", from: now.Add(time.Hour), want: Unreachable,
			told: problem +
				"has expired or is not valid yet, or the clock of this machine is wrong.",
			logged: "is before"},
		{name: "of another host", address: "192.0.2.1", want: Unreachable,
			told: problem + "is for another host.", logged: "valid for 192.0.2.1, not 127.0.0.1"},
		{name: "of an unknown authority", untrusted: true, want: Unreachable,
			told:   problem + "is signed by an authority this machine does not trust.",
			logged: "signed by unknown authority"},
		{name: "TLS 1.1", version: tls.VersionTLS11, want: Unreachable, told: noService,
			logged: "protocol version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.from.IsZero() {
				test.from = now.Add(-24 * time.Hour)
			}
			if test.to.IsZero() {
				test.to = now.Add(24 * time.Hour)
			}
			if test.address == "" {
				test.address = "127.0.0.1"
			}
			m := newMachine(t, "")
			front := httptest.NewUnstartedServer(m.entra.Entra())
			front.Config.ErrorLog = log.New(io.Discard, "", 0)
			front.TLS = &tls.Config{
				Certificates: []tls.Certificate{selfSigned(t, test.address, test.from, test.to)},
				MinVersion:   tls.VersionTLS10, MaxVersion: test.version,
			}
			front.StartTLS()
			t.Cleanup(front.Close)
			if !test.untrusted {
				m.trust(front.Certificate())
			}
			text, err := os.ReadFile(m.config)
			if err != nil {
				t.Fatal(err)
			}
			// The authority's line is before Azure's.
			m.configure(strings.Replace(string(text), m.entra.EntraURL(), front.URL, 1))
			got, conv := m.signIn(m.request(user), user)
			ended(t, got, conv, test.want, test.told, test.logged)
			if test.want != Success && len(conv.prompts) != 0 {
				t.Errorf("prompted: %q", conv.prompts)
			}
		})
	}
}

// selfSigned returns a certificate that is its own authority.
func selfSigned(t *testing.T, address string, from, to time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to,
		IPAddresses: []net.IP{net.ParseIP(address)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
