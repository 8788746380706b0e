// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"
)

// A damaged store is found even if this process wrote it last, and is left as it is.
func TestDamageAfterOurOwnWrite(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "first@contoso.com")
	bind(t, s, testRules(), "second@contoso.com")
	whole, err := os.ReadFile(s.path(storeFile))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(s.path(storeFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{
		bytes.Index(whole, []byte("nfirst@")) - 8, bytes.Index(whole, []byte("nfirst@")),
		len(whole) - 1,
	} {
		bad := flipped(whole, at)
		f, err := os.OpenFile(s.path(storeFile), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteAt(bad, 0)
		unchanged := os.Chtimes(s.path(storeFile), info.ModTime(), info.ModTime())
		if err := errors.Join(err, f.Close(), unchanged); err != nil {
			t.Fatal(err)
		}
		err = s.Update(signIn("third@contoso.com"))
		var damaged *DamagedError
		got, _ := os.ReadFile(s.path(storeFile))
		if !errors.As(err, &damaged) || !bytes.Equal(got, bad) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
	if _, err := os.Stat(s.path(newFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// Whatever accounts.lock holds, a change is made, and nothing else is stored.
func TestDamagedQueue(t *testing.T) {
	for what, spoil := range map[string]func(b []byte) []byte{
		"head":   func(b []byte) []byte { return flipped(b, headAt+10) },
		"change": func(b []byte) []byte { return flipped(b, queueAt+3) },
		"numbers": func(b []byte) []byte {
			return append(bytes.Repeat([]byte{255}, 16), b[16:]...)
		},
		"drawn": func(b []byte) []byte { return append(bytes.Repeat([]byte{255}, 8), b[8:]...) },
		"served": func(b []byte) []byte {
			return slices.Concat(b[:8], bytes.Repeat([]byte{255}, 8), b[16:])
		},
		"nothing": func(b []byte) []byte { return nil },
	} {
		s := newStore(t)
		bind(t, s, testRules(), "first@contoso.com")
		staged(t, s, signIn("a@contoso.com")).leave()
		text, err := os.ReadFile(s.path(lockFile))
		if err == nil {
			err = os.WriteFile(s.path(lockFile), spoil(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"b@contoso.com", "c@contoso.com"} {
			bind(t, s, testRules(), name)
		}
		got := names(t, s)
		if !slices.Equal(got, []string{"first@contoso.com", "b@contoso.com", "c@contoso.com"}) {
			t.Errorf("%s: stored %q", what, got)
		}
	}
}

// FuzzQueue checks that no bytes in accounts.lock break a change.
func FuzzQueue(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x00r"), []byte("r"))
	f.Fuzz(func(t *testing.T, changes, key []byte) {
		parseHead(changes)
		newest(changes, key)
		e := newEdit(Store{Dir: "/nonexistent"}, nil)
		if e.take(changes) == nil {
			for _, a := range e.accounts {
				if err := a.check(); err != nil {
					t.Error(err)
				}
			}
		}
	})
}
