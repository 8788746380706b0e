// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Fault is an error at an endpoint. A fault that only delays lets the request through afterwards.
// Any other fault answers instead of the endpoint, so a failed request has no effect. If several
// match, the first that is not over happens.
type Fault struct {
	Endpoint string            `toml:"endpoint" json:"endpoint"`                           // see endpoints
	Status   int               `toml:"status,omitempty" json:"status,omitempty"`           // HTTP status
	Error    string            `toml:"error,omitempty" json:"error,omitempty"`             // answer in the endpoint's own shape of error: this word …
	AADSTS   int               `toml:"aadsts,omitempty" json:"aadsts,omitempty"`           // … with this number
	Body     string            `toml:"body,omitempty" json:"body,omitempty"`               // answer with exactly this
	Header   map[string]string `toml:"header,omitempty" json:"header,omitempty"`           // added
	Retry    string            `toml:"retry_after,omitempty" json:"retry_after,omitempty"` // Retry-After; the default status is then 429
	RetryAt  Duration          `toml:"retry_at,omitempty" json:"retry_at,omitempty"`       // the same as a date, this long after the answer
	Delay    Duration          `toml:"delay,omitempty" json:"delay,omitempty"`             // before anything else
	Reset    bool              `toml:"reset,omitempty" json:"reset,omitempty"`             // TCP reset instead of an answer
	HalfBody bool              `toml:"half_body,omitempty" json:"half_body,omitempty"`     // the connection ends halfway through the body
	Size     int               `toml:"size,omitempty" json:"size,omitempty"`               // fill the body up with spaces to this many bytes
	Raw      string            `toml:"raw,omitempty" json:"raw,omitempty"`                 // these bytes instead of HTTP, then the connection ends
	Drip     Duration          `toml:"drip,omitempty" json:"drip,omitempty"`               // before each byte of the body, or of raw
	After    int               `toml:"after,omitempty" json:"after,omitempty"`             // let this many requests through first
	Times    int               `toml:"times,omitempty" json:"times,omitempty"`             // 0: every time
}

// endpoints are the names in faults and the request log, each with the names of its groups besides
// "*".
var endpoints = map[string][]string{
	"openid":          {"entra"},
	"keys":            {"entra"},
	"devicecode":      {"entra"},
	"token":           {"entra"},
	"authorize":       {"entra"},
	"checkaccess":     {"arm"},
	"roleassignments": {"arm"},
	"roledefinitions": {"arm"},
	"denyassignments": {"arm"},
	"permissions":     {"arm"},
	"instance":        {"metadata"},
	"info":            {"metadata"},
	"identity":        {"metadata"},
	"page":            nil,
}

func knownEndpoint(name string) bool {
	if _, ok := endpoints[name]; ok {
		return true
	}
	return slices.Contains([]string{"*", "entra", "arm", "metadata"}, name)
}

// problem returns a wrong key and a sentence, or an empty sentence.
func (f Fault) problem() (key, sentence string) {
	switch {
	case !knownEndpoint(f.Endpoint):
		return "endpoint",
			fmt.Sprintf("%q is none of openid, keys, devicecode, token, authorize, checkaccess, "+
				"roleassignments, roledefinitions, denyassignments, permissions, instance, info, "+
				"identity, page, entra, arm, metadata, *", f.Endpoint)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return "status", "an HTTP status is between 200 and 599"
	case f.Times < 0 || f.After < 0:
		return "times", "times and after count from 0"
	case f.Size < 0 || f.Size > 1<<28:
		return "size", "a body has between 0 and 268435456 bytes"
	case f.AADSTS != 0 && f.Error == "":
		return "aadsts", "the number goes with an error word"
	case !f.answers() && f.Delay == 0:
		return "", "nothing would go wrong: give status, error, body, retry_after, retry_at, " +
			"delay, reset, half_body, size or raw"
	case f.Drip != 0 && f.Raw == "" && f.Body == "" && f.Size == 0:
		return "drip", "it goes with body, size or raw"
	}
	return "", ""
}

// answers reports whether the fault answers instead of the endpoint.
func (f Fault) answers() bool {
	return f.Status != 0 || f.Error != "" || f.Body != "" || f.Retry != "" || f.RetryAt != 0 ||
		f.Reset || f.HalfBody || f.Size != 0 || f.Raw != ""
}

// A plannedFault is a fault with the number of requests that matched so far.
type plannedFault struct {
	Fault
	seen int
}

// spent reports whether the fault is over.
func (p *plannedFault) spent() bool { return p.Times > 0 && p.seen >= p.After+p.Times }

// plan adds faults. The caller holds the mutex.
func (s *Server) plan(faults []Fault) {
	for _, f := range faults {
		s.faults = append(s.faults, &plannedFault{Fault: f})
	}
}

// Fail adds faults. It panics on a fault that Parse would refuse, because a test with a misspelled
// endpoint would test nothing.
func (s *Server) Fail(faults ...Fault) {
	for _, f := range faults {
		if key, problem := f.problem(); problem != "" {
			panic("emulator: fault: " + key + ": " + problem)
		}
	}
	defer s.lock()()
	s.plan(faults)
}

// Heal ends all faults.
func (s *Server) Heal() {
	defer s.lock()()
	s.faults = nil
}

// Faults returns the faults that are not over.
func (s *Server) Faults() []Fault {
	s.setUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	left := []Fault{}
	for _, p := range s.faults {
		if !p.spent() {
			left = append(left, p.Fault)
		}
	}
	return left
}

// next counts a request and returns the fault that happens to it.
func (s *Server) next(endpoint string) (Fault, bool) {
	defer s.lock()()
	for _, p := range s.faults {
		match := p.Endpoint == endpoint || slices.Contains(endpoints[endpoint], p.Endpoint) ||
			p.Endpoint == "*" && endpoint != "page"
		if !match || p.spent() {
			continue
		}
		if p.seen++; p.seen > p.After {
			return p.Fault, true
		}
	}
	return Fault{}, false
}

// fail lets a fault happen, and reports whether it was the answer.
func (s *Server) fail(x *exchange) bool {
	f, ok := s.next(x.note.Endpoint)
	if !ok {
		return false
	}
	if !wait(x.r, time.Duration(f.Delay)) {
		panic(http.ErrAbortHandler) // the client has gone
	}
	if !f.answers() {
		return false
	}
	f.send(x)
	return true
}

// wait reports whether the client is still there after the delay.
func wait(r *http.Request, delay time.Duration) bool {
	if delay <= 0 {
		return true
	}
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// send answers instead of the endpoint.
func (f Fault) send(x *exchange) {
	switch {
	case f.Reset:
		reset(x)
	case f.Raw != "":
		f.sendRaw(x)
	}
	for k, v := range f.Header {
		x.Header().Set(k, v)
	}
	status := f.Status
	if f.RetryAt != 0 {
		f.Retry = x.s.now().Add(time.Duration(f.RetryAt)).UTC().Format(http.TimeFormat)
	}
	if f.Retry != "" {
		x.Header().Set("Retry-After", f.Retry)
		status = orDefault(status, http.StatusTooManyRequests)
	}
	if f.Error != "" {
		f.refuse(x, status)
		return
	}
	body := f.Body
	if f.HalfBody && body == "" {
		body = `{"an answer that": "never ends"}`
	}
	body += strings.Repeat(" ", max(0, f.Size-len(body)))
	if x.Header().Get("Content-Type") == "" {
		x.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	x.Header().Set("Content-Length", fmt.Sprint(len(body)))
	if f.HalfBody {
		body = body[:len(body)/2]
	}
	x.WriteHeader(orDefault(status, http.StatusOK))
	f.drip(x, body, http.NewResponseController(x.ResponseWriter).Flush)
	if f.HalfBody {
		http.NewResponseController(x.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
}

// refuse answers with the error word in the endpoint's own form.
func (f Fault) refuse(x *exchange, status int) {
	const text = "A fault was asked for."
	switch {
	case slices.Contains(endpoints[x.note.Endpoint], "arm"):
		x.armError(orDefault(status, http.StatusBadRequest), f.Error, text)
	case slices.Contains(endpoints[x.note.Endpoint], "metadata"):
		x.metadataError(orDefault(status, http.StatusBadRequest), f.Error, text)
	default:
		x.refuse(refusal{status: status, word: f.Error, aadsts: f.AADSTS, text: text})
	}
}

// reset makes the client see ECONNRESET. RFC 9293, Section 3.10.5 (ABORT): undelivered data is
// dropped and RST is sent. SO_LINGER 0 asks for that.
func reset(x *exchange) {
	conn, _, err := http.NewResponseController(x.ResponseWriter).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		raw = t.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	raw.Close()
	panic(http.ErrAbortHandler)
}

func orDefault(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}
