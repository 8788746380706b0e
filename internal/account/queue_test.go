// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Processes that wait at the same time are served in the order in which they came, and the store is
// written once. Some are killed while they wait. Some are refused, also the last, which writes for
// all. None of these takes another's change with it.
func TestManyAtOnce(t *testing.T) {
	for _, test := range []struct {
		killed, refused []int
	}{
		{nil, nil}, {[]int{1, 2}, []int{3}}, {nil, []int{0, 5}}, {[]int{0, 4, 5}, nil},
	} {
		s := newStore(t)
		bind(t, s, testRules(), "first@contoso.com")
		written := replacements(t, s)
		want := []string{"first@contoso.com"}
		var all []*child
		for i := range 6 {
			name := fmt.Sprintf("u%d@contoso.com", i)
			if slices.Contains(test.refused, i) {
				name = "NO ONE" // cannot be an account's
			}
			all = append(all, childOf(t, s, name))
			if name != "NO ONE" && !slices.Contains(test.killed, i) {
				want = append(want, name)
			}
		}
		release := queued(t, s, all...)
		for _, i := range test.killed {
			all[i].cmd.Process.Kill()
			all[i].cmd.Wait()
		}
		release()
		for i, c := range all {
			said := c.says()
			switch {
			case slices.Contains(test.killed, i):
			case c.name == "NO ONE":
				if !strings.HasPrefix(said, "error: account: name") {
					t.Errorf("%+v: %d: %s", test, i, said)
				}
			case said != "stored":
				t.Errorf("%+v: %s: %s", test, c.name, said)
			}
		}
		if got := names(t, s); !slices.Equal(got, want) {
			t.Errorf("%+v: stored %q", test, got)
		}
		if n := written(); n != 1 {
			t.Errorf("%+v: the store has been written %d times", test, n)
		}
	}
}

// A process may have a file size limit below the size of the store, as from ulimit in front of
// sudo. Only this process fails: those that wait for it write themselves, and get their own changes
// made.
func TestWhoCannotWrite(t *testing.T) {
	for _, last := range []bool{true, false} {
		s := newStore(t)
		bind(t, s, testRules(), "first@contoso.com")
		for i := range 5 {
			bind(t, s, testRules(), fmt.Sprintf("more%d@contoso.com", i))
		}
		limited, other := childOf(t, s, "limited@contoso.com", childLimit+"=1"),
			childOf(t, s, "other@contoso.com")
		order := []*child{limited, other}
		if last {
			slices.Reverse(order)
		}
		queued(t, s, order...)()
		said := limited.says()
		if strings.Contains(said, "file too large") != last || (said == "stored") == last {
			t.Errorf("limited: %s", said)
		}
		if said := other.says(); said != "stored" {
			t.Errorf("other: %s", said)
		}
		got := names(t, s)
		if !slices.Contains(got, other.name) || slices.Contains(got, limited.name) == last {
			t.Errorf("stored %q", got)
		}
	}
}

// staged adds a change to the queue whose process sleeps.
func staged(t *testing.T, s Store, change func(*Edit) error) *queue {
	t.Helper()
	q, e := inTurn(t, s)
	if err := change(e); err != nil {
		t.Fatal(err)
	}
	if !e.canWait() {
		t.Fatal("it cannot wait")
	}
	records, err := e.change()
	if err := errors.Join(err, q.store.writeDenials(e), q.add(records)); err != nil {
		t.Fatal(err)
	}
	q.end()
	return q
}

// inTurn returns the queue and edit of a process in its turn.
func inTurn(t *testing.T, s Store) (*queue, *Edit) {
	t.Helper()
	q, err := s.enter()
	if err != nil {
		t.Fatal(err)
	}
	base, err := q.open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { base.Close() })
	return q, newEdit(s, base)
}

func signIn(name string) func(*Edit) error {
	return func(e *Edit) error { return firstSignIn(e, name) }
}

// A lookup within a change sees the waiting changes: a name, an id, an object, the rules, a
// decision.
func TestChangesSeeWhatWaits(t *testing.T) {
	s := newStore(t)
	rules := testRules()
	rules.Shell = "/bin/sh"
	bind(t, s, rules, "first@contoso.com")
	waiting := staged(t, s, allowed("a@contoso.com"))
	defer waiting.leave()
	q, e := inTurn(t, s)
	a, err := e.ByName("a@contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	same, err := e.ByObject(a.TenantID, a.ObjectID)
	if err != nil || same.UID != a.UID || !e.Rules().Equal(testRules()) {
		t.Errorf("by object %+v, %v; rules %+v", same, err, e.Rules())
	}
	if _, err := e.Bind(Identity{tenant, "another", a.Name, a.UPN}, a.UID); err != ErrOtherObject {
		t.Errorf("another's: %v", err)
	}
	if g, err := e.ReadGrant(a.UID); err != nil || g.ObjectID != a.ObjectID {
		t.Errorf("decided %+v, %v", g, err)
	}
	a.Admin = true
	if err := errors.Join(e.Put(a), q.take(e)); err != nil {
		t.Fatal(err)
	}
	q.leave()
	if err := waiting.hear(); err != nil {
		t.Fatal(err)
	}
	a, err = open(t, s).ByName("a@contoso.com")
	if err != nil || !a.Admin || len(names(t, s)) != 2 {
		t.Errorf("%+v, %v", a, err)
	}
}

// Without an order, as on a file server, changes are made at once.
func TestWithoutOrder(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "first@contoso.com")
	q, e := inTurn(t, s)
	if err := q.put(drawnAt, q.number+5); err != nil { // others are there
		t.Fatal(err)
	}
	q.number = 0
	if err := errors.Join(firstSignIn(e, "a@contoso.com"), q.take(e)); err != nil {
		t.Fatal(err)
	}
	q.leave()
	wantNames(t, s, "first@contoso.com", "a@contoso.com")
}

// While an older version has the lock, nobody else has a turn.
func TestOlderVersionExcludes(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "first@contoso.com")
	q, _ := inTurn(t, s)
	f, err := os.Open(s.path(lockFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != unix.EWOULDBLOCK {
		t.Errorf("an older version has the lock in our turn: %v", err)
	}
	q.leave()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Error(err)
	}
}
