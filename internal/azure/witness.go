// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// minSilence is how long a request must have been under way before the end of the caller's time
// says something about the network. On a busy machine, the request may not have been sent before.
const minSilence = 2 * time.Second

// watched tells errors of the network from errors of this machine. It also ends a request and its
// body after timeout, because http.Client's own time-out hides the cause.
type watched struct {
	next    http.RoundTripper
	timeout time.Duration
}

func (w watched) RoundTrip(req *http.Request) (*http.Response, error) {
	seen := &witness{caller: req.Context(), begun: time.Now()}
	ctx := context.WithValue(req.Context(), witnessKey{}, seen)
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	resp, err := w.next.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, seen.trace())))
	if err != nil {
		cancel()
		return nil, seen.judge(err)
	}
	resp.Body = &watchedBody{resp.Body, seen, cancel}
	return resp, nil
}

type watchedBody struct {
	io.ReadCloser
	seen   *witness
	cancel context.CancelFunc
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.seen.judge(err)
	}
	return n, err
}

func (b *watchedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// A witness sees every attempt to connect for one request, to each address of the host and each
// server of the resolver. The final error is that of one of them only.
type witness struct {
	caller context.Context
	begun  time.Time

	mu        sync.Mutex
	local     []error
	connected bool // to the host, or to its proxy
	resolver  bool // could be asked
}

type witnessKey struct{}

func (w *witness) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:     func(httptrace.GotConnInfo) { w.saw(&w.connected, nil) },
		ConnectDone: func(_, _ string, err error) { w.saw(&w.connected, err) },
	}
}

// saw notes the result of one step.
func (w *witness) saw(step *bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, local := localErrno(err); local {
		w.local = append(w.local, err)
	}
	*step = *step || err == nil
}

// judge returns err as a LocalError, or marked as from the network, or as it is.
func (w *witness) judge(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errno, is := localErrno(append(w.local, err)...); is {
		return local(errno, err)
	}
	if w.tellsOfNetwork(err) {
		return fromNetwork{err}
	}
	return err
}

func (w *witness) tellsOfNetwork(err error) bool {
	var lookup *net.DNSError
	var timed net.Error
	switch {
	case w.caller.Err() != nil:
		return w.caller.Err() == context.DeadlineExceeded && time.Since(w.begun) >= minSilence
	case errors.As(err, &lookup):
		return w.resolver
	case errors.As(err, &timed) && timed.Timeout():
		return true
	}
	return w.connected || numbered(err) // by now one of beyond
}

// resolver asks the servers of resolv.conf where the witness sees it. The errors of net.Resolver
// keep no error number.
func resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: dialWatched}
}

func dialWatched(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	w, watched := ctx.Value(witnessKey{}).(*witness)
	if !watched {
		return conn, err
	}
	if err != nil {
		w.saw(&w.resolver, err)
		return nil, err
	}
	if udp, ok := conn.(*net.UDPConn); ok {
		return &watchedUDP{udp, w}, nil
	}
	return conn, nil
}

// watchedUDP is a connection to a name server. It may fail only when it is written to, because of a
// firewall or a lack of buffers.
type watchedUDP struct {
	*net.UDPConn
	seen *witness
}

func (u *watchedUDP) Write(p []byte) (int, error) {
	n, err := u.UDPConn.Write(p)
	u.seen.saw(&u.seen.resolver, err)
	return n, err
}
