// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// listeners holds the listeners and certificates of a started server.
type listeners struct {
	entra, metadata *http.Server
	entraURL        string
	metadataURL     string
	ca              []byte
	leaf, stranger  tls.Certificate // CA does not know the signer of the second
	impostor        atomic.Bool
	done            sync.WaitGroup
}

// Start listens on both addresses and serves until Close or Shutdown. It is called once.
func (s *Server) Start() error {
	s.setUp()
	entra, err := net.Listen("tcp", orFreePort(s.EntraAddr))
	if err != nil {
		return fmt.Errorf("emulator: listen for Entra ID: %w", err)
	}
	metadata, err := net.Listen("tcp", orFreePort(s.MetadataAddr))
	if err != nil {
		entra.Close()
		return fmt.Errorf("emulator: listen for metadata: %w", err)
	}
	ca, leaf, err := certificates(s.now(), entra.Addr())
	if err == nil {
		_, s.net.stranger, err = certificates(s.now(), entra.Addr())
	}
	if err != nil {
		entra.Close()
		metadata.Close()
		return err
	}
	s.net.ca, s.net.leaf = ca, leaf
	s.net.entraURL = "https://" + entra.Addr().String()
	s.net.metadataURL = "http://" + metadata.Addr().String()
	s.warmUp() // so that the first answers are as fast as later ones
	s.net.entra = newHTTPServer(s.unlessImpostor(s.Entra()))
	s.net.metadata = newHTTPServer(s.Metadata())
	config := &tls.Config{GetCertificate: s.certificate, MinVersion: tls.VersionTLS12}
	s.serve(s.net.entra, tls.NewListener(entra, config))
	s.serve(s.net.metadata, metadata)
	return nil
}

// newHTTPServer returns a server for HTTP/1.1 only. A fault that cuts an answer short or resets the
// connection then does exactly that on the wire.
func newHTTPServer(h http.Handler) *http.Server {
	var only http.Protocols
	only.SetHTTP1(true)
	return &http.Server{
		Handler:           h,
		Protocols:         &only,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // clients report a CA that they distrust
	}
}

func (s *Server) serve(h *http.Server, l net.Listener) {
	s.net.done.Go(func() { h.Serve(l) }) // returns ErrServerClosed in the end
}

// Shutdown stops listening, and lets requests end until ctx does.
func (s *Server) Shutdown(ctx context.Context) error {
	return s.stop(func(h *http.Server) error { return h.Shutdown(ctx) })
}

// Close stops at once and aborts all requests.
func (s *Server) Close() error {
	return s.stop((*http.Server).Close)
}

func (s *Server) stop(how func(*http.Server) error) error {
	if s.net.entra == nil {
		return nil
	}
	err := errors.Join(how(s.net.entra), how(s.net.metadata))
	s.net.done.Wait()
	if err != nil {
		return fmt.Errorf("emulator: stop: %w", err)
	}
	return nil
}

// EntraURL returns the base of the URLs of Entra ID and ARM after Start, "https://127.0.0.1:8443".
func (s *Server) EntraURL() string { return s.net.entraURL }

// MetadataURL returns the base of the metadata service's URLs after Start, "http://127.0.0.1:8442".
func (s *Server) MetadataURL() string { return s.net.metadataURL }

// VerificationURI returns the address of the page for device codes.
func (s *Server) VerificationURI() string {
	if uri := s.directory().VerificationURI; uri != "" {
		return uri
	}
	if s.net.metadataURL == "" {
		return "http://127.0.0.1:8442" + pagePath
	}
	return s.net.metadataURL + pagePath
}

// CA returns the certificate of the authority for EntraURL after Start, in PEM.
func (s *Server) CA() []byte { return s.net.ca }

func orFreePort(addr string) string {
	if addr == "" {
		return "127.0.0.1:0"
	}
	return addr
}
