// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"os"
)

// open returns the store with all changes that wait, or nil while there is no store.
func (q *queue) open() (*Snapshot, error) {
	base, err := q.openBase()
	if base == nil || err != nil {
		return nil, err
	}
	base.waiting = q.waiting
	if rules := newest(q.waiting, []byte("r")); rules != nil {
		if base.rules, _, err = parseRules(rules); err != nil {
			base.Close()
			return nil, err
		}
	}
	return base, nil
}

// openBase returns the store without the changes that wait.
func (q *queue) openBase() (*Snapshot, error) {
	base, err := q.store.Open()
	if errors.Is(err, ErrMissing) {
		return nil, nil
	}
	return base, err
}

// take has an edit written and returns when it is on disk.
func (q *queue) take(e *Edit) error {
	if err := q.store.writeDenials(e); err != nil {
		return err
	}
	if q.isLast() || !e.canWait() {
		return q.commit(e)
	}
	change, err := e.change()
	if err != nil {
		return err
	}
	if q.head.Size+int64(len(change)) > maxQueue {
		return q.commit(e)
	}
	if err := q.add(change); err != nil {
		return err
	}
	return q.hear()
}

// commit writes all changes that wait, and last on top of them, into one new store.
func (q *queue) commit(last *Edit) error {
	all := last
	if last == nil || len(q.waiting) > 0 {
		base, err := q.openBase()
		if err != nil {
			return err
		}
		if base != nil {
			defer base.Close()
		}
		all = newEdit(q.store, base)
		if err := all.take(q.waiting); err != nil {
			return err
		}
		if last != nil {
			if err := all.merge(last); err != nil {
				return err
			}
		}
	}
	if !q.store.state().same(q.head.Base) {
		return errLost
	}
	if !all.changed() {
		// a writer that was killed, or a restored backup, has left it open
		q.store.seal(q.store.path(storeFile))
	} else if err := q.replace(all); err != nil {
		return err
	}
	q.written(all)
	return nil
}

// sound is Check for the store that the queue builds on. A store is not checked again if its bytes
// are those that were checked before, or that this software wrote.
func (q *queue) sound(base *Snapshot) error {
	if q.head.Base.Sum != 0 && q.head.Base.Sum == base.sum() {
		return nil
	}
	return base.Check()
}

// announce notes which store will be there, before it is.
func (q *queue) announce(path string, sum uint64) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	q.head.Next.Inode, q.head.Next.Modified = stampOf(info)
	q.head.Next.Sum = sum
	return q.save()
}
