// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import "testing"

const boot = "9a4a9743-d51a-4570-b827-4339f458f1b5"

// The note is read whole or not at all, because half of it may be half an address.
func TestParseSession(t *testing.T) {
	for text, want := range map[string]session{
		boot + " 77 1879048999 192.0.2.7\n":    {boot, 77, 1879048999, "192.0.2.7"},
		boot + " 1 1000 fe80::1%eth0\n":        {boot, 1, 1000, "fe80::1%eth0"},
		"":                                     {},
		"\n":                                   {},
		boot + " 77 1879048999 192.0.2.7":      {},
		boot + " 77 1879048999 192.0.2.7\n\n":  {},
		boot + " 77 1879048999 192.0.2.7 x\n":  {},
		boot + " 77 1879048999 \n":             {},
		boot + " 77 -1 192.0.2.7\n":            {},
		boot + " 77 4294967296 192.0.2.7\n":    {},
		boot + " 077 1000 192.0.2.7\n":         {},
		boot + "  77 1000 192.0.2.7\n":         {},
		boot + " 77 1000 192.0.2.7\n" + boot:   {},
		" 77 1000 192.0.2.7\n":                 {},
		boot + " seventy-seven 1000 192.0.2.7": {},
	} {
		got, ok := parseSession(text)
		if ok != (want != session{}) || ok && got != want {
			t.Errorf("%q: %+v, %v", text, got, ok)
		}
	}
}

func FuzzSession(f *testing.F) {
	f.Add(boot + " 77 1879048999 192.0.2.7\n")
	f.Add(boot + " 77 1879048999 192.0")
	f.Fuzz(func(t *testing.T, text string) {
		if s, ok := parseSession(text); ok && s.String() != text {
			t.Errorf("%q becomes %q", text, s)
		}
	})
}

func TestSudoHasNoWindowWithoutASession(t *testing.T) {
	m := afterBrowser(t, tenMinutes)
	for _, rhost := range []string{"", "192.0.2.7"} { // what the host says is no session's
		req := m.request(user)
		req.Service, req.RemoteHost, req.Caller = "sudo", rhost, m.firstID(user)
		m.browser(req)
		if got, conv, asked := m.silent(req); got == Success || !asked {
			t.Errorf("verdict %d, asked %v, logged %q", got, asked, conv.logged)
		}
	}
}
