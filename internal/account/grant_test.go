// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGrant(t *testing.T) {
	s := newStore(t)
	if _, err := s.ReadGrant(1234); !errors.Is(err, ErrNoGrant) {
		t.Errorf("no grant: %v", err)
	}
	want := Grant{TenantID: tenant, ObjectID: "oid", Admin: true, Source: "check-access",
		Service: "sshd", RemoteHost: "::1"}
	if err := s.RecordGrant(1234, want); err != nil {
		t.Fatal(err)
	}
	// A file that a killed writer leaves is removed in time, and hinders nobody.
	if err := os.WriteFile(s.grantPath(1234)+".new", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.RecordGrant(1234, want); err != nil {
		t.Fatal(err)
	}
	want.Time = s.Now()
	if got, err := s.ReadGrant(1234); err != nil || got != want {
		t.Errorf("ReadGrant = %+v, %v", got, err)
	}
	for _, bad := range []string{
		"", "{", "{}", `{"object":"x"}`, "null", strings.Repeat(" ", 1<<20),
	} {
		if err := os.WriteFile(s.grantPath(1234), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.ReadGrant(1234); !errors.Is(err, ErrNoGrant) {
			t.Errorf("grant %.20q reads as %+v, %v", bad, got, err)
		}
	}
	if left, _ := filepath.Glob(s.path(grantsDir + "/*")); len(left) != 1 {
		t.Errorf("remains: %q", left)
	}
}

// The files of an authorization are removed, and missing ones are no error.
func TestWithdraw(t *testing.T) {
	s := newStore(t)
	s.RuntimeDir = t.TempDir()
	a := bind(t, s, testRules(), "alice@contoso.com")
	windows := s.WindowsPath(a.UID)
	err := errors.Join(s.RecordGrant(a.UID, Grant{ObjectID: a.ObjectID}),
		os.Mkdir(filepath.Dir(windows), 0o700),
		os.WriteFile(windows, nil, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Withdraw(a.UID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.ReadGrant(a.UID); !errors.Is(err, ErrNoGrant) {
		t.Errorf("grant: %v", err)
	}
	if _, err := os.Stat(windows); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("windows: %v", err)
	}
}
