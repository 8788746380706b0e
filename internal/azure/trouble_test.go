// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
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

// Each number that a socket call can end with: of the network are those alone that somebody else
// brings about.
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

// Errors without a number, and what servers answer.
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

// What comes from a server, or does not come, is of the network.
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
	for path, client := range map[string]*http.Client{"/garbage": c, "/half": c, "/closed": c,
		"/silent": {Transport: slow}} {
		if err := ask(t.Context(), client, s.URL+path); !Outage(err) {
			t.Errorf("%s: %v is no outage", path, err)
		}
	}
	if err := ask(t.Context(), newTestClient(t, Options{}), s.URL); !Outage(err) {
		t.Errorf("a certificate that is not trusted: %v", err)
	}
	// Too soon to tell.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := ask(ctx, c, s.URL+"/silent"); err == nil || Outage(err) {
		t.Errorf("the end of our time: %v", err)
	}
}

// closesAtOnce accepts connections and says nothing.
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
	if err := ask(t.Context(), newTestClient(t, Options{Proxy: "http://" + at}),
		"https://host.example"); !Outage(err) {
		t.Errorf("a proxy: %v is no outage", err)
	}
}

// One address of a host is out of order, at another this machine lacks something: that may be why.
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

// A name that cannot be looked up: by the answer of a name server, or because it could not be
// asked.
func TestLookup(t *testing.T) {
	lookup := &net.DNSError{Err: "server misbehaving", Name: "host.example", IsTemporary: true}
	for _, test := range []struct {
		name  string
		steps []error // of asking name servers
		want  bool
	}{
		{"never asked", nil, false},
		{"asked", []error{nil}, true},
		{"one server is not there",
			[]error{opError("dial", os.NewSyscallError("connect", syscall.ENETUNREACH)), nil},
			true},
		{"no port for one",
			[]error{nil, opError("dial", os.NewSyscallError("connect", syscall.EADDRNOTAVAIL))},
			false},
		{"no descriptor", []error{opError("dial", os.NewSyscallError("socket", syscall.EMFILE))},
			false},
		{"the firewall refuses",
			[]error{nil, opError("write", os.NewSyscallError("write", syscall.EPERM))}, false},
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

// starved makes this test binary a process that asks with no descriptor left.
const starved = "AAD_LOGIN_TEST_STARVED"

func TestMain(m *testing.M) {
	if at := os.Getenv(starved); at != "" {
		os.Stdout.WriteString(askStarved(at) + "\n")
		return
	}
	os.Exit(m.Run())
}

func askStarved(at string) string {
	c, err := NewClient(Options{})
	if err != nil {
		return err.Error()
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE,
		&syscall.Rlimit{Cur: 32, Max: 32}); err != nil {
		return err.Error()
	}
	var held []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		held = append(held, f)
	}
	err = ask(context.Background(), c, at)
	for _, f := range held {
		f.Close()
	}
	var local *LocalError
	if errors.As(err, &local) && !Outage(err) {
		return local.Problem
	}
	return "other: " + err.Error()
}

// Really without descriptors: neither the resolver nor the dialer gets one.
func TestNoDescriptors(t *testing.T) {
	for _, at := range []string{"http://127.0.0.1:9", "http://host.example"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), starved+"="+at)
		out, err := cmd.StdoutPipe()
		if err != nil || cmd.Start() != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		if cmd.Wait(); line != "is out of file descriptors\n" {
			t.Errorf("%s: %q", at, line)
		}
	}
}

// The URL of a proxy that is not there is looked up and dialed like any host.
func TestProxyLookup(t *testing.T) {
	c := newTestClient(t, Options{Proxy: "http://proxy.example:3128"})
	transport := c.Transport.(watched).next.(bounded).next.(plain).next.(*http.Transport)
	if u, _ := transport.Proxy(&http.Request{URL: &url.URL{Scheme: "https",
		Host: "x"}}); u.Host != "proxy.example:3128" {
		t.Fatal(u)
	}
	transport.TLSClientConfig = &tls.Config{}
	dialed(c, opError("dial", &net.DNSError{Err: "no", Name: "proxy.example"}))
	if err := ask(t.Context(), c, "https://host.example"); err == nil || Outage(err) {
		t.Errorf("%v", err)
	}
}

// What is sent on a connection that is there already.
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
