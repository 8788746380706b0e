// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// A change that waits is kept as the records that the store will have. Each grant is one more
// record, with the key "d" uid, and stays there until the account is in the store.

// canWait reports whether a change may wait. It may if it only gives keys new values and removes
// none, so that a lookup can stop at the newest value of a key, and if it is not so large that
// everybody behind would have to go through it.
func (e *Edit) canWait() bool {
	const few = 100
	if e.base == nil || e.rules.Low != e.base.rules.Low || len(e.accounts) > few {
		return false
	}
	for uid, a := range e.accounts {
		old, err := e.base.ByUID(uid)
		if err == ErrUnknown {
			continue
		}
		if err != nil && err != ErrRemoved || !isSubset(keys(old), keys(a)) {
			return false
		}
	}
	return true
}

func isSubset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// change returns the records of an edit that waits.
func (e *Edit) change() (b []byte, err error) {
	add := func(key, value []byte) error {
		b = little.AppendUint32(b, uint32(len(key)))
		b = little.AppendUint32(b, uint32(len(value)))
		b = append(append(b, key...), value...)
		return nil
	}
	if !e.rules.Equal(e.base.rules) {
		err = add([]byte("r"), e.rules.record())
	}
	for _, uid := range e.order() {
		if err == nil {
			err = records(e.accounts[uid], e.rules.Low, add)
		}
	}
	for _, d := range e.decided {
		text, failed := json.Marshal(d.grant)
		if err == nil && d.grant.Denied == "" {
			err = failed
			_ = add(uidKey("d", d.uid), text)
		}
	}
	return b, err
}

// order returns the uids of an edit: the accounts that were there, then the new ones as they came.
func (e *Edit) order() []uint32 {
	all := maps.Clone(e.accounts)
	for _, uid := range e.added {
		delete(all, uid)
	}
	return append(slices.Sorted(maps.Keys(all)), e.added...)
}

// changeRecords yields the records of changes, up to the first that is damaged.
func changeRecords(b []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for len(b) >= 8 {
			middle := 8 + uint64(little.Uint32(b))
			end := middle + uint64(little.Uint32(b[4:]))
			if middle == 8 || end > uint64(len(b)) {
				return
			}
			if !yield(b[8:middle:middle], b[middle:end:end]) {
				return
			}
			b = b[end:]
		}
	}
}

// newest returns the value that changes give to a key, or nil.
func newest(changes, key []byte) (value []byte) {
	for k, v := range changeRecords(changes) {
		if bytes.Equal(k, key) {
			value = v
		}
	}
	return value
}

// take applies changes to an edit of the store that they were made for.
func (e *Edit) take(changes []byte) error {
	var entry []byte
	for key, value := range changeRecords(changes) {
		var err error
		switch key[0] {
		case 'r':
			e.rules, _, err = parseRules(value)
		case 'u':
			entry = value
		case 'a':
			var a Account
			if a, err = parseAccount(entry, value); err == nil {
				err = e.takeAccount(a)
			}
		case 'd':
			err = e.takeGrant(key, value)
		}
		if err != nil {
			return fmt.Errorf("account: queue: %w", err)
		}
	}
	return nil
}

func (e *Edit) takeAccount(a Account) error {
	switch _, err := e.ByUID(a.UID); err {
	case ErrUnknown:
		e.added = append(e.added, a.UID)
	case nil, ErrRemoved:
	default:
		return err
	}
	e.accounts[a.UID] = a
	return nil
}

func (e *Edit) takeGrant(key, value []byte) error {
	uid, ok := parseKey(string(key[1:]))
	g, err := parseGrant(value)
	if !ok || err != nil {
		return errRecord
	}
	e.Decide(uid, g)
	return nil
}

// merge applies an edit that was made on top of changes to an edit that has these changes.
func (e *Edit) merge(last *Edit) error {
	e.rules, e.decided = last.rules, append(e.decided, last.decided...)
	for _, uid := range last.order() {
		if err := e.takeAccount(last.accounts[uid]); err != nil {
			return err
		}
	}
	return nil
}
