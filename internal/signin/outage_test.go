// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aadlogin/internal/emulator"
)

// How long a sign-in may take that an outage would keep forever: as short as can be configured, if
// it is kept until then before the browser; time for the browser and for polls, if it is kept
// afterwards.
const (
	impatient = `sign_in.timeout = "10s"`
	hasty     = `sign_in.timeout = "20s"`
)

// patience is the one of these that an outage needs.
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

// Every endpoint, out in every way: the person is told which service it is, in a sentence of its
// own, and never that somebody has refused them; nobody is let in; nothing is stored; and the next
// sign-in is as if nothing had been.
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

// While nobody answers polls, neither the end of the code nor that of sign_in.timeout is the
// person's doing; and a poll without an answer outlives neither.
func TestOutageOfPolls(t *testing.T) {
	t.Parallel()
	for outage, cause := range map[string]string{"reset": "reset", "500": "HTTP 500",
		"silent": "deadline exceeded"} {
		t.Run(outage, func(t *testing.T) {
			m := newMachine(t, "")
			fault := outages[outage]
			fault.Endpoint = "token"
			m.entra.Fail(fault)
			// polls after 1 and 3 seconds: time for the second to be answered
			got, conv := m.unanswered(7)
			ended(t, got, conv, Unreachable, noService, "until the code expired")
			ended(t, got, conv, Unreachable, noService, cause) // not: while awaiting headers

			m.reconfigure(hasty)
			got, conv = m.signIn(m.request(user), user)
			ended(t, got, conv, Unreachable, noService, "deadline exceeded")
			m.unknown(user)
		})
	}
}

// unanswered is a sign-in whose code expires in so many seconds, and that nobody finishes: where
// polls fail, nobody could tell. On a machine too busy to poll before that, it is tried again with
// a code that lives longer.
func (m *machine) unanswered(life int) (got Verdict, conv *said) {
	m.t.Helper()
	defer m.change(func(d *emulator.Directory) { d.ExpiresIn = 900 })
	for polls := m.requests("token"); m.requests("token") == polls && life < 600; life *= 4 {
		m.change(func(d *emulator.Directory) { d.ExpiresIn = life })
		got, conv = m.run(m.request(user), func(string) error { return nil })
	}
	return got, conv
}

// ordeal is a sign-in that meets a server that fails.
func (m *machine) ordeal(endpoint string, want Verdict, told string) *said {
	m.t.Helper()
	signIn := func() (Verdict, *said) { return m.signIn(m.request(user), user) }
	if endpoint == "token" && want == Unreachable {
		signIn = func() (Verdict, *said) { return m.unanswered(2) }
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

// works: an honest sign-in lets in.
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

// A service that goes away, or whose place a stranger takes, between one request and the next. No
// connection survives that, so the moment decides which request meets it first.
func TestServiceGone(t *testing.T) {
	t.Parallel()
	const (
		untrusted = "the certificate of the sign-in service is signed by an authority this " +
			"machine does not trust."
		untrustedAzure = "the certificate of the authorization service of Azure is signed by an " +
			"authority this machine does not trust."
	)
	for _, test := range []struct{ moment, how, told string }{
		{"before discovery", "refused", noService},
		{"before discovery", "impostor", untrusted},
		{"before the code", "refused", noService},
		{"before the code", "impostor", untrusted},
		{"at the prompt", "refused", noService},
		{"at the prompt", "impostor", untrusted},
		{"before the keys", "refused", noService},
		{"before the keys", "impostor", untrusted},
		{"before authorization", "refused", noAzure},
		{"before authorization", "impostor", untrustedAzure},
	} {
		t.Run(test.moment+" "+test.how, func(t *testing.T) {
			m := newMachine(t, withoutMetadata)
			gone := map[string]func(){"refused": m.hangUp,
				"impostor": func() { m.entra.Impostor(true) }}[test.how]
			act := func(code string) error { return m.entra.SignIn(code, user) }
			switch test.moment {
			case "before discovery":
				gone()
			case "before the code":
				m.works()
				gone()
			case "at the prompt":
				m.reconfigure(hasty + "\n" + withoutMetadata)
				act = func(string) error { gone(); return nil }
			case "before the keys": // those at hand are not the ones the token is signed with
				m.works()
				m.entra.RotateKey()
				m.once("token", gone)
			case "before authorization":
				m.once("identity", gone)
			}
			before, _ := m.grant(m.firstID(user))
			got, conv := m.run(m.request(user), act)
			ended(t, got, conv, Unreachable, test.told, "unreachable")
			if after, _ := m.grant(m.firstID(user)); after != before {
				t.Errorf("grant %+v, before %+v", after, before)
			}

			m.answered.Store(nil)
			if test.how == "impostor" {
				m.entra.Impostor(false)
			} else {
				m.connect()
			}
			m.reconfigure("")
			m.works()
		})
	}
}

// withoutMetadata leaves the metadata service nothing to say but the managed identity's token.
var withoutMetadata = fmt.Sprintf("cloud = \"public\"\nauthorization.resource_id = %q",
	emulator.Contoso().Machine.ResourceID)

// The metadata service's address answers nobody outside Azure: nothing listens, or nothing comes
// back at all.
func TestNoMetadataService(t *testing.T) {
	t.Parallel()
	for how, address := range map[string]func(*testing.T) string{
		"refused":  func(*testing.T) string { return "127.0.0.1:1" },
		"unrouted": deaf,
	} {
		for what, lines := range map[string]string{"instance": "", "identity": withoutMetadata} {
			t.Run(what+" "+how, func(t *testing.T) {
				m := newMachine(t, "")
				m.metadata = "http://" + address(t)
				m.reconfigure(lines)
				got, conv := m.signIn(m.request(user), user)
				ended(t, got, conv, Unreachable, noMetadata, "unreachable")
				m.unknown(user)
			})
		}
	}
}

// deaf is an address where connections are neither accepted nor refused: the queue is full, so the
// kernel drops what comes.
func deaf(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}),
		unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
	for {
		c, err := net.DialTimeout("tcp", address, 300*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { c.Close() })
	}
}

// hangUp stops listening at once, and lets answers under way arrive.
func (m *machine) hangUp() {
	var all sync.WaitGroup
	entra := m.entra // which connect replaces, perhaps before the goroutine has begun
	all.Go(func() { entra.Shutdown(m.t.Context()) })
	m.t.Cleanup(all.Wait)
	for address := strings.TrimPrefix(entra.EntraURL(), "https://"); ; {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		c.Close()
		time.Sleep(5 * time.Millisecond) // leave the server the time to stop
	}
}

// An outage of what is cached hurts nobody for a day, and only then.
func TestCachedDocuments(t *testing.T) {
	t.Parallel()
	for _, outage := range []string{"reset", "silent", "500", "garbage", "truncated"} {
		t.Run(outage, func(t *testing.T) {
			m := newMachine(t, "")
			m.works()
			for _, endpoint := range []string{"openid", "keys"} {
				fault := outages[outage]
				fault.Endpoint = endpoint
				m.entra.Fail(fault)
			}
			m.ahead.Store(int64(23*time.Hour + 50*time.Minute))
			m.works()
			m.ahead.Store(int64(24 * time.Hour))
			m.reconfigure(impatient)
			got, conv := m.signIn(m.request(user), user)
			ended(t, got, conv, Unreachable, noService, "unreachable")
			m.entra.Heal()
			m.reconfigure("")
			m.works()
		})
	}
}
