// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aadlogin/internal/devicecode"
)

// The machine's clock is set while a person is in the browser. A token from another time lets
// nobody in, and the sign-in ends. The next sign-in, by the right time, works.
func TestClockIsSet(t *testing.T) {
	for name, by := range map[string]time.Duration{
		"a day forward": 24 * time.Hour,
		"an hour back":  -time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, "")
			var step atomic.Int64
			m.signin.Now = func() time.Time { return m.now().Add(time.Duration(step.Load())) }
			conv := &said{answer: func(prompt string) {
				step.Store(int64(by))
				if err := m.entra.SignIn(userCode.FindStringSubmatch(prompt)[1], user); err != nil {
					t.Error(err)
				}
			}}
			ended(t, m.signin.Authenticate(t.Context(), m.request(user), conv), conv, Refused,
				"could not be trusted", `fix="see that the clock is right: timedatectl`)
			m.unknown(user)
			step.Store(0)
			m.works()
		})
	}
}

// A code expires by its monotonic reading, which nobody can set.
func TestCodeExpiresByTheMonotonicClock(t *testing.T) {
	m := newMachine(t, "")
	m.signin.Now = nil
	a := m.signin.attempt(m.request(user), new(said))
	if err := a.configure(); err != nil {
		t.Fatal(err)
	}
	cloud, err := a.reach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	code, err := devicecode.Start(t.Context(), a.deviceRequest(cloud))
	if err != nil {
		t.Fatal(err)
	}
	// This is the format that time.Time.String documents.
	if text := code.Expires.String(); !strings.Contains(text, " m=+") {
		t.Errorf("expires by the wall clock: %s", text)
	}
}
