// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// comeAndGo begins sign-ins that nobody finishes, until one is refused.
func comeAndGo(t *testing.T, w waitingRoom, v visitor, now moment) (n int, err error) {
	t.Helper()
	for ; n < 1000; n++ {
		s, err := w.Enter(t.Context(), v, now)
		if err != nil {
			return n, err
		}
		s.Close()
	}
	return n, nil
}

// A stranger who hangs up at every prompt gets the codes of one bucket, and then a few a minute.
// Nobody else notices.
func TestPaceOfStrangers(t *testing.T) {
	w := waitingRoom{Dir: t.TempDir(), Slots: 64}
	now := moment{Boot: "b", Up: time.Hour}
	stranger, owner := visitor{"a", "192.0.2.1"}, visitor{"a", "198.51.100.7"}
	if n, err := comeAndGo(t, w, stranger, now); n != 64 || !errors.Is(err, errTooOften) {
		t.Errorf("%d sign-ins, then %v", n, err)
	}
	n, err := comeAndGo(t, w, visitor{"b", stranger.address}, now)
	if n != 0 || !errors.Is(err, errTooOften) {
		t.Errorf("under another name: %d sign-ins, then %v", n, err)
	}
	now.Up += time.Minute
	if n, _ := comeAndGo(t, w, stranger, now); n != 8 {
		t.Errorf("a minute later: %d", n)
	}
	s, err := w.Enter(t.Context(), owner, now)
	if err != nil {
		t.Fatalf("the owner: %v", err)
	}
	s.Close()
	if n, err := comeAndGo(t, w, visitor{"a", rootHere}, now); n != 1000 {
		t.Errorf("root: %d, %v", n, err)
	}
	now.Boot = "another"
	if n, _ := comeAndGo(t, w, stranger, now); n != 64 {
		t.Errorf("after a boot: %d", n)
	}
}

// Any number of people may finish their sign-ins at one address, and the next one is let in.
func TestPaceOfManyPeople(t *testing.T) {
	w := waitingRoom{Dir: t.TempDir(), Slots: 1}
	now := moment{Boot: "b"}
	for i := range 200 {
		s, err := w.Enter(t.Context(), visitor{fmt.Sprint(i), "192.0.2.1"}, now)
		if err != nil {
			t.Fatalf("the %dth: %v", i, err)
		}
		s.Finished(t.Context(), now)
		s.Close()
	}
}

// The file does not grow with the number of addresses. It keeps those that have begun the most
// sign-ins.
func TestBucketsAreBounded(t *testing.T) {
	var b buckets
	now := moment{Boot: "b"}
	for range 3 {
		b.add("busy", 1, now, 64)
	}
	for i := range 3 * maxBuckets {
		b.add(fmt.Sprint(i), 1, now, 64)
	}
	if len(b.Of) != maxBuckets || b.Of["busy"].Level != 3 {
		t.Errorf("%d buckets, %+v", len(b.Of), b.Of["busy"])
	}
	now.Up = time.Minute
	if b.add("x", 1, now, 64); len(b.Of) != 1 {
		t.Errorf("%d buckets are not empty", len(b.Of))
	}
}

func FuzzBuckets(f *testing.F) {
	text, err := json.Marshal(buckets{
		"b", map[string]bucket{"192.0.2.1": {2.5, time.Hour}, "2001:db8::/64": {1, 0}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:20])
	f.Add([]byte(`{"boot":"b","of":{"x":{"level":-1e300,"up_ns":-9223372036854775808}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b := decodeBuckets(bytes.NewReader(text))
		b.add("y", 1, moment{Boot: "b", Up: time.Hour}, 64)
		if len(b.Of) > maxBuckets {
			t.Errorf("%d buckets", len(b.Of))
		}
		for address, one := range b.Of {
			if !(one.Level >= 0) {
				t.Errorf("%s: %+v", address, one)
			}
		}
		again, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := decodeBuckets(bytes.NewReader(again)); !reflect.DeepEqual(got, b) {
			t.Errorf("%+v becomes %+v", b, got)
		}
	})
}

// A process that keeps the lock of the room delays an attempt by its time-out at most.
func TestWaitingRoomLocked(t *testing.T) {
	w := waitingRoom{Dir: t.TempDir(), Slots: 4}
	held, err := openLocked(t.Context(), filepath.Join(w.Dir, "door"), unix.LOCK_EX)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := w.Enter(ctx, visitor{account: "a"}, moment{})
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, errLocked) {
		t.Errorf("%v", err)
	}
	// An attempt that gave up has not taken the lock from anybody.
	held.Close()
	enter(t, w, "a")
}

func TestSignInWhileRoomIsLocked(t *testing.T) {
	m := newMachine(t, impatient)
	m.works()
	held, err := openLocked(t.Context(),
		filepath.Join(m.signin.CacheDir, "waiting", "remote", "door"), unix.LOCK_EX)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	conv := new(said)
	got := m.signin.Authenticate(ctx, m.request(user), conv)
	ended(t, got, conv, Broken, "Sign-ins cannot begin on this machine at the moment.",
		`reason="waiting-room-locked"`)
}

// A stranger at the prompt costs the machine no token, however long the attempt lasts.
func TestNoTokenForStrangers(t *testing.T) {
	m := newMachine(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	conv := new(said)
	done := make(chan Verdict)
	go func() { done <- m.signin.Authenticate(ctx, m.request(user), conv) }()
	if err := m.entra.Await(ctx, func() bool { return m.requests("token") > 1 }); err != nil {
		t.Fatal(err)
	}
	for _, endpoint := range []string{"identity", "info"} {
		if n := m.requests(endpoint); n != 0 {
			t.Errorf("%s was asked %d times before the browser was done", endpoint, n)
		}
	}
	if err := m.entra.SignIn(m.entra.PendingCodes()[0].UserCode, user); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got != Success || m.requests("identity") != 1 {
		t.Errorf("verdict %d, %d tokens; logged %q", got, m.requests("identity"), conv.logged)
	}
}
