// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// call sends a control request.
func (w *world) call(method, what, body string) answer {
	w.t.Helper()
	return w.do(method, w.MetadataURL()+"/emulator/"+what, body)
}

func TestControlSignIn(t *testing.T) {
	w := newWorld(t)
	for what, want := range map[string]string{"signin": "", "decline": "authorization_declined",
		"expire": "expired_token"} {
		user, device := w.start("openid")
		if a := w.call("GET", "codes?wait=10s", ""); !strings.Contains(a.body, user) ||
			strings.Contains(a.body, device) {
			t.Errorf("codes: %s", a.body)
		}
		body := fmt.Sprintf(`{"user_code":%q,"account":"user@contoso.example"}`, user)
		if a := w.call("POST", what, body); a.status != 200 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
		if got := w.poll(device).object(t)["error"]; want != "" && got != want ||
			want == "" && got != nil {
			t.Errorf("%s: %v, want %s", what, got, want)
		}
		if a := w.call("POST", what, body); a.status != 409 {
			t.Errorf("%s again: %d %s", what, a.status, a.body)
		}
	}
}

// A sign-in that begins later ends a waiting request.
func TestControlWaits(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		if a := w.call("GET", "codes?wait=1m", ""); !strings.Contains(a.body, "user_code") {
			t.Errorf("codes: %d %s", a.status, a.body)
		}
	})
	wg.Go(func() {
		if a := w.call("GET", "requests?endpoint=token&count=2&wait=1m", ""); strings.Count(a.body,
			`"endpoint": "token"`) != 2 {
			t.Errorf("requests: %d %s", a.status, a.body)
		}
	})
	_, device := w.start("openid")
	w.poll(device)
	w.poll(device)
	wg.Wait()
	if a := w.call("GET", "requests?endpoint=keys&wait=1ms", ""); a.status != 408 {
		t.Errorf("nothing to wait for: %d %s", a.status, a.body)
	}
}

func TestControlFaults(t *testing.T) {
	w := newWorld(t)
	w.call("POST", "faults", `{"endpoint":"devicecode","error":"slow_down","times":1}`)
	w.call("POST", "faults",
		`[{"endpoint":"keys","status":500},{"endpoint":"token","delay":"1ns"}]`)
	if a := w.call("GET", "faults", ""); strings.Count(a.body, "endpoint") != 3 {
		t.Errorf("faults: %s", a.body)
	}
	if a := w.form("devicecode"); a.object(t)["error"] != "slow_down" {
		t.Errorf("devicecode: %s", a.body)
	}
	if a := w.call("DELETE", "faults", ""); a.status != 200 || len(w.Faults()) != 0 {
		t.Errorf("left: %+v", w.Faults())
	}
}

func TestControlDirectory(t *testing.T) {
	w := newWorld(t)
	admin := `{"principal":"norole@contoso.example","role":"Virtual Machine Administrator Login","scope":"/"}`
	access := func() string {
		u, _ := w.directory().user(nobody)
		return w.directory().Access(u)
	}
	if w.call("POST", "assignments", admin); access() != "administrator" {
		t.Errorf("after assigning: %s", access())
	}
	text := w.call("GET", "directory", "").body
	if w.call("DELETE", "assignments", admin); access() != "no role" {
		t.Errorf("after removing: %s", access())
	}
	if a := w.call("PUT", "directory", text); a.status != 200 || access() != "administrator" {
		t.Errorf("after putting back: %s, %s", access(), a.body)
	}
	w.call("PUT", "directory", text+"\n[[fault]]\nendpoint = \"keys\"\nstatus = 500\n")
	if len(w.Faults()) != 1 {
		t.Errorf("faults of the directory: %+v", w.Faults())
	}
}

func TestControlForgery(t *testing.T) {
	w := newWorld(t)
	w.call("POST", "forgery", `{"sign":"none","claims":{"tid":null}}`)
	if c := claimsOf(t, w.token("user@contoso.example")); c["tid"] != nil {
		t.Errorf("claims %v", c)
	}
	w.call("DELETE", "forgery", "")
	before := w.token("user@contoso.example")
	w.call("POST", "rotate", "")
	if _, ok := w.verifies(before); ok {
		t.Error("not rotated")
	}
}

func TestControlRefused(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		method, what, body string
		status             int
	}{
		{"POST", "signin", `{"user_code":"x","account":"y"}`, 404},
		{"POST", "signin", `{"code":"x"}`, 400},
		{"POST", "signin", `{`, 400},
		{"POST", "faults", `{"endpoint":"tokens","status":500}`, 400},
		{"POST", "faults", `{"endpoint":"token","statsu":500}`, 400},
		{"PUT", "directory", "x", 400},
		{"POST", "assignments", `{"principal":"x","role":"Owner","scope":"/"}`, 400},
		{"POST", "forgery", `{"sign":"RS512"}`, 400},
		{"GET", "codes?wait=soon", "", 400},
		{"GET", "requests?count=x", "", 400},
		{"GET", "else", "", 404},
	}
	for _, test := range tests {
		a := w.call(test.method, test.what, test.body)
		if a.status != test.status || a.object(t)["error"] == nil {
			t.Errorf("%s %s %s: %d %s", test.method, test.what, test.body, a.status, a.body)
		}
	}
}

func TestAwaitEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := new(Server).Await(ctx, func() bool { return false }); !errors.Is(err,
		context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestManyAtOnce does everything at the same time, for the race detector.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			user, device := w.start("openid profile")
			if err := w.SignIn(user, "user@contoso.example"); err != nil {
				t.Error(err)
			}
			if a := w.poll(device); a.status != 200 {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
		wg.Go(func() {
			w.Update(func(d *Directory) { d.Machine.Name = fmt.Sprint(i) })
			w.Fail(Fault{Endpoint: "keys", Status: 500})
			w.Codes()
			w.Requests()
			w.Faults()
		})
	}
	wg.Wait()
	if n := len(w.Codes()); n != 20 {
		t.Errorf("%d codes, want 20", n)
	}
}

// No field needs a value, and a server that was not started can be stopped.
func TestZeroValue(t *testing.T) {
	var s Server
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := s.VerificationURI(); got != "http://127.0.0.1:8442/devicelogin" {
		t.Errorf("verification URI %s", got)
	}
	if len(s.Codes()) != 0 || len(s.Requests()) != 0 || s.check("x") != ErrUnknownCode {
		t.Error("not empty")
	}
}

// Another process learns what the browser showed.
func TestControlRefusal(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Directory) {
		d.Policies = []Policy{{Name: "codes", Grant: "block"},
			{Name: "later", State: "report-only", Grant: "managed-device"}}
	})
	user, _ := w.start("openid")
	a := w.call("POST", "signin", `{"user_code":"`+user+`","account":"user@contoso.example"}`)
	if a.status != 403 || a.object(t)["aadsts"] != 53003.0 ||
		!strings.Contains(a.body, `policy \"codes\"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := w.call("GET", "codes", ""); strings.Contains(a.body, user) {
		t.Errorf("pending: %s", a.body)
	}
	a = w.call("GET", "codes?state=any&wait=10s", "")
	for _, want := range []string{`"state": "blocked"`, `"aadsts": 53003`, `"policy": "codes"`,
		`"resource": "` + DirectoryApp, `"later"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("no %s in %s", want, a.body)
		}
	}
	if c := w.Codes()[0]; !slices.Equal(c.ReportOnly, []string{"later"}) {
		t.Errorf("%+v", c)
	}
}
