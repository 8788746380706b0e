// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"
)

// maxBody limits how much of a request is read.
const maxBody = 1 << 20

// An exchange is one request and its answer.
type exchange struct {
	http.ResponseWriter
	r    *http.Request
	s    *Server
	dir  *Directory // constant during the request
	now  time.Time
	note *Request // the entry in the request log, under the server's mutex
}

// A Request is an entry of the request log. It proves the times and contents of requests, and
// contains no secrets.
type Request struct {
	Time     time.Time     `json:"time"`     // arrival
	Endpoint string        `json:"endpoint"` // as faults name it, or "unknown"
	Method   string        `json:"method"`
	Path     string        `json:"path"`
	Fields   []string      `json:"fields"`               // names in the query and the form, sorted
	Status   int           `json:"status"`               // 0: not answered yet, or cut off
	Error    string        `json:"error,omitempty"`      // the OAuth error word or ARM error code
	Scope    string        `json:"scope,omitempty"`      // as asked for
	Grant    string        `json:"grant_type,omitempty"` // as the client spells it
	UserCode string        `json:"user_code,omitempty"`  // the sign-in that a poll belongs to
	Origin   string        `json:"origin,omitempty"`     // the origin of the page whose script sent it
	Took     time.Duration `json:"took_ns"`
}

// handle wraps an endpoint: it logs the request, and lets a fault happen first.
func (s *Server) handle(endpoint string, answer func(*exchange)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		formErr := r.ParseForm()
		note := &Request{
			Time: s.now(), Endpoint: endpoint, Method: r.Method, Path: r.URL.Path,
			Fields: slices.Sorted(maps.Keys(r.Form)), Scope: r.PostForm.Get("scope"),
			Grant:  r.PostForm.Get("grant_type"),
			Origin: r.Header.Get("Origin"),
		}
		s.record(note)
		rec := &recorder{ResponseWriter: w}
		x := &exchange{rec, r, s, s.directory(), note.Time, note}
		if slices.Contains(endpoints[endpoint], "metadata") {
			x.dir = x.dir.as(r.Host)
		}
		defer s.finish(note, rec)
		if s.fail(x) {
			return
		}
		if formErr != nil {
			http.Error(x, "the form cannot be read", http.StatusBadRequest)
			return
		}
		answer(x)
	})
}

// maxRequests limits the log of an emulator that runs for days.
const maxRequests = 1 << 16

func (s *Server) record(note *Request) {
	defer s.lock()()
	if len(s.requests) == maxRequests {
		s.requests = slices.Delete(s.requests, 0, maxRequests/2)
	}
	s.requests = append(s.requests, note)
}

// finish completes the log entry, even if a fault aborts the handler.
func (s *Server) finish(note *Request, rec *recorder) {
	unlock := s.lock()
	note.Status = rec.status
	note.Took = max(0, s.now().Sub(note.Time))
	done := *note
	unlock()
	if s.Trace != nil {
		s.Trace(done)
	}
}

// Requests returns the log, oldest first.
func (s *Server) Requests() []Request {
	s.setUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Request, len(s.requests))
	for i, r := range s.requests {
		all[i] = *r
	}
	return all
}

// ForgetRequests empties the log.
func (s *Server) ForgetRequests() {
	defer s.lock()()
	s.requests = nil
}

// noteError keeps the error word of an answer for the log.
func (x *exchange) noteError(word string) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.note.Error = word
}

// json sends v as JSON.
func (x *exchange) json(status int, v any) {
	h := x.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	x.WriteHeader(status)
	enc := json.NewEncoder(x)
	enc.SetEscapeHTML(false)
	enc.Encode(v) // the client may have gone
}

// correlation returns the GUID that the client sent in a header, or a new one. It connects the
// client's log with the server's.
func (x *exchange) correlation(header string) string {
	if id := x.r.Header.Get(header); isGUID(id) {
		return id
	}
	return newGUID()
}

// A recorder remembers the status, and gives faults access to the connection.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController see the original.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// decode reads a JSON request body. Its error is a sentence for the answer.
func (x *exchange) decode(into any) error {
	err := json.NewDecoder(x.r.Body).Decode(into)
	var tooLong *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLong):
		return errors.New("the body is longer than 1 MiB")
	default:
		return errors.New("the body is not the JSON expected: " + err.Error())
	}
}
