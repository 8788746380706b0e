// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	osuser "os/user"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"aadlogin/internal/signin"
)

// A machine is one machine of the fleet, with directories of its own.
type machine struct {
	f      *fleet
	host   string // its name for the metadata service
	dir    string
	signin signin.Signin

	mu    sync.Mutex
	token []byte // of the identity, if the scenario has sign-ins share it
}

const boot = "d4d4d4d4-0000-4000-8000-000000000000"

func (f *fleet) machine(i int) *machine {
	name := fmt.Sprintf("vm%05d", i)
	dir := filepath.Join(f.dir, name)
	f.unpack(dir)
	m := &machine{f: f, host: name, dir: dir}
	if f.subscriptions > 1 {
		m.host += fmt.Sprintf(".s%d", i%f.subscriptions)
	}
	m.signin = signin.Signin{
		Now: time.Now,
		Uptime: func() (string, time.Duration) {
			return boot, time.Since(f.begun) + time.Hour
		},
		CacheDir:     filepath.Join(dir, "cache"),
		RuntimeDir:   filepath.Join(dir, "run"),
		Etc:          fstest.MapFS{},
		Root:         f.root,
		HostTitle:    func() string { return "" },
		OwnAddresses: func() ([]net.Addr, error) { return nil, nil },
		LookupGroup: func(name string) (*osuser.Group, error) {
			return nil, osuser.UnknownGroupError(name)
		},
		Network: m,
	}
	return m
}

// RoundTrip hands a request to the emulator at once. The time of a network is not simulated.
func (m *machine) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	service := m.f.entra
	req = req.Clone(req.Context())
	req.RequestURI, req.RemoteAddr, req.Host = req.URL.RequestURI(), "192.0.2.1:1", req.URL.Host
	if req.URL.Host == "169.254.169.254" {
		service, req.Host = m.f.metadata, m.host
	}
	if req.Body == nil {
		req.Body = http.NoBody
	}
	answer := func() *http.Response {
		recorder := httptest.NewRecorder()
		service.ServeHTTP(recorder, req)
		return recorder.Result()
	}
	if m.f.shares && strings.HasSuffix(req.URL.Path, "/oauth2/token") && req.Host == m.host {
		return m.shared(answer), nil
	}
	return answer(), nil
}

// shared returns the answer that sign-ins would get if they kept the identity's token for each
// other. The product does not do that.
func (m *machine) shared(answer func() *http.Response) *http.Response {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.token == nil {
		got := answer()
		if got.StatusCode != http.StatusOK {
			return got
		}
		m.token, _ = io.ReadAll(got.Body) // from memory
	}
	return &http.Response{StatusCode: http.StatusOK,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(m.token))}
}

func (m *machine) request(account, service string) signin.Request {
	m.f.attempts++
	return signin.Request{
		Attempt: fmt.Sprintf("b2b2b2b2-1111-4111-8111-%012d", m.f.attempts),
		User:    account, Service: service,
		RemoteHost: "192.0.2.7", ConfigPath: filepath.Join(m.dir, "config.toml"),
	}
}

// A person sits at the prompt, and remembers the last text there.
type person struct {
	t       *testing.T
	browser func(code string) // nil: nobody is there
	told    string
	line    string
	busy    sync.WaitGroup
}

var userCode = regexp.MustCompile(`enter the code (\S+) to authenticate`)

func (p *person) Prompt(text string) {
	code := userCode.FindStringSubmatch(text)
	if code == nil || p.browser == nil {
		p.t.Errorf("prompt %q", text)
		return
	}
	p.busy.Go(func() { p.browser(code[1]) })
}
func (p *person) Again(string)     {}
func (p *person) Tell(text string) { p.told = text }
func (p *person) Ask(_ context.Context, text string, _ bool) ([]byte, error) {
	p.t.Errorf("question %q", text)
	return nil, io.EOF
}
func (p *person) Deadline(time.Duration)          {}
func (p *person) Last(string)                     {}
func (p *person) Log(signin.LogLevel, string)     {}
func (p *person) End(_ signin.LogLevel, l string) { p.line = l }

var reasonOf = regexp.MustCompile(`^(\S+) (?:reason="([^"]*)")?`)

// outcome returns how the log describes the end, such as "signed-in" or "failed unreachable".
func (p *person) outcome() string {
	m := reasonOf.FindStringSubmatch(p.line + " ")
	if m == nil {
		return "nothing"
	}
	return strings.TrimSpace(m[1] + " " + m[2])
}
