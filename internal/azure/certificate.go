// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// A CertificateError is returned if a server's certificate is not accepted. No retry changes that.
type CertificateError struct {
	Host    string
	Problem string // ours, not the server's
	Err     error
}

func (e *CertificateError) Error() string {
	return fmt.Sprintf("azure: certificate of %s %s: %v", e.Host, e.Problem, e.Err)
}

func (e *CertificateError) Unwrap() error { return e.Err }

// QuotesNothing has foreign.Quiet take the text as it is: the server chose no more of it than the
// names in its certificate.
func (e *CertificateError) QuotesNothing() {}

// plain describes certificate problems in words that an administrator can act on.
type plain struct{ next http.RoundTripper }

func (p plain) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := p.next.RoundTrip(req)
	if v := (*tls.CertificateVerificationError)(nil); errors.As(err, &v) {
		host := req.URL.Host
		if o := (*net.OpError)(nil); errors.As(err, &o) && o.Op == "proxyconnect" {
			host = "endpoints.proxy"
		}
		return nil, &CertificateError{Host: host, Problem: problem(v.Err), Err: err}
	}
	return resp, err
}

func problem(err error) string {
	var (
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &unknown):
		return "is signed by an authority this machine does not trust"
	case errors.As(err, &host):
		return "is for another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "has expired or is not valid yet, or the clock of this machine is wrong"
	default:
		return "is not acceptable"
	}
}
