// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"aadlogin/internal/config"
	"aadlogin/internal/emulator"
)

// took returns a time of the log's last line in seconds, or a negative number if there is none.
func (s *said) took(t *testing.T, key string) float64 {
	t.Helper()
	pair := regexp.MustCompile(` ` + key + `_duration="(\d+\.\d{3})s"`)
	m := pair.FindStringSubmatch(s.logged[len(s.logged)-1])
	if m == nil {
		return -1
	}
	seconds, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return seconds
}

// The log says how long the servers took, apart from the time of the person.
func TestHowLongServersTook(t *testing.T) {
	const slow = 300 * time.Millisecond
	m := newMachine(t, "")
	_, conv := m.signIn(m.request(user), user)
	if conv.took(t, "entra") < 0 || conv.took(t, "azure") < 0 {
		t.Errorf("%q", conv.logged)
	}
	for endpoint, key := range map[string]string{"devicecode": "entra", "checkaccess": "azure"} {
		m.entra.Fail(emulator.Fault{Endpoint: endpoint, Delay: emulator.Duration(slow)})
		if _, conv := m.signIn(m.request(user), user); conv.took(t, key) < slow.Seconds() {
			t.Errorf("%s: %q", endpoint, conv.logged)
		}
		m.entra.Heal()
	}
	got, conv := m.again(m.request(user))
	ended(t, got, conv, Success, "", "authorized")
	if conv.took(t, "entra") >= 0 || conv.took(t, "azure") < 0 {
		t.Errorf("with a key: %q", conv.logged)
	}
	m.reconfigure(sourceLine(config.AppRoles))
	_, conv = m.signIn(m.request(user), user)
	if conv.took(t, "entra") < 0 || conv.took(t, "azure") >= 0 {
		t.Errorf("by app roles: %q", conv.logged)
	}
}
