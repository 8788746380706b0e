// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"os"
	"slices"
	"testing"
)

// The waiting changes are written as long as one process waits. They are gone when the last of them
// is.
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

// An older version, or a person, replaces the store without looking at the queue.
func TestStoreReplacedUnderTheQueue(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "first@contoso.com")
	q := staged(t, s, signIn("a@contoso.com"))
	err := errors.Join(os.WriteFile(s.path("other"), rebuild(t), 0o644),
		os.Rename(s.path("other"), s.path(storeFile)))
	if err != nil {
		t.Fatal(err)
	}
	bind(t, s, testRules(), "b@contoso.com")
	if err := q.hear(); err != errLost {
		t.Errorf("%v", err)
	}
	q.leave()
	wantNames(t, s, "alice@contoso.com", "b@contoso.com")
}

// A restoration writes the waiting changes first, so the backup of that moment has them.
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

// The writer is killed after it has replaced the store and before it has noted that.
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
