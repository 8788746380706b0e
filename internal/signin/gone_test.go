// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aadlogin/internal/emulator"
)

// A service goes away between one request and the next, or a stranger takes its address. Each
// connection is closed, so the moment decides which request meets the change first.
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

// withoutMetadata configures everything that the metadata service would tell, except for the
// managed identity's token.
var withoutMetadata = fmt.Sprintf("cloud = \"public\"\nauthorization.resource_id = %q",
	emulator.Contoso().Machine.ResourceID)

// Outside Azure the metadata service's address does not answer: the connection is refused, or
// nothing comes back.
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

// deaf returns an address where connections are neither accepted nor refused: the queue is full, so
// the kernel drops the packets.
func deaf(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	err = errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}),
		unix.Listen(fd, 0))
	if err != nil {
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

// hangUp stops listening at once, and lets answers that are under way arrive.
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

// An outage of a cached service has no effect for a day.
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
