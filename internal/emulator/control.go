// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// control adds the control endpoints, which the package documentation lists.
func (s *Server) control(mux *http.ServeMux) {
	for pattern, do := range map[string]func(*http.Request) (any, error){
		"GET /emulator/codes":      s.controlCodes,
		"POST /emulator/signin":    s.controlSignIn,
		"POST /emulator/decline":   s.controlDecline,
		"POST /emulator/expire":    s.controlExpire,
		"POST /emulator/authorize": s.controlAuthorize,
		"DELETE /emulator/authorization-codes": func(*http.Request) (any, error) {
			s.ExpireAuthorizations()
			return done{}, nil
		},
		"GET /emulator/requests":       s.controlRequests,
		"DELETE /emulator/requests":    s.controlForget,
		"GET /emulator/faults":         s.controlFaults,
		"POST /emulator/faults":        s.controlFail,
		"DELETE /emulator/faults":      s.controlHeal,
		"GET /emulator/directory":      s.controlDirectory,
		"PUT /emulator/directory":      s.controlSetDirectory,
		"POST /emulator/assignments":   s.controlAssign,
		"DELETE /emulator/assignments": s.controlUnassign,
		"POST /emulator/forgery":       s.controlForge,
		"DELETE /emulator/forgery":     s.controlHonest,
		"POST /emulator/rotate":        s.controlRotate,
		"POST /emulator/impostor": func(*http.Request) (any, error) {
			s.Impostor(true)
			return done{}, nil
		},
		"DELETE /emulator/impostor": func(*http.Request) (any, error) {
			s.Impostor(false)
			return done{}, nil
		},
		"/emulator/": controlUnknown,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			v, err := do(r)
			reply(w, v, err)
		})
	}
}

// reply sends a value as JSON, bytes as text, or an error as a sentence.
func reply(w http.ResponseWriter, v any, err error) {
	status := http.StatusOK
	switch {
	case errors.Is(err, ErrUnknownCode), errors.Is(err, ErrUnknownAccount),
		errors.Is(err, errNoEndpoint):
		status = http.StatusNotFound
	case errors.Is(err, ErrUsedCode), errors.Is(err, ErrExpiredCode):
		status = http.StatusConflict
	case errors.As(err, new(*Refused)):
		status = http.StatusForbidden
	case errors.Is(err, context.DeadlineExceeded):
		status = http.StatusRequestTimeout
	case err != nil:
		status = http.StatusBadRequest
	}
	if err != nil {
		problem := map[string]any{"error": err.Error()}
		if no := (*Refused)(nil); errors.As(err, &no) {
			problem["aadsts"] = no.AADSTS
		}
		v = problem
	}
	w.Header().Set("Cache-Control", "no-store")
	if text, ok := v.([]byte); ok {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write(text)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.Encode(v)
}

var errNoEndpoint = errors.New("emulator: no such control endpoint")

func controlUnknown(*http.Request) (any, error) { return nil, errNoEndpoint }

// done is the answer to a control request that has no result.
type done struct{}

// strictly decodes a JSON body. An unknown key is an error.
func strictly(r *http.Request, into any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("emulator: control request: %w", err)
	}
	return nil
}

// waited is Await for the time in ?wait=. Without it, it asks done once.
func (s *Server) waited(r *http.Request, done func() bool) error {
	spec := r.FormValue("wait")
	if spec == "" {
		return nil
	}
	d, err := time.ParseDuration(spec)
	if err != nil {
		return fmt.Errorf("emulator: control request: wait: %q is not a duration such as \"10s\"",
			spec)
	}
	ctx, cancel := context.WithTimeout(r.Context(), d)
	defer cancel()
	return s.Await(ctx, done)
}

func (s *Server) controlCodes(r *http.Request) (any, error) {
	codes := s.PendingCodes
	if r.FormValue("state") == "any" {
		codes = s.Codes
	}
	err := s.waited(r, func() bool { return len(codes()) > 0 })
	return codes(), err
}

// A choice is the body of the requests about one code.
type choice struct {
	UserCode string `json:"user_code"`
	Account  string `json:"account"`
}

func (s *Server) controlSignIn(r *http.Request) (any, error) {
	return s.decided(r, func(d choice) error { return s.SignIn(d.UserCode, d.Account) })
}

func (s *Server) controlDecline(r *http.Request) (any, error) {
	return s.decided(r, func(d choice) error { return s.Decline(d.UserCode) })
}

func (s *Server) controlExpire(r *http.Request) (any, error) {
	return s.decided(r, func(d choice) error { return s.Expire(d.UserCode) })
}

func (s *Server) controlAuthorize(r *http.Request) (any, error) {
	var a struct {
		Address string `json:"address"`
		Account string `json:"account"`
		Managed bool   `json:"managed"`
	}
	if err := strictly(r, &a); err != nil {
		return nil, err
	}
	location, err := s.Authorize(a.Address, a.Account, a.Managed)
	return map[string]string{"location": location}, err
}

func (s *Server) decided(r *http.Request, act func(choice) error) (any, error) {
	var d choice
	if err := strictly(r, &d); err != nil {
		return nil, err
	}
	return done{}, act(d)
}

func (s *Server) controlRequests(r *http.Request) (any, error) {
	endpoint := r.FormValue("endpoint")
	least := 1
	if c := r.FormValue("count"); c != "" {
		n, err := strconv.Atoi(c)
		if err != nil {
			return nil, fmt.Errorf("emulator: control request: count: %q is not a number", c)
		}
		least = n
	}
	matching := func() []Request {
		return slices.DeleteFunc(s.Requests(), func(q Request) bool {
			return endpoint != "" && q.Endpoint != endpoint
		})
	}
	err := s.waited(r, func() bool { return len(matching()) >= least })
	return matching(), err
}

func (s *Server) controlForget(*http.Request) (any, error) {
	s.ForgetRequests()
	return done{}, nil
}

func (s *Server) controlFaults(*http.Request) (any, error) { return s.Faults(), nil }

func (s *Server) controlFail(r *http.Request) (any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("emulator: control request: %w", err)
	}
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		body = slices.Concat([]byte("["), body, []byte("]"))
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var faults []Fault
	if err := strictly(r, &faults); err != nil {
		return nil, err
	}
	for _, f := range faults {
		if key, problem := f.problem(); problem != "" {
			return nil, fmt.Errorf("emulator: fault: %s: %s", key, problem)
		}
	}
	s.Fail(faults...)
	return s.Faults(), nil
}

func (s *Server) controlHeal(*http.Request) (any, error) {
	s.Heal()
	return done{}, nil
}

func (s *Server) controlDirectory(*http.Request) (any, error) { return s.directory().encode() }

func (s *Server) controlSetDirectory(r *http.Request) (any, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("emulator: control request: %w", err)
	}
	d, err := Parse("request", text)
	if err != nil {
		return nil, err
	}
	s.SetDirectory(d)
	return done{}, nil
}

func (s *Server) controlAssign(r *http.Request) (any, error) {
	return s.reassigned(r, func(d *Directory, a Assignment) {
		d.Assignments = append(d.Assignments, a)
	})
}

func (s *Server) controlUnassign(r *http.Request) (any, error) {
	return s.reassigned(r, func(d *Directory, a Assignment) {
		d.Assignments = slices.DeleteFunc(d.Assignments, func(b Assignment) bool { return a == b })
	})
}

func (s *Server) reassigned(r *http.Request, change func(*Directory, Assignment)) (any, error) {
	var a Assignment
	if err := strictly(r, &a); err != nil {
		return nil, err
	}
	return done{}, s.Update(func(d *Directory) { change(d, a) })
}

func (s *Server) controlForge(r *http.Request) (any, error) {
	var f Forgery
	if err := strictly(r, &f); err != nil {
		return nil, err
	}
	if !slices.Contains([]Signature{Honest, RS384, HS256, None, Stranger, Foreign,
		OtherCloud, Consumer}, f.Sign) {
		return nil, fmt.Errorf("emulator: forgery: sign: %q is none of RS384, HS256, none, "+
			"stranger, foreign, other-cloud, consumer", f.Sign)
	}
	s.Forge(&f)
	return done{}, nil
}

func (s *Server) controlHonest(*http.Request) (any, error) {
	s.Forge(nil)
	return done{}, nil
}

func (s *Server) controlRotate(*http.Request) (any, error) {
	s.RotateKey()
	return done{}, nil
}
