// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
)

// A RangeError is returned for an id range whose first ids somebody has. These ids are groups, one
// of them that of the administrators, and a user with such an id as the primary group would be in
// it.
type RangeError struct {
	Low    uint32
	ID     uint32
	Holder string // whose ID is, in words
	Free   uint32 // where the range could begin, or 0
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("account: accounts.id_range: ids %d to %d are groups (%d is %s), and %d "+
		"is that of %s",
		e.Low, e.Low+reserved-1, e.Low+1, AdminsGroup, e.ID, e.Holder)
}

// Fix says what to do.
func (e *RangeError) Fix() string {
	if e.Free == 0 {
		return "begin the range at another number"
	}
	return fmt.Sprintf("begin the range at another number, such as %d", e.Free)
}

// IsGroup reports whether an id is one of the groups at the beginning of the range.
func (r Rules) IsGroup(id uint32) bool { return id-r.Low < reserved }

// Fit refuses rules, with *RangeError, that make groups of ids that somebody has: accounts, removed
// accounts, former ids of accounts, or others on this machine, which are l.
func (s *Snapshot) Fit(r Rules, l *Locals) error { return fit(r, s, l) }

// Fit is Snapshot.Fit for a store being changed.
func (e *Edit) Fit(r Rules) error {
	if err := e.readLocals(); err != nil {
		return err
	}
	return fit(r, e, e.locals)
}

// Fit compares rules with a store that may not be there yet.
func (s Store) Fit(r Rules) error {
	snapshot, err := s.Open()
	if errors.Is(err, ErrMissing) {
		return newEdit(s, nil).Fit(r)
	}
	if err != nil {
		return err
	}
	defer snapshot.Close()
	l, err := s.Locals()
	if err != nil {
		return err
	}
	return snapshot.Fit(r, l)
}

func fit(r Rules, s accountRecords, l *Locals) error {
	for id := r.Low; r.IsGroup(id); id++ {
		holder, err := holderOf(id, r, s, l)
		if err != nil {
			return err
		}
		if holder != "" {
			return &RangeError{r.Low, id, holder, free(r, s, l)}
		}
	}
	return nil
}

// free returns the next number at which the range could begin, or 0 if there is none nearby. It
// asks only the files: a name service may take long for so many ids.
func free(r Rules, s accountRecords, l *Locals) uint32 {
	const nearby = 100000
	files := *l
	files.Besides = nil
	low := r.Low
	for id := low; id-r.Low < nearby && r.High-id >= reserved; id++ {
		switch holder, err := holderOf(id, r, s, &files); {
		case err != nil:
			return 0
		case holder != "":
			low = id + 1
		case id-low == reserved-1:
			return low
		}
	}
	return 0
}

// holderOf says in words who has an id, or returns "". Our own two groups may stand in /etc/group
// as well.
func holderOf(id uint32, r Rules, s accountRecords, l *Locals) (string, error) {
	a, err := s.ByUID(id)
	switch {
	case err == nil:
		return "account " + a.Name, nil
	case errors.Is(err, ErrRemoved):
		return "the former account " + a.Name, nil // its files may be there
	case !errors.Is(err, ErrUnknown):
		return "", err
	}
	for i, name := range []string{UsersGroup, AdminsGroup} {
		if id == r.Low+uint32(i) {
			return l.holder(id, name), nil
		}
	}
	return l.holder(id, ""), nil
}
