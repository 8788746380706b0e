// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/foreign"
)

// caFile writes the certificate of s where NewClient can read it.
func caFile(t *testing.T, s *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func newTestClient(t *testing.T, o Options) *http.Client {
	t.Helper()
	c, err := NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func tlsServer(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestClientTrustsCAFile(t *testing.T) {
	s := tlsServer(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	resp, err := newTestClient(t, Options{CAFile: caFile(t, s)}).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 1 || resp.TLS.Version < tls.VersionTLS12 {
		t.Errorf("HTTP/%d over TLS %x", resp.ProtoMajor, resp.TLS.Version)
	}
}

func TestClientNamesCertificateProblem(t *testing.T) {
	s := tlsServer(t, func(http.ResponseWriter, *http.Request) {})
	trusting := Options{CAFile: caFile(t, s)}
	elsewhere := strings.Replace(s.URL, "127.0.0.1", "0.0.0.0", 1)
	tests := []struct {
		name, url, want string
		options         Options
	}{
		{"unknown authority", s.URL, "does not trust", Options{}},
		{"other host", elsewhere, "is for another host", trusting},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := newTestClient(t, test.options).Get(test.url)
			var bad *CertificateError
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want a CertificateError saying %q", err, test.want)
			}
		})
	}
}

// An attacker on the path would want a downgrade to TLS 1.1.
func TestClientRefusesOldTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	s.StartTLS()
	defer s.Close()
	if _, err := newTestClient(t, Options{CAFile: caFile(t, s)}).Get(s.URL); err == nil {
		t.Error("TLS 1.1 accepted")
	}
}

func TestClientBadOptions(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(garbage, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	writable := caFile(t, tlsServer(t, func(http.ResponseWriter, *http.Request) {}))
	if err := os.Chmod(writable, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{
		{CAFile: garbage},
		{CAFile: writable}, // anybody could vouch for Entra ID
		{CAFile: filepath.Dir(writable)},
		{CAFile: garbage + ".missing"},
		{Proxy: "proxy.example:3128"},
		{Proxy: "ftp://user:hunter2@proxy.example"},
		{Proxy: "http://user:hunter2@[::1"},
	} {
		_, err := NewClient(o)
		if err == nil {
			t.Errorf("%+v accepted", o)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("password in error: %v", err)
		}
	}
}

// HTTPS_PROXY in the environment of sudo must not route a sign-in.
func TestClientIgnoresEnvironmentProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	c := newTestClient(t, Options{})
	if c.Transport.(watched).next.(bounded).next.(plain).next.(*http.Transport).Proxy != nil {
		t.Error("a proxy without being told of one")
	}
	c = new(Metadata).newClient()
	if c.Transport.(watched).next.(bounded).next.(*http.Transport).Proxy != nil {
		t.Error("the metadata client has a proxy")
	}
}

func TestClientUsesExplicitProxy(t *testing.T) {
	var asked string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
	}))
	defer proxy.Close()
	resp, err := newTestClient(t, Options{Proxy: proxy.URL}).Get("http://login.example/x")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if asked != "http://login.example/x" {
		t.Errorf("proxy was asked for %q", asked)
	}
}

// A proxy that refuses may send any text, and the text is not repeated. If its certificate is bad,
// the error says so.
func TestProxyThatRefuses(t *testing.T) {
	refuse := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(c, "HTTP/1.1 403 eyJsecret of somebody else\r\n\r\n")
		c.Close()
	})
	plain, secure := httptest.NewServer(refuse), httptest.NewUnstartedServer(refuse)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer plain.Close()
	defer secure.Close()
	for proxy, want := range map[string]string{
		plain.URL:  "no usable answer",
		secure.URL: "certificate of endpoints.proxy is signed by",
	} {
		req, err := http.NewRequest("GET", "https://login.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = newTestClient(t, Options{Proxy: proxy}).Do(req)
		err = foreign.Quiet(req, err)
		if err == nil || strings.Contains(err.Error(), "eyJ") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestClientRedirects(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the other host was asked")
	}))
	defer other.Close()
	mux := http.NewServeMux()
	mux.Handle("/moved", http.RedirectHandler("/here", http.StatusTemporaryRedirect))
	mux.HandleFunc("/here", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/away", http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusTemporaryRedirect))
	s := httptest.NewServer(mux)
	defer s.Close()
	for path, want := range map[string]string{
		"/moved": "",
		"/away":  "another host",
		"/loop":  "more than 3",
	} {
		resp, err := newTestClient(t, Options{}).Post(s.URL+path, "text/plain",
			strings.NewReader("secret"))
		if err == nil {
			resp.Body.Close()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

func TestClientBoundsBody(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, maxBody)
		switch r.URL.Path {
		case "/exact":
			w.Write(body)
		case "/declared":
			w.Header().Set("Content-Length", "1048577")
			w.Write(append(body, 0))
		case "/chunked":
			w.Write(body)
			w.(http.Flusher).Flush()
			w.Write([]byte{0})
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write(body)
			z.Write(body)
			z.Close()
		}
	}))
	defer s.Close()
	for path, want := range map[string]error{
		"/exact":    nil,
		"/declared": ErrTooLarge,
		"/chunked":  ErrTooLarge,
		"/bomb":     ErrTooLarge,
	} {
		resp, err := newTestClient(t, Options{}).Get(s.URL + path)
		if err == nil {
			var body []byte
			body, err = io.ReadAll(resp.Body)
			resp.Body.Close()
			if len(body) != maxBody {
				t.Errorf("%s: read %d bytes", path, len(body))
			}
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}

// A proxy that wants a password says so with a status of its own. The error asks for nothing that
// the configuration refuses (testdata/config/proxy-userinfo.toml), and the proxy's text does not go
// into the log.
func TestProxyWantsPassword(t *testing.T) {
	for status, want := range map[string]string{
		"407 Proxy Authentication Required": "the proxy asks for a name and a password (HTTP " +
			"407), which endpoints.proxy cannot hold: have it let this machine through",
		"407 secret": "the proxy asks for a name and a password (HTTP 407)",
		"403 secret": "no usable answer, of the host or of the proxy",
	} {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			io.WriteString(conn, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
		}))
		c, err := NewClient(Options{Proxy: proxy.URL})
		if err != nil {
			t.Fatal(err)
		}
		arm := &ARM{
			Endpoint: "https://management.example", HTTP: c,
			Bearer: func(context.Context) (string, error) { return "t", nil },
			Sleep:  func(context.Context, time.Duration) error { return nil },
		}
		_, err = arm.Get(t.Context(), "/x", nil)
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", status, err)
		}
		proxy.Close()
	}
}
