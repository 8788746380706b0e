// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"time"
)

// Options are the two things that an administrator may change about how servers are reached. The
// zero value is the system's roots and no proxy.
type Options struct {
	CAFile string // PEM bundle added to the system's roots
	Proxy  string // http://host:port or https://host:port
	Roots  Memory // of the roots that servers have needed; nil: all roots are read every time
}

// NewClient returns the client for Entra ID and Resource Manager. It returns an error only for bad
// options: an unreadable CA file, or a proxy that is no URL.
func NewClient(o Options) (*http.Client, error) {
	own, err := readCAFile(o.CAFile)
	if err != nil {
		return nil, err
	}
	proxy, err := explicitProxy(o.Proxy)
	if err != nil {
		return nil, err
	}
	transport := func(roots *x509.CertPool) http.RoundTripper {
		t := newTransport(10 * time.Second)
		t.Proxy, t.OnProxyConnectResponse = proxy, proxyRefuses
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
		return t
	}
	t, err := newTrusting(systemBundle(), own, o.Roots, transport)
	if err != nil {
		return nil, fmt.Errorf("azure: system roots: %w", err)
	}
	return &http.Client{
		Transport:     watched{bounded{plain{t}}, 30 * time.Second},
		CheckRedirect: sameHostOnly,
	}, nil
}

// newTransport returns what both clients share. It speaks only HTTP/1.1: a sign-in makes a handful
// of requests, and HTTP/2 would be the larger half of the attack surface.
func newTransport(dial time.Duration) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: dial, KeepAlive: 30 * time.Second, Resolver: resolver()}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		Protocols:              protocols,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  20 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConns:           8,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// readCAFile returns the certificates of file; none if there is no file.
func readCAFile(file string) ([]*x509.Certificate, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := readTrusted(file)
	if err != nil {
		return nil, fmt.Errorf("azure: CA file: %w", err)
	}
	own := parseCertificates(pem)
	if len(own) == 0 {
		return nil, fmt.Errorf("azure: CA file: %s holds no PEM certificate", file)
	}
	return own, nil
}

// readTrusted reads a file that decides who vouches for Entra ID. So only root, or the user that
// this runs as, may be able to write it.
func readTrusted(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	ours := owner == 0 || owner == uint32(os.Geteuid())
	if !ours || !info.Mode().IsRegular() || info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("%s can be written by others; "+
			"run: chown root %[1]s && chmod 644 %[1]s", file)
	}
	return io.ReadAll(io.LimitReader(f, 1<<20))
}

// explicitProxy never reads the environment. A proxy's URL may hold a password, so errors do not
// repeat it.
func explicitProxy(text string) (func(*http.Request) (*url.URL, error), error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("azure: proxy: want http://host:port or https://host:port")
	}
	return http.ProxyURL(u), nil
}

// sameHostOnly lets a server redirect to another page, but not to another host: the request may
// carry a token in its header, or a device code in its body.
func sameHostOnly(next *http.Request, via []*http.Request) error {
	from := via[0].URL
	if next.URL.Scheme != from.Scheme || next.URL.Host != from.Host {
		return fmt.Errorf("azure: redirect from %s to another host %q refused",
			from.Host, next.URL.Host)
	}
	if len(via) > 3 {
		return errors.New("azure: more than 3 redirects")
	}
	return nil
}
