// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dialed answers every dial of the client with err.
func dialed(c *http.Client, err error) {
	t := c.Transport.(watched).next.(bounded).next.(plain).next.(*http.Transport)
	t.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, err }
}

func opError(op string, err error) error { return &net.OpError{Op: op, Net: "tcp", Err: err} }

func ask(ctx context.Context, c *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	_, err = once(c, req)
	return err
}

// A socket call can end with each of these numbers. Only those that somebody else causes belong to
// the network.
func TestErrorNumbers(t *testing.T) {
	const network = "network"
	for errno, want := range map[syscall.Errno]string{
		syscall.EADDRNOTAVAIL: "out of local ports", syscall.EADDRINUSE: "out of local ports",
		syscall.EAGAIN:  "out of local ports",
		syscall.ENOBUFS: "out of memory", syscall.ENOMEM: "out of memory",
		syscall.EMFILE: "out of file descriptors", syscall.ENFILE: "out of file descriptors",
		syscall.EPERM: "a rule that forbids", syscall.EACCES: "a rule that forbids",
		syscall.EINVAL: "cannot make such", syscall.EAFNOSUPPORT: "cannot make such",
		syscall.EPROTONOSUPPORT: "cannot make such",
		syscall.EINTR:           "cannot make such", syscall.EALREADY: "cannot make such",
		syscall.EBADF: "cannot make such", syscall.ENOSYS: "cannot make such",
		syscall.ECONNREFUSED: network, syscall.ECONNRESET: network, syscall.ETIMEDOUT: network,
		syscall.ENETUNREACH:  network,
		syscall.EHOSTUNREACH: network, syscall.EPIPE: network, syscall.ENETDOWN: network,
	} {
		for _, proxy := range []string{"", "http://127.0.0.1:9", "https://127.0.0.1:9"} {
			c := newTestClient(t, Options{Proxy: proxy})
			dialed(c, opError("dial", os.NewSyscallError("connect", errno)))
			err := unreachable("x", ask(t.Context(), c, "https://host.example/"))
			var local *LocalError
			switch is := errors.As(err, &local); {
			case want == network && (is || !Outage(err)):
				t.Errorf("%v by proxy %q is no outage: %v", errno, proxy, err)
			case want != network &&
				(!is || Outage(err) || !strings.Contains(local.Problem, want) || local.Fix == ""):
				t.Errorf("%v by proxy %q: %v, want %q", errno, proxy, err, want)
			}
		}
	}
}

// These are errors without a number, and answers of servers.
func TestOutage(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want bool
	}{
		{"of no known cause", unreachable("x", errors.New("odd")), false},
		{"our own time", unreachable("x", context.DeadlineExceeded), false},
		{"refused", &Error{Status: 403}, false},
		{"asked too often", &Error{Op: ResourceManager, Status: 429}, false},
		{"metadata asked too often", &Error{Op: IdentityToken, Status: 429}, false},
		{"broken", &Error{Status: 500}, true},
		{"overloaded", &Error{Status: 503}, true},
		{"marked", unreachable("x", fromNetwork{errors.New("odd")}), true},
		{"local, whatever it wraps",
			unreachable("x", &LocalError{Err: fromNetwork{errors.New("odd")}}), false},
	} {
		if got := Outage(test.err); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	if Outage(nil) {
		t.Error("no error is an outage")
	}
}

// A bad or missing answer of a server is an error of the network.
func TestNetworkErrors(t *testing.T) {
	hang := make(chan struct{})
	s := tlsServer(t, func(w http.ResponseWriter, r *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		switch r.URL.Path {
		case "/garbage":
			io.WriteString(c, "no HTTP\r\n\r\n")
		case "/half":
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
		case "/silent":
			<-hang
		}
		c.Close()
	})
	t.Cleanup(func() { close(hang) })
	c := newTestClient(t, Options{CAFile: caFile(t, s)})
	slow := c.Transport.(watched)
	slow.timeout = 200 * time.Millisecond
	for path, client := range map[string]*http.Client{
		"/garbage": c,
		"/half":    c,
		"/closed":  c,
		"/silent":  {Transport: slow},
	} {
		if err := ask(t.Context(), client, s.URL+path); !Outage(err) {
			t.Errorf("%s: %v is no outage", path, err)
		}
	}
	if err := ask(t.Context(), newTestClient(t, Options{}), s.URL); !Outage(err) {
		t.Errorf("a certificate that is not trusted: %v", err)
	}
	// It is too early to blame the network.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := ask(ctx, c, s.URL+"/silent"); err == nil || Outage(err) {
		t.Errorf("the end of our time: %v", err)
	}
}

// closesAtOnce accepts connections and closes them.
func closesAtOnce(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return l.Addr().String()
}

func TestServerThatHangsUp(t *testing.T) {
	at := closesAtOnce(t)
	for _, url := range []string{"http://" + at, "https://" + at} {
		if err := ask(t.Context(), newTestClient(t, Options{}), url); !Outage(err) {
			t.Errorf("%s: %v is no outage", url, err)
		}
	}
	err := ask(t.Context(), newTestClient(t, Options{Proxy: "http://" + at}),
		"https://host.example")
	if !Outage(err) {
		t.Errorf("a proxy: %v is no outage", err)
	}
}

// One address of a host is out of order, and at another this machine lacks something. The lack may
// be the cause.
func TestOneOfTwoAddresses(t *testing.T) {
	w := &witness{caller: t.Context(), begun: time.Now()}
	trace := w.trace()
	trace.ConnectDone("tcp", "192.0.2.1:443",
		opError("dial", os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)))
	trace.ConnectDone("tcp", "[2001:db8::1]:443",
		opError("dial", os.NewSyscallError("connect", syscall.ENETUNREACH)))
	err := w.judge(opError("dial", os.NewSyscallError("connect", syscall.ENETUNREACH)))
	if Outage(err) || !errors.As(err, new(*LocalError)) {
		t.Errorf("%v", err)
	}
}

// A name server says that a name does not exist, or cannot be asked.
func TestLookup(t *testing.T) {
	lookup := &net.DNSError{Err: "server misbehaving", Name: "host.example", IsTemporary: true}
	failed := func(op, call string, number syscall.Errno) error {
		return opError(op, os.NewSyscallError(call, number))
	}
	for _, test := range []struct {
		name  string
		steps []error // of asking name servers
		want  bool
	}{
		{"never asked", nil, false},
		{"asked", []error{nil}, true},
		{"one server is not there", []error{failed("dial", "connect", syscall.ENETUNREACH), nil}, true},
		{"no port for one", []error{nil, failed("dial", "connect", syscall.EADDRNOTAVAIL)}, false},
		{"no descriptor", []error{failed("dial", "socket", syscall.EMFILE)}, false},
		{"the firewall refuses", []error{nil, failed("write", "write", syscall.EPERM)}, false},
	} {
		w := &witness{caller: t.Context(), begun: time.Now()}
		for _, err := range test.steps {
			w.saw(&w.resolver, err)
		}
		if err := w.judge(opError("dial", lookup)); Outage(err) != test.want {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// The host of a proxy's URL is looked up and dialed like any other.
func TestProxyLookup(t *testing.T) {
	c := newTestClient(t, Options{Proxy: "http://proxy.example:3128"})
	transport := c.Transport.(watched).next.(bounded).next.(plain).next.(*http.Transport)
	u, _ := transport.Proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: "x"}})
	if u.Host != "proxy.example:3128" {
		t.Fatal(u)
	}
	transport.TLSClientConfig = &tls.Config{}
	dialed(c, opError("dial", &net.DNSError{Err: "no", Name: "proxy.example"}))
	if err := ask(t.Context(), c, "https://host.example"); err == nil || Outage(err) {
		t.Errorf("%v", err)
	}
}

// The request goes over a connection that exists already.
func TestKeptConnection(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/drop" {
			panic(http.ErrAbortHandler)
		}
	}))
	defer s.Close()
	c := newTestClient(t, Options{})
	if err := ask(t.Context(), c, s.URL); err != nil {
		t.Fatal(err)
	}
	if err := ask(t.Context(), c, s.URL+"/drop"); !Outage(err) {
		t.Errorf("%v is no outage", err)
	}
}
