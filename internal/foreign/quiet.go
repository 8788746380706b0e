// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Quiet returns err, which happened to req or its answer, with a safe text: it quotes nothing of
// the answer, and of the request only method and host. The errors of net/http quote what they
// cannot parse, so a server that speaks no HTTP, or a proxy that mixes up two answers, could put a
// token into the log. A type of ours with a method QuotesNothing is shown with its whole text.
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
		// Server text is quoted. So is the URL in an error of http.Client, which may come from a
		// redirect.
		text = err.Error()
		if outer := (*url.Error)(nil); errors.As(err, &outer) {
			text = outer.Err.Error()
		}
		text, _, _ = strings.Cut(text, `"`)
		text = strings.TrimRight(text, " :[")
		if !ours(text) {
			// a proxy that refuses to connect may say anything
			text = "no usable answer, of the host or of the proxy"
		}
	}
	return &quiet{req.Method + " " + req.URL.Scheme + "://" + req.URL.Host + ": " + text, err}
}

// ours recognises texts of package azure and of the standard library, apart from what they quote.
func ours(text string) bool {
	return slices.ContainsFunc(ourTexts, func(begins string) bool {
		return strings.HasPrefix(text, begins)
	})
}

var ourTexts = []string{
	"azure: ", "net/http: ", "http: ", "http2: ", "malformed ",
	"tls: ", "x509: ", "remote error: tls: ", "context ", "EOF", "unexpected EOF",
	"bad ", "gzip: ", "bufio: ", "flate: ", "transport ",
}

type quiet struct {
	text  string
	cause error
}

func (q *quiet) Error() string { return q.text }
func (q *quiet) Unwrap() error { return q.cause }
