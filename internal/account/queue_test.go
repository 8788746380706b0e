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

// Processes that wait at once are all served, in the order in which they came,
// and the store is written once. Some are killed while they wait, and some
// refused, also the last, which writes for all: they take no change of somebody
// else's with them.
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

// Who may not write as much as the store is, as by ulimit in front of sudo, fails
// alone: others who wait for it write themselves. And who waits for another gets
// what it came for.
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
		if said := limited.says(); strings.Contains(said, "file too large") != last ||
			(said == "stored") == last {
			t.Errorf("limited: %s", said)
		}
		if said := other.says(); said != "stored" {
			t.Errorf("other: %s", said)
		}
		if got := names(t, s); !slices.Contains(got, other.name) ||
			slices.Contains(got, limited.name) == last {
			t.Errorf("stored %q", got)
		}
	}
}

// staged is a change in the queue whose process sleeps.
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

// inTurn is a process in its turn.
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

// What waits is written for as long as one process waits, and gone when the last
// of them is.
func TestChangesOfTheDead(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "first@contoso.com")
	a, b := staged(t, s, signIn("a@contoso.com")), staged(t, s, signIn("b@contoso.com"))
	a.leave()
	if err := b.hear(); err != nil {
		t.Fatal(err)
	}
	b.leave()
	wantNames(t, s, "first@contoso.com", "a@contoso.com", "b@contoso.com")
	c, d := staged(t, s, signIn("c@contoso.com")), staged(t, s, signIn("d@contoso.com"))
	c.leave()
	d.leave()
	bind(t, s, testRules(), "e@contoso.com")
	wantNames(t, s, "first@contoso.com", "a@contoso.com", "b@contoso.com", "e@contoso.com")
}

// An older version, or a person, replaces the store without a look at the queue.
func TestStoreReplacedUnderTheQueue(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "first@contoso.com")
	q := staged(t, s, signIn("a@contoso.com"))
	if err := errors.Join(os.WriteFile(s.path("other"), rebuild(t), 0o644),
		os.Rename(s.path("other"), s.path(storeFile))); err != nil {
		t.Fatal(err)
	}
	bind(t, s, testRules(), "b@contoso.com")
	if err := q.hear(); err != errLost {
		t.Errorf("%v", err)
	}
	q.leave()
	wantNames(t, s, "alice@contoso.com", "b@contoso.com")
}

// A restoration writes what waits, and so it is in the backup that is made then.
func TestRestoreWhileOthersWait(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "first@contoso.com")
	if err := os.WriteFile(s.path("copy"), rebuild(t), 0o644); err != nil {
		t.Fatal(err)
	}
	q := staged(t, s, signIn("a@contoso.com"))
	var undone []string
	err := s.Restore(s.path("copy"), func(all []Account) error {
		for _, a := range all {
			undone = append(undone, a.Name)
		}
		return nil
	})
	if err != nil || !slices.Equal(undone, []string{"first@contoso.com", "a@contoso.com"}) {
		t.Errorf("undone %q, %v", undone, err)
	}
	if err := q.hear(); err != nil {
		t.Error(err)
	}
	q.leave()
	wantNames(t, s, "alice@contoso.com")
}

// Whoever writes is killed between the store's replacement and the note of it.
func TestKilledBeforeItSaysSo(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "first@contoso.com")
	q := staged(t, s, allowed("a@contoso.com"))
	killed, _ := inTurn(t, s)
	before := killed.head
	if err := killed.commit(nil); err != nil {
		t.Fatal(err)
	}
	a, err := open(t, s).ByName("a@contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	before.Next = killed.head.Base
	killed.head = before
	if err := errors.Join(killed.save(), os.Remove(s.grantPath(a.UID))); err != nil {
		t.Fatal(err)
	}
	killed.leave()
	if err := q.hear(); err != nil {
		t.Error(err)
	}
	q.leave()
	wantNames(t, s, "first@contoso.com", "a@contoso.com")
	if _, err := s.ReadGrant(a.UID); err != nil {
		t.Error(err)
	}
	bind(t, s, testRules(), "b@contoso.com")
	wantNames(t, s, "first@contoso.com", "a@contoso.com", "b@contoso.com")
}

// A lookup within a change sees what waits: a name, an id, an object, the rules,
// a decision.
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
	if a, err := open(t, s).ByName("a@contoso.com"); err != nil ||
		!a.Admin || len(names(t, s)) != 2 {
		t.Errorf("%+v, %v", a, err)
	}
}

// Where there is no order, as on a file of a server, changes are made at once.
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

// An older version has the lock, and then nobody else has a turn.
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
