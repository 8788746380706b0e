// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// noted is a Memory that counts.
type noted struct {
	text []byte
	ok   bool
	kept int
}

func (n *noted) Recall() ([]byte, bool) { return n.text, n.ok }
func (n *noted) Keep(text []byte)       { n.text, n.ok = text, true; n.kept++ }

// authority is a root that serves with a certificate that it has signed.
type authority struct {
	root *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotAfter: time.Now().Add(time.Hour),
		IsCA:     true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return authority{signed(t, template, template, &key.PublicKey, key), key}
}

func signed(t *testing.T, template, parent *x509.Certificate, public, key any) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve echoes each request, and counts its connections.
func (a authority) serve(t *testing.T) (url string, connections func() int) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := signed(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, a.root, &key.PublicKey, a.key)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}},
	}
	count := make(chan int, 1)
	count <- 0
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			count <- <-count + 1
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, func() int { n := <-count; count <- n; return n }
}

// bundled returns a file of certificates as distributions make it.
func bundled(t *testing.T, roots ...*x509.Certificate) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bundle.crt")
	text := []byte("# roots\n")
	for _, root := range roots {
		text = append(text, encode(root)...)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// trustingClient returns a client with the roots of a bundle, and the number of times that it has
// had a transport made.
func trustingClient(
	t *testing.T, bundle string, own []*x509.Certificate, m Memory,
) (c *http.Client, loaded *int) {
	t.Helper()
	loaded = new(int)
	transport, err := newTrusting(bundle, own, m, func(roots *x509.CertPool) http.RoundTripper {
		*loaded++
		t := newTransport(time.Second)
		t.TLSClientConfig = &tls.Config{RootCAs: roots}
		return t
	})
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: plain{transport}}, loaded
}

func posted(c *http.Client, url string) (string, error) {
	resp, err := c.Post(url, "text/plain", strings.NewReader("as sent"))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// The knowledge of earlier processes changes how many roots are read, and never which certificates
// are accepted.
func TestRootsThatHaveVouched(t *testing.T) {
	used, other, foreign, own := newAuthority(t, "used"), newAuthority(t, "other"),
		newAuthority(t, "foreign"), newAuthority(t, "own")
	bundle := bundled(t, used.root, other.root)
	both := append(encode(used.root), encode(other.root)...)
	for _, test := range []struct {
		name        string
		known       *noted
		server      authority
		accepted    bool
		transports  int // 2: few roots were not enough
		connections int
		kept        []byte
	}{
		{"nothing known", &noted{}, used, true, 1, 1, encode(used.root)},
		{"the root known", &noted{encode(used.root), true, 0}, used, true, 1, 1, encode(used.root)},
		{"another one known", &noted{encode(other.root), true, 0}, used, true, 2, 2,
			append(encode(other.root), encode(used.root)...)},
		{"known, and none needed", &noted{nil, true, 0}, used, true, 2, 2, encode(used.root)},
		{"both known", &noted{both, true, 0}, other, true, 1, 1, both},
		{"of the configuration, nothing known", &noted{}, own, true, 1, 1, nil},
		{"of the configuration, no other known", &noted{nil, true, 0}, own, true, 1, 1, nil},
		{"nonsense known",
			&noted{[]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
				true, 0}, own, true, 1, 1,
			[]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")},
		{"known, but not trusted", &noted{encode(foreign.root), true, 0}, foreign, false,
			2, 2, encode(foreign.root)},
		{"neither known nor trusted", &noted{}, foreign, false, 1, 1, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, connections := test.server.serve(t)
			c, transports := trustingClient(t, bundle, []*x509.Certificate{own.root}, test.known)
			got, err := posted(c, url)
			var bad *CertificateError
			if test.accepted && got != "as sent" || !test.accepted && !errors.As(err, &bad) {
				t.Errorf("%q, %v", got, err)
			}
			if *transports != test.transports || connections() != test.connections {
				t.Errorf("%d transports, want %d; %d connections, want %d", *transports,
					test.transports, connections(), test.connections)
			}
			if !bytes.Equal(test.known.text, test.kept) {
				t.Errorf("kept\n%s\nwant\n%s", test.known.text, test.kept)
			}
		})
	}
}

// An administrator removes a root from the system's roots. From then on the root vouches for
// nobody.
func TestRootTakenOut(t *testing.T) {
	gone, other := newAuthority(t, "gone"), newAuthority(t, "other")
	url, _ := gone.serve(t)
	m := &noted{}
	c, _ := trustingClient(t, bundled(t, gone.root, other.root), nil, m)
	if _, err := posted(c, url); err != nil || !m.ok {
		t.Fatal(err, m.ok)
	}
	c, _ = trustingClient(t, bundled(t, other.root), nil, m)
	if _, err := posted(c, url); err == nil {
		t.Error("a root vouches that the system does not trust any more")
	}
}

// A process learns from each host once, and a Memory is bounded.
func TestRootsAreFew(t *testing.T) {
	m := &noted{}
	var all []*x509.Certificate
	var urls []string
	for range maxVouched + 2 {
		a := newAuthority(t, "one of many")
		url, _ := a.serve(t)
		all, urls = append(all, a.root), append(urls, url)
	}
	c, _ := trustingClient(t, bundled(t, all...), nil, m)
	for _, url := range append(urls, urls...) {
		if _, err := posted(c, url); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(parseCertificates(m.text)); m.kept != len(urls) || n != 2 {
		t.Errorf("%d certificates kept in %d times", n, m.kept)
	}
}

// Without a bundle, crypto/x509 finds the roots, and the Memory is not used.
func TestRootsWithoutABundle(t *testing.T) {
	a := newAuthority(t, "known")
	url, _ := a.serve(t)
	c, transports := trustingClient(t, "", nil, &noted{encode(a.root), true, 0})
	if _, err := posted(c, url); err == nil || *transports != 1 {
		t.Errorf("%v, %d transports", err, *transports)
	}
}
