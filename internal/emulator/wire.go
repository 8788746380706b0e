// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/tls"
	"io"
	"net/http"
	"time"
)

// sendRaw answers with the fault's own bytes, which need not be HTTP.
func (f Fault) sendRaw(x *exchange) {
	conn, _, err := http.NewResponseController(x.ResponseWriter).Hijack()
	if err == nil {
		f.drip(conn, f.Raw, func() error { return nil })
		conn.Close()
	}
	panic(http.ErrAbortHandler)
}

// drip writes text, byte by byte if the fault says so. It stops when nobody reads it any more.
func (f Fault) drip(w io.Writer, text string, flush func() error) {
	if f.Drip == 0 {
		io.WriteString(w, text)
		return
	}
	for i := range len(text) {
		time.Sleep(time.Duration(f.Drip))
		if _, err := io.WriteString(w, text[i:i+1]); err != nil || flush() != nil {
			return
		}
	}
}

// Impostor makes new connections to EntraURL meet a server whose certificate CA does not vouch for,
// until it is called with false. Existing connections get no further answer.
func (s *Server) Impostor(on bool) {
	s.net.impostor.Store(on)
	if s.net.entra != nil {
		s.net.entra.SetKeepAlivesEnabled(!on)
	}
}

// unlessImpostor closes connections from before. Go's server leaves a connection open if it has
// never carried a request.
func (s *Server) unlessImpostor(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.net.impostor.Load() {
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	})
}

// certificate returns the certificate for the next connection.
func (s *Server) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if s.net.impostor.Load() {
		return &s.net.stranger, nil
	}
	return &s.net.leaf, nil
}
