// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

// Whatever goes wrong, no request follows another sooner than the server allows, and the sign-in
// goes on.
func TestPaceOnTheWire(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		faults []emulator.Fault // one poll is answered before each
		floor  time.Duration    // after the first fault
	}{
		{"slow_down", []emulator.Fault{{Error: "slow_down"}}, 6 * time.Second},
		{"Retry-After in seconds", []emulator.Fault{{Retry: "4"}}, 4 * time.Second},
		// The intervals are whole seconds.
		{"Retry-After as a date", []emulator.Fault{{RetryAt: emulator.Duration(6 * time.Second)}},
			5 * time.Second},
		{"overloaded", []emulator.Fault{{Status: 503}, {Status: 429},
			{Error: "temporarily_unavailable"}}, 0},
		{"cut off", []emulator.Fault{{Reset: true}, {HalfBody: true},
			{Status: 400, Body: `{"error":"auth`}}, 0},
		{"too much", []emulator.Fault{{Size: 2 << 20}, {Body: "{"}}, 0},
		{"outages in a row", []emulator.Fault{{Status: 500, Times: 2}}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, "")
			for i, f := range test.faults {
				f.Endpoint, f.After, f.Times = "token", i+1, max(f.Times, 1)
				m.entra.Fail(f)
			}
			got, conv := m.run(m.request(user), func(code string) error {
				go m.entra.Await(t.Context(), func() bool {
					return m.pendingAfterFaults() && m.entra.SignIn(code, user) == nil
				})
				return nil
			})
			ended(t, got, conv, Success, "", "signed-in")
			m.checkPace()
			after := m.asked("token")[1:3]
			if gap := after[1].Time.Sub(after[0].Time); gap < test.floor {
				t.Errorf("asked again after %v, not %v", gap, test.floor)
			}
		})
	}
}

// asked returns the log of an endpoint.
func (m *machine) asked(endpoint string) []emulator.Request {
	return slices.DeleteFunc(m.entra.Requests(),
		func(r emulator.Request) bool { return r.Endpoint != endpoint })
}

// pendingAfterFaults waits until all faults have happened, and another poll has come since.
func (m *machine) pendingAfterFaults() bool {
	polls := m.asked("token")
	return len(m.entra.Faults()) == 0 && len(polls) > 0 &&
		polls[len(polls)-1].Error == "authorization_pending"
}

// checkPace reads a sign-in in the server's log. It checks RFC 8628, Sections 3.1, 3.4 and 3.5, and
// a back-off that doubles.
func (m *machine) checkPace() {
	m.t.Helper()
	code, polls := m.asked("devicecode"), m.asked("token")
	if len(code) != 1 || len(polls) < 3 {
		m.t.Fatalf("%d codes, %d polls", len(code), len(polls))
	}
	if code[0].Scope != "openid profile" ||
		!slices.Equal(code[0].Fields, []string{"client_id", "scope"}) {
		m.t.Errorf("asked for a code with %q, scope %q", code[0].Fields, code[0].Scope)
	}
	interval := time.Second // the emulator's
	last, outages := code[0].Time, 0
	for i, p := range polls {
		if gap := p.Time.Sub(last); gap < interval<<outages {
			m.t.Errorf("poll %d %v after the request before, not %v", i, gap, interval<<outages)
		}
		fields := []string{"client_id", "device_code", "grant_type"}
		if p.Grant != "urn:ietf:params:oauth:grant-type:device_code" ||
			!slices.Equal(p.Fields, fields) {
			m.t.Errorf("poll %d with %q, grant type %q", i, p.Fields, p.Grant)
		}
		last = p.Time
		switch p.Error {
		case "authorization_pending":
			outages = 0
		case "slow_down":
			interval, outages = interval+5*time.Second, 0
		default:
			outages++
		}
	}
}

// A redirect to another host would take the device code there, because 307 and 308 repeat the form
// (RFC 9110, Section 15.4).
func TestRedirectsStayOnTheHost(t *testing.T) {
	t.Parallel()
	gets := func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host got %s %s", r.Method, r.URL)
	}
	stranger := httptest.NewTLSServer(http.HandlerFunc(gets))
	t.Cleanup(stranger.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		for endpoint, want := range map[string]Verdict{
			"devicecode": Unreachable,
			"token":      Success,
		} {
			t.Run(fmt.Sprint(endpoint, " ", status), func(t *testing.T) {
				m := newMachine(t, "")
				m.trust(stranger.Certificate())
				away := map[string]string{"Location": stranger.URL + "/token"}
				m.entra.Fail(emulator.Fault{
					Endpoint: endpoint, Status: status, Header: away, Times: 1,
				})
				got, conv := m.signIn(m.request(user), user)
				if want == Success {
					ended(t, got, conv, want, "", "signed-in")
				} else {
					ended(t, got, conv, want, noService, "another host")
				}
			})
		}
	}
}

// An answer is read to its bound and no further, even the one that has to bring the code.
func TestOversizedCode(t *testing.T) {
	m := newMachine(t, "")
	m.entra.Fail(emulator.Fault{Endpoint: "devicecode", Size: 2 << 20})
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Unreachable, noService, "larger than 1 MiB")
}
