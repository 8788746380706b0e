// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A person who turns away at the prompt, because it was somebody else's browser, leaves no window.
func TestReuseNeedsTheDoor(t *testing.T) {
	m := newMachine(t, tenMinutes)
	m.aborts = true
	m.browser(m.request(user))
	if got, conv, asked := m.silent(m.request(user)); got == Success || !asked {
		t.Errorf("verdict %d, asked %v, logged %q", got, asked, conv.logged)
	}
	m.aborts = false
	m.browser(m.request(user))
	if got, conv, asked := m.silent(m.request(user)); got != Success || asked {
		t.Errorf("let in: verdict %d, asked %v, logged %q", got, asked, conv.logged)
	}
}

// The files that door and worker leave are removed when no window can rest on them.
func TestMarksAreSwept(t *testing.T) {
	m := newMachine(t, tenMinutes)
	old, recent := m.now().Add(-markAge-time.Minute), m.now().Add(-markAge/2)
	for name, at := range map[string]time.Time{
		"pending/old":    old,
		"opened/old":     old,
		"pending/recent": recent,
		"opened/recent":  recent,
	} {
		path := filepath.Join(m.signin.RuntimeDir, name)
		os.MkdirAll(filepath.Dir(path), 0o700)
		m.write(path, "")
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	m.browser(m.request(user))
	left, err := filepath.Glob(m.signin.RuntimeDir + "/*/old")
	kept, _ := filepath.Glob(m.signin.RuntimeDir + "/*/recent")
	if err != nil || len(left) != 0 || len(kept) != 2 {
		t.Errorf("left %q, kept %q, %v", left, kept, err)
	}
}
