// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

// These are the times that a sign-in may take in an outage that lasts. An outage before the browser
// gets the shortest time that can be configured. A later one leaves time for the browser and for
// polls.
const (
	impatient = `sign_in.timeout = "10s"`
	hasty     = `sign_in.timeout = "20s"`
)

// patience returns the time for an outage.
func patience(endpoint, outage string) string {
	switch {
	case outage != "silent", endpoint == "token": // polls end with their code
		return ""
	case endpoint == "keys", endpoint == "identity", endpoint == "checkaccess":
		return hasty
	default:
		return impatient
	}
}

// outages are the faults of an endpoint, by name.
var outages = map[string]emulator.Fault{
	"reset":     {Reset: true},
	"silent":    {Delay: emulator.Duration(time.Hour)},
	"slow":      {Delay: emulator.Duration(300 * time.Millisecond)},
	"429":       {Status: 429},
	"500":       {Status: 500},
	"garbage":   {Body: "<html>\x00\xff"},
	"truncated": {HalfBody: true},
	"not HTTP":  {Raw: "\x15\x03\x01\x00\x02\x02\x28"}, // a TLS alert
}

// These are the sentences for each service that cannot be reached.
const (
	noMetadata = "The metadata service of this machine cannot be reached."
	noService  = "The sign-in service cannot be reached."
	noAzure    = "The authorization service of Azure cannot be reached."
)

// Every endpoint fails in every way. The person is told which service it is, and never that
// somebody has refused them. Nobody is let in, nothing is stored, and the next sign-in works.
func TestOutages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		endpoint, outage string
		want             Verdict
		told             string
	}{
		{"instance", "reset", Unreachable, noMetadata},
		{"instance", "silent", Unreachable, noMetadata},
		{"instance", "slow", Success, ""},
		{"instance", "429", Unreachable, noMetadata},
		{"instance", "500", Unreachable, noMetadata},
		{"instance", "garbage", Unreachable, noMetadata},
		{"instance", "truncated", Unreachable, noMetadata},
		{"instance", "not HTTP", Unreachable, noMetadata},

		{"openid", "reset", Unreachable, noService},
		{"openid", "silent", Unreachable, noService},
		{"openid", "slow", Success, ""},
		{"openid", "429", Unreachable, noService},
		{"openid", "500", Unreachable, noService},
		{"openid", "garbage", Unreachable, noService},
		{"openid", "truncated", Unreachable, noService},
		{"openid", "not HTTP", Unreachable, noService},

		{"keys", "reset", Unreachable, noService},
		{"keys", "silent", Unreachable, noService},
		{"keys", "slow", Success, ""},
		{"keys", "429", Unreachable, noService},
		{"keys", "500", Unreachable, noService},
		{"keys", "garbage", Unreachable, noService},
		{"keys", "truncated", Unreachable, noService},
		{"keys", "not HTTP", Unreachable, noService},

		{"devicecode", "reset", Unreachable, noService},
		{"devicecode", "silent", Unreachable, noService},
		{"devicecode", "slow", Success, ""},
		{"devicecode", "429", Unreachable, noService},
		{"devicecode", "500", Unreachable, noService},
		{"devicecode", "garbage", Unreachable, noService},
		{"devicecode", "truncated", Unreachable, noService},
		{"devicecode", "not HTTP", Unreachable, noService},

		{"token", "reset", Unreachable, noService},
		{"token", "silent", Unreachable, noService},
		{"token", "slow", Success, ""},
		{"token", "429", Unreachable, noService},
		{"token", "500", Unreachable, noService},
		{"token", "garbage", Unreachable, noService},
		{"token", "truncated", Unreachable, noService},
		{"token", "not HTTP", Unreachable, noService},

		{"identity", "reset", Unreachable, noMetadata},
		{"identity", "silent", Unreachable, noMetadata},
		{"identity", "slow", Success, ""},
		{"identity", "429", Unreachable, noMetadata},
		{"identity", "500", Unreachable, noMetadata},
		{"identity", "garbage", Unreachable, noMetadata},
		{"identity", "truncated", Unreachable, noMetadata},
		{"identity", "not HTTP", Unreachable, noMetadata},

		{"checkaccess", "reset", Unreachable, noAzure},
		{"checkaccess", "silent", Unreachable, noAzure},
		{"checkaccess", "slow", Success, ""},
		{"checkaccess", "429", Unreachable, noAzure},
		{"checkaccess", "500", Unreachable, noAzure},
		{"checkaccess", "garbage", Unreachable, noAzure},
		{"checkaccess", "truncated", Unreachable, noAzure},
		{"checkaccess", "not HTTP", Unreachable, noAzure},
	} {
		t.Run(test.endpoint+" "+test.outage, func(t *testing.T) {
			m := newMachine(t, patience(test.endpoint, test.outage))
			fault, known := outages[test.outage]
			if !known {
				t.Fatal("no such outage")
			}
			fault.Endpoint = test.endpoint
			m.entra.Fail(fault)
			m.ordeal(test.endpoint, test.want, test.told)
			m.entra.Heal()
			m.reconfigure("")
			m.works()
		})
	}
}

// While polls are not answered, neither the end of the code nor that of sign_in.timeout is the
// person's fault. A poll without an answer outlives neither.
func TestOutageOfPolls(t *testing.T) {
	t.Parallel()
	for outage, cause := range map[string]string{
		"reset":  "reset",
		"500":    "HTTP 500",
		"silent": "deadline exceeded",
	} {
		t.Run(outage, func(t *testing.T) {
			m := newMachine(t, "")
			fault := outages[outage]
			fault.Endpoint = "token"
			m.entra.Fail(fault)
			// Polls come after 1 and 3 seconds. The second one has time to be answered.
			got, conv := m.unanswered(7, cause)
			ended(t, got, conv, Unreachable, noService, "until the code expired")
			ended(t, got, conv, Unreachable, noService, cause) // not: while awaiting headers

			m.reconfigure(hasty)
			got, conv = m.signIn(m.request(user), user)
			ended(t, got, conv, Unreachable, noService, "deadline exceeded")
			m.unknown(user)
		})
	}
}

// unanswered runs a sign-in that nobody finishes and whose code expires in that many seconds. On a
// busy machine no poll may begin or end before that, so the log does not have the cause; then it is
// tried again with a code that lives longer.
func (m *machine) unanswered(life int, cause string) (got Verdict, conv *said) {
	m.t.Helper()
	defer m.change(func(d *emulator.Directory) { d.ExpiresIn = 900 })
	for polls := m.requests("token"); life < 600; life *= 4 {
		m.change(func(d *emulator.Directory) { d.ExpiresIn = life })
		got, conv = m.run(m.request(user), func(string) error { return nil })
		if m.requests("token") > polls && strings.Contains(strings.Join(conv.logged, "\n"), cause) {
			break
		}
	}
	return got, conv
}

// ordeal runs a sign-in with a server that fails.
func (m *machine) ordeal(endpoint string, want Verdict, told string) *said {
	m.t.Helper()
	signIn := func() (Verdict, *said) { return m.signIn(m.request(user), user) }
	if endpoint == "token" && want == Unreachable {
		signIn = func() (Verdict, *said) { return m.unanswered(2, "") }
	}
	got, conv := signIn()
	ended(m.t, got, conv, want, told, "")
	if want == Success {
		return conv
	}
	m.unknown(user)
	if _, err := m.grant(m.firstID(user)); err == nil {
		m.t.Error("there is a grant")
	}
	return conv
}

// works fails unless an honest sign-in is let in.
func (m *machine) works() {
	m.t.Helper()
	got, conv := m.signIn(m.request(user), user)
	ended(m.t, got, conv, Success, "", "signed-in")
}

// once runs do when an endpoint has answered for the first time, before the client has the answer.
func (m *machine) once(endpoint string, do func()) {
	var done atomic.Bool // do may ask the endpoint itself
	hook := func(r emulator.Request) {
		if r.Endpoint == endpoint && r.Status == 200 && done.CompareAndSwap(false, true) {
			do()
		}
	}
	m.answered.Store(&hook)
}
