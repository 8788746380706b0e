// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// A damaged store is refused with its name, and left as it is.
func TestDamageIsNeverOverwritten(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "alice@contoso.com")
	bind(t, s, testRules(), "bob@contoso.com")
	whole, err := os.ReadFile(s.path(storeFile))
	if err != nil {
		t.Fatal(err)
	}
	missed := 0
	for i := range whole {
		for _, bad := range [][]byte{whole[:i], flipped(whole, i)} {
			if err := os.WriteFile(s.path(storeFile), bad, 0o644); err != nil {
				t.Fatal(err)
			}
			err := s.Update(func(e *Edit) error {
				r := e.Rules()
				r.Shell = "/bin/sh"
				return e.SetRules(r)
			})
			after, _ := os.ReadFile(s.path(storeFile))
			var damaged *DamagedError
			var version *VersionError
			switch {
			case err == nil:
				missed++ // text for text: a home, a shell, a date
			case errors.As(err, &damaged) && damaged.Previous &&
				strings.Contains(err.Error(), "aadctl store restore "),
				errors.As(err, &version):
				if !bytes.Equal(bad, after) {
					t.Fatalf("byte %d: damage was overwritten", i)
				}
			default:
				t.Fatalf("byte %d: %v", i, err)
			}
			if len(bad) < len(whole) && err == nil {
				t.Errorf("truncation to %d bytes passed", i)
			}
		}
	}
	if missed > len(whole)/4 {
		t.Errorf("%d of %d flipped bytes passed", missed, len(whole))
	}
}

func flipped(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 1
	return b
}

func TestPreviousRestores(t *testing.T) {
	s := newStore(t)
	alice := bind(t, s, testRules(), "alice@contoso.com")
	bind(t, s, testRules(), "bob@contoso.com")
	previous, err := os.ReadFile(s.path(previousFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path(storeFile), previous, 0o644); err != nil {
		t.Fatal(err)
	}
	if a, err := open(t, s).ByName(alice.Name); err != nil || !a.equal(alice) {
		t.Errorf("restored %+v, %v", a, err)
	}
	// A store that is lost, with a previous one beside it, is not replaced by an empty one.
	if err := os.Remove(s.path(storeFile)); err != nil {
		t.Fatal(err)
	}
	var damaged *DamagedError
	err = s.Update(func(e *Edit) error { return e.SetRules(testRules()) })
	if !errors.As(err, &damaged) {
		t.Errorf("a lost store: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	s := newStore(t)
	if _, err := s.Open(); !errors.Is(err, ErrMissing) {
		t.Errorf("no store: %v", err)
	}
	err := s.Update(func(*Edit) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "config apply") {
		t.Errorf("a store without rules: %v", err)
	}
	bind(t, s, testRules(), "alice@contoso.com")
	path := s.path(storeFile)
	for what, spoil := range map[string]func() error{
		"group-writable": func() error { return os.Chmod(path, 0o664) },
		"symlink": func() error {
			return errors.Join(os.Rename(path, path+".real"), os.Symlink(path+".real", path))
		},
		"directory": func() error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o755)) },
		"FIFO": func() error {
			return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o644))
		},
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if snapshot, err := s.Open(); err == nil {
			snapshot.Close()
			t.Errorf("%s: opened", what)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		data, _ := os.ReadFile(path + ".real")
		if data == nil {
			data = rebuild(t)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	other := rebuild(t)
	other[bytes.Index(other, []byte("aad\x01"))+3] = 2
	if err := os.WriteFile(path, other, 0o644); err != nil {
		t.Fatal(err)
	}
	var version *VersionError
	if _, err := s.Open(); !errors.As(err, &version) || version.Format != 2 {
		t.Errorf("a store of format 2: %v", err)
	}
}

// rebuild returns the bytes of a store with alice in it.
func rebuild(t testing.TB) []byte {
	t.Helper()
	s := newStore(t)
	bind(t, s, testRules(), "alice@contoso.com")
	data, err := os.ReadFile(s.path(storeFile))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A write that fails, as on a full disk, leaves the old store and no other file. The test runs in a
// process of its own, because the limit is that of a process.
func TestFailedWriteLeavesTheOldStore(t *testing.T) {
	const child = "AADLOGIN_TEST_LIMITED"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), child+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("PASS: "+t.Name())) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	s := newStore(t)
	bind(t, s, testRules(), "alice@contoso.com")
	before, err := os.ReadFile(s.path(storeFile))
	if err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	small := syscall.Rlimit{Cur: 2500, Max: limit.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	err = s.Update(func(e *Edit) error {
		first, err := e.NewAccount(Name{"bob@contoso.com", "bob@contoso.com"})
		if err != nil {
			return err
		}
		_, err = e.Bind(person("bob@contoso.com"), first.UID)
		return err
	})
	if again := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); again != nil {
		t.Fatal(again)
	}
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("Update = %v", err)
	}
	if after, _ := os.ReadFile(s.path(storeFile)); !bytes.Equal(before, after) {
		t.Error("the store changed")
	}
	if _, err := os.Lstat(s.path(newFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("remains: %v", err)
	}
	bind(t, s, testRules(), "bob@contoso.com")
}
