// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
)

// A Memory keeps a short text from one process to the next. What it returns is not trusted.
type Memory interface {
	Recall() (text []byte, ok bool)
	Keep(text []byte)
}

// maxVouched bounds the roots in a Memory. Entra ID and Resource Manager need one or two.
const maxVouched = 8

// trusting trusts the system's roots and those of the configuration, and avoids parsing them all:
// a distribution has 150 of them, which cost half of the time that a person waits for the prompt.
// It first trusts only those of them that a server's certificate has led to before. A pool with
// fewer roots accepts nothing that the pool with all of them would not, so it never decides alone
// that a certificate is bad: what it refuses is tried again with all roots.
type trusting struct {
	few    http.RoundTripper // nil: nothing is known yet
	all    func() (http.RoundTripper, error)
	loaded atomic.Bool // all has been needed
	bundle string      // file of the system's roots
	memory Memory
	hosts  sync.Map // whose roots are learned
}

// newTrusting returns what transport makes of the system's roots and own.
func newTrusting(
	bundle string, own []*x509.Certificate, m Memory,
	transport func(*x509.CertPool) http.RoundTripper,
) (http.RoundTripper, error) {
	all := sync.OnceValues(func() (http.RoundTripper, error) {
		roots, err := systemRoots(bundle)
		if err != nil {
			return nil, err
		}
		return transport(with(roots, own)), nil
	})
	if m == nil || bundle == "" {
		return all()
	}
	t := &trusting{all: all, bundle: bundle, memory: m}
	if text, ok := m.Recall(); ok {
		t.few = transport(with(with(x509.NewCertPool(), stillTrusted(bundle, text)), own))
		return t, nil
	}
	_, err := all()
	return t, err
}

func with(pool *x509.CertPool, more []*x509.Certificate) *x509.CertPool {
	for _, c := range more {
		pool.AddCert(c)
	}
	return pool
}

func (t *trusting) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.few == nil || t.loaded.Load() {
		return t.withAll(req)
	}
	resp, err := t.few.RoundTrip(req)
	if refused := (*tls.CertificateVerificationError)(nil); !errors.As(err, &refused) {
		return resp, err
	}
	again, ok := rewound(req)
	if !ok {
		return nil, err
	}
	return t.withAll(again)
}

func (t *trusting) withAll(req *http.Request) (*http.Response, error) {
	t.loaded.Store(true)
	all, err := t.all()
	if err != nil {
		return nil, err
	}
	resp, err := all.RoundTrip(req)
	if err == nil && resp.TLS != nil {
		if _, learned := t.hosts.LoadOrStore(req.URL.Host, true); !learned {
			t.learn(resp.TLS.VerifiedChains)
		}
	}
	return resp, err
}

// rewound returns req with its body unread. The handshake that failed has closed it.
func rewound(req *http.Request) (*http.Request, bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, false
	}
	again := req.Clone(req.Context())
	again.Body = body
	return again, true
}

// learn keeps the root that a server's certificate has led to. If one of its chains ends in a root
// of the configuration, none of the system's is needed.
func (t *trusting) learn(chains [][]*x509.Certificate) {
	bundle, err := os.ReadFile(t.bundle)
	if err != nil {
		return
	}
	var root []byte
	for _, chain := range chains {
		if root = encode(chain[len(chain)-1]); !bytes.Contains(bundle, root) {
			root = nil
			break
		}
	}
	known, ok := t.memory.Recall()
	switch {
	case ok && bytes.Contains(known, root):
	case bytes.Count(known, []byte("-----BEGIN")) >= maxVouched:
		t.memory.Keep(root)
	default:
		t.memory.Keep(append(bytes.Clone(known), root...))
	}
}

// stillTrusted returns those certificates of text that the bundle has, too.
func stillTrusted(bundle string, text []byte) []*x509.Certificate {
	if len(text) == 0 {
		return nil
	}
	trusted, err := os.ReadFile(bundle)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(parseCertificates(text), func(c *x509.Certificate) bool {
		return !bytes.Contains(trusted, encode(c))
	})
}

// parseCertificates does what [x509.CertPool.AppendCertsFromPEM] does.
func parseCertificates(text []byte) (all []*x509.Certificate) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return all
		}
		if block.Type != "CERTIFICATE" || len(block.Headers) != 0 {
			continue
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			all = append(all, c)
		}
	}
}

// encode returns a certificate as a bundle has it.
func encode(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// systemBundle returns the file that the distribution makes of its roots and the administrator's;
// "" if there is none. crypto/x509 would read each of them a second time, from a file of its own.
// The list is crypto/x509's (root_linux.go).
func systemBundle() string {
	for _, bundle := range []string{
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL
		"/etc/ssl/ca-bundle.pem",                            // openSUSE, SLES
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL 7 and later
	} {
		if info, err := os.Stat(bundle); err == nil && info.Size() > 0 {
			return bundle
		}
	}
	return ""
}

// systemRoots returns the roots of a bundle; if it has none, what crypto/x509 finds.
func systemRoots(bundle string) (*x509.CertPool, error) {
	text, err := os.ReadFile(bundle)
	if roots := x509.NewCertPool(); err == nil && roots.AppendCertsFromPEM(text) {
		return roots, nil
	}
	return x509.SystemCertPool()
}
