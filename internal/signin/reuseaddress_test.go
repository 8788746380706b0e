// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"net"
	"testing"
)

// addresses are those of a machine's interfaces, in the form of net.InterfaceAddrs.
func addresses(t *testing.T, all ...string) func() ([]net.Addr, error) {
	t.Helper()
	var found []net.Addr
	for _, text := range all {
		ip, network, err := net.ParseCIDR(text)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, &net.IPNet{IP: ip, Mask: network.Mask})
	}
	return func() ([]net.Addr, error) { return found, nil }
}

// Every local user comes from the machine's own addresses, whatever name they connect to.
func TestNoWindowFrom(t *testing.T) {
	own := addresses(t, "127.0.0.1/8", "::1/128", "203.0.113.5/24", "2001:db8::5/64", "fe80::5/64")
	for host, none := range map[string]bool{
		"203.0.113.6": false, "198.51.100.7": false, "10.0.0.7": false,
		"2001:db8::7": false, "fd00::7": false,
		"::ffff:203.0.113.6": false,

		"": true, "UNKNOWN": true, "host.contoso.example": true, "203.0.113": true,
		"203.0.113.6 ": true, "203.0.113.6/24": true,
		"127.0.0.1": true, "127.8.8.8": true, "::1": true,
		"::ffff:127.0.0.1": true, "::ffff:7f00:1": true,
		"203.0.113.5": true, "::ffff:203.0.113.5": true, "2001:db8::5": true,
		"2001:DB8:0::5": true, "2001:db8::5%eth0": true,
		"0.0.0.0": true, "::": true, "169.254.3.4": true, "fe80::7": true, "fe80::7%eth0": true,
		"224.0.0.1": true, "ff02::1": true, "255.255.255.255": true,
	} {
		if why := noWindowFrom(host, own); (why != "") != none {
			t.Errorf("%q: %q", host, why)
		}
	}
	broken := func() ([]net.Addr, error) { return nil, errors.New("netlink") }
	if noWindowFrom("203.0.113.6", broken) == "" {
		t.Error("a window although nobody knows the machine's own addresses")
	}
	odd := func() ([]net.Addr, error) { return []net.Addr{&net.UnixAddr{Name: "odd"}}, nil }
	if noWindowFrom("203.0.113.6", odd) == "" {
		t.Error("a window beside an address that nobody can compare")
	}
	if why := noWindowFrom("127.0.0.1", addresses(t)); why == "" {
		t.Error("loopback has a window where no interface has it")
	}
}

// A connection from the machine itself has no window, by its network address or by loopback.
func TestReuseFromThisMachine(t *testing.T) {
	m := newMachine(t, tenMinutes)
	m.signin.OwnAddresses = addresses(t, "192.0.2.7/24")
	m.browser(m.request(user))
	if got, _, asked := m.silent(m.request(user)); got == Success || !asked {
		t.Errorf("verdict %d, asked %v", got, asked)
	}
	m.signin.OwnAddresses = nil
	local := m.request(user)
	local.RemoteHost = "127.0.0.1"
	m.browser(local)
	if got, _, asked := m.silent(local); got == Success || !asked {
		t.Errorf("loopback: verdict %d, asked %v", got, asked)
	}
}

// A browser sign-in from one address leaves the windows of others open. A failed one opens none.
func TestReuseFromTwoAddresses(t *testing.T) {
	m := afterBrowser(t, tenMinutes)
	other := m.request(user)
	other.RemoteHost = "2001:db8::7"
	if _, _, asked := m.silent(other); !asked { // declined
		t.Fatal("no code")
	}
	m.browser(other)
	for _, req := range []Request{m.request(user), other} {
		if got, conv, asked := m.silent(req); got != Success || asked {
			t.Errorf("%s: verdict %d, asked %v, logged %q", req.RemoteHost, got, asked, conv.logged)
		}
	}
}

// An address that several people may share has no window.
func TestReuseNeedsAnAddress(t *testing.T) {
	for _, rhost := range []string{"", "UNKNOWN", "192.0.2.7 "} {
		t.Run(rhost, func(t *testing.T) {
			m := newMachine(t, tenMinutes)
			req := m.request(user)
			req.RemoteHost = rhost
			m.browser(req)
			if got, conv, asked := m.silent(req); got == Success || !asked {
				t.Errorf("verdict %d, asked %v, logged %q", got, asked, conv.logged)
			}
		})
	}
}
