// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import "fmt"

// Decide writes down, together with the change, what has been decided about an account. Whoever
// decides next sees it. A denial is on disk before the change is, so that what it takes back holds
// for nobody meanwhile. A grant is written only after the store has the account as that of the
// grant's person.
func (e *Edit) Decide(uid uint32, g Grant) {
	if g.Time.IsZero() {
		g.Time = e.now
	}
	e.decided = append(e.decided, decision{uid, g})
}

// A decision waits for the change that it belongs to.
type decision struct {
	uid   uint32
	grant Grant
}

// LastDecision returns the store's last decision, or a later one that waits to be written.
func (e *Edit) LastDecision(uid uint32) (Grant, error) {
	last, err := e.store.LastDecision(uid)
	if e.base == nil {
		return last, err
	}
	waiting, none := parseGrant(newest(e.base.waiting, uidKey("d", uid)))
	if none != nil || err == nil && last.After(waiting.Moment) {
		return last, err
	}
	return waiting, nil
}

// writeDenials writes the denials of an edit.
func (s Store) writeDenials(e *Edit) error {
	for _, d := range e.decided {
		if d.grant.Denied == "" {
			continue
		}
		if err := s.writeGrant(d.uid, d.grant); err != nil {
			return fmt.Errorf("account: record grant: %w", err)
		}
	}
	return nil
}

// writeGrants writes the grants of a change that is in the store. It leaves out grants of an
// account that belongs to somebody else by now, or that has been denied since. The process that
// waits for its grant finds that out by itself: it may be another process than this one.
func (s Store) writeGrants(e *Edit) {
	for _, d := range e.decided {
		a, err := e.ByUID(d.uid)
		last, none := s.LastDecision(d.uid)
		if err == nil && d.grant.isOf(a) && !(none == nil && last.After(d.grant.Moment)) {
			_ = s.writeGrant(d.uid, d.grant)
		}
	}
}

func (g Grant) isOf(a Account) bool {
	return g.Denied == "" && a.Locked.IsZero() &&
		g.TenantID == a.TenantID && g.ObjectID == a.ObjectID
}

// keepGrants returns when the grants of an edit, or later decisions, are on disk.
func (s Store) keepGrants(e *Edit) error {
	for _, d := range e.decided {
		last, err := s.LastDecision(d.uid)
		if err == nil && !last.is(d.grant.Moment) && !last.After(d.grant.Moment) {
			err = ErrNoGrant
		}
		if err == nil {
			err = syncPath(s.grantPath(d.uid))
		}
		if err != nil {
			return fmt.Errorf("account: record grant: %w", err)
		}
	}
	return nil
}

// ReadGrant returns the store's last grant, or a later one that waits to be written.
func (e *Edit) ReadGrant(uid uint32) (Grant, error) { return withoutDenial(e.LastDecision(uid)) }
