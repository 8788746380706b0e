// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestKeysOneRefreshForUnknownKids(t *testing.T) {
	a := newAuthority(t)
	k := a.verifier(t, "").Keys
	for _, kid := range []string{"storm-1", "storm-2", "storm-3"} {
		_, err := k.key(t.Context(), kid)
		var bad *InvalidError
		if !errors.As(err, &bad) || bad.Part != "kid" {
			t.Errorf("%s: %v", kid, err)
		}
	}
	if a.asked["keys"] != 2 {
		t.Errorf("%d requests, want the first and one refresh", a.asked["keys"])
	}
	if _, err := k.key(t.Context(), "current"); err != nil {
		t.Errorf("a known key after the storm: %v", err)
	}
}

// Each sign-in is a process of its own, and they share only the cache. Unknown key ids cost the
// authority one request a minute altogether. They keep no key from being found: neither a cached
// one nor, a minute later, a new one.
func TestKeysStormAcrossSignIns(t *testing.T) {
	a := newAuthority(t)
	dir := filepath.Join(t.TempDir(), "cache")
	signIn := func(kid string) error {
		_, err := a.verifier(t, dir).Keys.key(t.Context(), kid)
		return err
	}
	for i := range 300 {
		var bad *InvalidError
		if err := signIn(fmt.Sprint("forged-", i)); !errors.As(err, &bad) || bad.Part != "kid" {
			t.Fatal(err)
		}
	}
	if a.asked["keys"] != 2 {
		t.Errorf("%d requests, want the first and one look for a new key", a.asked["keys"])
	}
	a.keys = append(a.keys, jwk("next", public("next"), map[string]any{"issuer": a.issuer()}))
	if err := signIn("current"); err != nil {
		t.Errorf("a known key during the storm: %v", err)
	}
	a.now = a.now.Add(rest)
	for range 2 {
		if err := signIn("next"); err != nil {
			t.Errorf("a new key after the storm: %v", err)
		}
	}
	if a.asked["keys"] != 3 {
		t.Errorf("%d requests, want 3", a.asked["keys"])
	}
}

// Sign-ins that waited while the keys changed learn it from each other. Keys that change twice in a
// minute are found twice.
func TestKeysRollOverWhileOthersWait(t *testing.T) {
	a := newAuthority(t)
	dir := filepath.Join(t.TempDir(), "cache")
	var waiting []*Keys
	for range 10 {
		k := a.verifier(t, dir).Keys
		if err := k.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, k)
	}
	for i, kid := range []string{"next", "stranger"} {
		a.keys = []map[string]any{jwk(kid, public(kid), map[string]any{"issuer": a.issuer()})}
		for _, k := range waiting {
			if _, err := k.key(t.Context(), kid); err != nil {
				t.Errorf("%s: %v", kid, err)
			}
		}
		if want := 2 + i; a.asked["keys"] != want {
			t.Errorf("%s: %d requests, want %d", kid, a.asked["keys"], want)
		}
	}
	if _, err := a.verifier(t, dir).Keys.key(t.Context(), "current"); err == nil {
		t.Error("a withdrawn key is still believed")
	}
}

func TestKeysRollOver(t *testing.T) {
	a := newAuthority(t)
	dir := filepath.Join(t.TempDir(), "cache")
	if _, err := a.verifier(t, dir).Keys.key(t.Context(), "current"); err != nil {
		t.Fatal(err)
	}
	a.keys = append(a.keys, jwk("next", public("next"), map[string]any{"issuer": a.issuer()}))
	for range 2 { // the second sign-in finds the new key in the cache
		if _, err := a.verifier(t, dir).Keys.key(t.Context(), "next"); err != nil {
			t.Fatal(err)
		}
	}
	if a.asked["keys"] != 2 {
		t.Errorf("%d requests, want 2", a.asked["keys"])
	}
}

func TestKeysAreNotUsedAfterADay(t *testing.T) {
	a := newAuthority(t)
	dir := filepath.Join(t.TempDir(), "cache")
	k := a.verifier(t, dir).Keys
	if err := k.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.broken = "500"
	a.now = a.now.Add(maxAge - time.Second)
	if _, err := k.key(t.Context(), "current"); err != nil {
		t.Errorf("within a day: %v", err)
	}
	a.now = a.now.Add(time.Second)
	if _, err := k.key(t.Context(), "current"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("after a day: %v, want ErrUnreachable", err)
	}
	a.broken = ""
	if _, err := k.key(t.Context(), "current"); err != nil {
		t.Errorf("an outage was remembered: %v", err)
	}
}

// What is in the cache is neither fetched nor read before it is needed.
func TestKeysPrepare(t *testing.T) {
	a := newAuthority(t)
	a.now = time.Now().Add(time.Minute) // the cache goes by the dates of its files
	dir := filepath.Join(t.TempDir(), "cache")
	for i := range 3 {
		k := a.verifier(t, dir).Keys
		if err := k.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a.asked["keys"] != 1 || (k.set != nil) != (i == 0) {
			t.Errorf("time %d: %d requests, %d keys in memory", i, a.asked["keys"], len(k.set))
		}
		if _, err := k.key(t.Context(), "current"); err != nil {
			t.Error(err)
		}
	}
	k := a.verifier(t, dir).Keys
	a.broken = "500"
	a.now = a.now.Add(maxAge)
	if err := k.Prepare(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("keys of yesterday: %v", err)
	}
}

func TestKeysOutageIsNotAnAccusation(t *testing.T) {
	for _, fault := range []string{"reset", "truncated", "html", "500", "429"} {
		a := newAuthority(t)
		k := a.verifier(t, "").Keys
		a.broken = fault
		_, err := k.key(t.Context(), "current")
		var bad *InvalidError
		if !errors.Is(err, ErrUnreachable) || errors.As(err, &bad) {
			t.Errorf("%s: %v", fault, err)
		}
	}
}

func TestCacheUnwritable(t *testing.T) {
	a := newAuthority(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, file + "/below", "/proc/none/cache"} {
		if _, err := a.verifier(t, dir).Keys.key(t.Context(), "current"); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
