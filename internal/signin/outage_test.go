// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"sync"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

// impatient is as short as it can be configured.
const impatient = `sign_in.timeout = "10s"`

// What goes wrong at an endpoint, by name.
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

// The sentences, by what cannot be reached.
const (
	noMetadata = "The metadata service of this machine cannot be reached."
	noService  = "The sign-in service cannot be reached."
	noAzure    = "The authorization service of Azure cannot be reached."
)

// Every endpoint, out in every way: the person is told which service it is, in a sentence of its own, and never that somebody
// has refused them; nobody is let in; nothing is stored; and the next sign-in is as if nothing had been.
func TestOutages(t *testing.T) {
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
			m := newMachine(t, impatient)
			fault, known := outages[test.outage]
			if !known {
				t.Fatal("no such outage")
			}
			fault.Endpoint = test.endpoint
			m.entra.Fail(fault)
			m.ordeal(test.want, test.told)
			m.entra.Heal()
			m.reconfigure("")
			m.works()
		})
	}
}

// A code that expires while nobody answers polls is an outage too, and a poll without an answer does not outlive it.
func TestOutageUntilTheCodeExpires(t *testing.T) {
	for _, outage := range []string{"reset", "silent", "500"} {
		t.Run(outage, func(t *testing.T) {
			m := newMachine(t, "")
			m.change(func(d *emulator.Directory) { d.ExpiresIn = 3 })
			fault := outages[outage]
			fault.Endpoint = "token"
			m.entra.Fail(fault)
			got, door := m.signIn(m.request(user), user)
			ended(t, got, door, Unreachable, noService, "until the code expired")
			m.unknown(user)
		})
	}
}

// ordeal is a sign-in that an outage meets.
func (m *machine) ordeal(want Verdict, told string) {
	m.t.Helper()
	got, door := m.signIn(m.request(user), user)
	if want == Success {
		ended(m.t, got, door, Success, "", "signed-in")
		return
	}
	ended(m.t, got, door, want, told, "unreachable")
	m.unknown(user)
	if _, err := m.grant(m.firstID(user)); err == nil {
		m.t.Error("there is a grant")
	}
}

// works: an honest sign-in lets in.
func (m *machine) works() {
	m.t.Helper()
	got, door := m.signIn(m.request(user), user)
	ended(m.t, got, door, Success, "", "signed-in")
}

// once runs do when an endpoint has answered for the first time, before the client has the answer.
func (m *machine) once(endpoint string, do func()) {
	var first sync.Once
	hook := func(r emulator.Request) {
		if r.Endpoint == endpoint && r.Status == 200 {
			first.Do(do)
		}
	}
	m.answered.Store(&hook)
}
