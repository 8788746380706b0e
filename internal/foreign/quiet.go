// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Quiet is err, which happened to req or its answer, with a text that quotes
// nothing of the answer and of our own request no more than method and host.
// The errors of net/http quote what does not parse: a server that speaks no
// HTTP, or a proxy that mixes up two answers, would have a token in the log.
func Quiet(req *http.Request, err error) error {
	var (
		network *net.OpError
		lookup  *net.DNSError
		whole   interface{ QuotesNothing() }
	)
	if err == nil {
		return nil
	}
	var text string
	switch {
	case errors.As(err, &whole):
		text = whole.(error).Error()
	case errors.As(err, &network):
		text = network.Error()
	case errors.As(err, &lookup):
		text = lookup.Error()
	default:
		// Server text is in quotes, and so is the URL in an error of http.Client, which a redirect may have named.
		text = err.Error()
		if outer := (*url.Error)(nil); errors.As(err, &outer) {
			text = outer.Err.Error()
		}
		text, _, _ = strings.Cut(text, `"`)
		text = strings.TrimRight(text, " :[")
		if !ours(text) {
			text = "no usable answer, of the host or of the proxy" // which may say anything when it refuses to connect
		}
	}
	return &quiet{req.Method + " " + req.URL.Scheme + "://" + req.URL.Host + ": " + text, err}
}

// ours are texts of this package and of the standard library, apart from what
// they quote.
func ours(text string) bool {
	for _, begins := range []string{"azure: ", "net/http: ", "http: ", "http2: ", "malformed ", "tls: ", "x509: ", "remote error: tls: ",
		"context ", "EOF", "unexpected EOF", "bad ", "gzip: ", "bufio: ", "flate: ", "transport "} {
		if strings.HasPrefix(text, begins) {
			return true
		}
	}
	return false
}

type quiet struct {
	text  string
	cause error
}

func (q *quiet) Error() string { return q.text }
func (q *quiet) Unwrap() error { return q.cause }
