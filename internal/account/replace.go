// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"aadlogin/internal/cdb"
)

// replace writes the edited store beside the old one, keeps the old one as the previous, and puts
// the new one in its place.
func (q *queue) replace(e *Edit) error {
	s := q.store
	if err := e.rules.check(); err != nil {
		return fmt.Errorf("account: rules: %w; run \"aadctl config apply\"", err)
	}
	if e.base != nil {
		if err := q.sound(e.base); err != nil {
			return err
		}
	}
	path := s.path(newFile)
	sum, err := s.writeNew(path, e.writeTo)
	if err == nil {
		err = q.announce(path, sum)
	}
	if err == nil && e.base != nil {
		err = s.keepPrevious()
	}
	if err == nil {
		err = os.Rename(path, s.path(storeFile))
	}
	if err != nil {
		os.Remove(path)
		s.seal(s.path(storeFile))
		return fmt.Errorf("account: write the store: %w", err)
	}
	s.seal(s.path(storeFile))
	if e.base != nil {
		s.supersede(s.path(previousFile))
	}
	if err := syncPath(s.path(".")); err != nil {
		return fmt.Errorf("account: write the store: %w", err)
	}
	return nil
}

// markAt is where the mark of the store is: the rules are its first record.
const markAt = int64(cdb.HeaderSize + 8 + len("r") + rulesMark)

// supersede changes the mark of the store that was just replaced, so that processes which have it
// mapped look for the new one. If it fails nothing is lost: they look within a second anyway.
func (s Store) supersede(path string) {
	defer s.seal(path)
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer f.Close()
	mark := make([]byte, 1)
	if _, err := f.ReadAt(mark, markAt); err == nil {
		mark[0]++
		_, _ = f.WriteAt(mark, markAt)
	}
}

// writeNew makes a file and returns its sum. It overwrites a file that a crash has left.
func (s Store) writeNew(path string, write func(*cdb.Writer) error) (sum uint64, err error) {
	if err := remove(path); err != nil {
		return 0, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	out := &summed{WriteSeeker: f}
	w, err := cdb.NewWriter(out)
	if err == nil {
		err = write(w)
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = f.Chmod(unsealedMode) // the umask is our host's
	}
	if err == nil {
		err = f.Sync()
	}
	return out.sum(), errors.Join(err, f.Close())
}

// writeTo adds the rules, the accounts in their order, and the members. It copies unchanged
// accounts, and what a later version has added, without decoding them.
func (e *Edit) writeTo(w *cdb.Writer) error {
	out := &output{w: w, low: e.rules.Low}
	if err := w.Add([]byte("r"), e.rules.record()); err != nil {
		return err
	}
	if e.base != nil {
		if err := e.copyBase(out); err != nil {
			return err
		}
	}
	for _, uid := range e.added {
		if err := out.account(e.accounts[uid]); err != nil {
			return err
		}
	}
	return w.Add([]byte("g"+AdminsGroup), out.later.append(members(out.admins)))
}

// copyBase writes the contents of the store being replaced, in its order, but for the rules and the
// members.
func (e *Edit) copyBase(out *output) error {
	copying := false // the records of this account
	for key, value := range e.base.db.All() {
		var err error
		switch {
		case !isKnown(key):
			err = out.w.Add(key, value)
		case key[0] == 'u':
			copying, err = e.begin(out, key, value)
		case key[0] == 'g':
			out.later, err = membersSections(value)
		case copying && key[0] != 'r':
			err = out.w.Add(key, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// begin writes the whole of an account that has changed, or the first record of one to be copied.
// Groups are in every entry, so every account is written anew if the range has moved.
func (e *Edit) begin(out *output, key, value []byte) (copying bool, err error) {
	uid, _ := parseKey(string(key[1:]))
	a, changed := e.accounts[uid]
	if !changed && e.rules.Low == e.base.rules.Low {
		if err := out.note(value); err != nil {
			return false, err
		}
		return true, out.w.Add(key, value)
	}
	if !changed {
		if a, err = e.base.join(uid, value); err != nil {
			return false, err
		}
	}
	return false, out.account(a)
}

// output is a store being written.
type output struct {
	w      *cdb.Writer
	low    uint32
	admins []string
	later  sections // of the record of members
}

func (o *output) account(a Account) error {
	if a.Admin && a.Removed.IsZero() {
		o.admins = append(o.admins, a.Name)
	}
	return records(a, o.low, o.w.Add)
}

// note remembers an administrator among the entries copied.
func (o *output) note(entry []byte) error {
	if len(entry) < entryHead {
		return errRecord
	}
	if little.Uint16(entry[4:])&(entryAdmin|entryRetired) != entryAdmin {
		return nil
	}
	p, err := parseEntry(entry)
	o.admins = append(o.admins, p.name)
	return err
}

// keepPrevious gives the store a second name, under which it survives the rename, and once a day a
// third one, as a backup.
func (s Store) keepPrevious() error {
	spare := s.path(previousFile) + ".new"
	for _, path := range []string{s.path(storeFile), s.path(previousFile)} {
		if err := unseal(path); err != nil {
			return err
		}
	}
	if err := s.backUpDaily(); err != nil {
		return err
	}
	if err := remove(spare); err != nil {
		return err
	}
	if err := os.Link(s.path(storeFile), spare); err != nil {
		return err
	}
	err := os.Rename(spare, s.path(previousFile))
	// If both are names of one file, rename(2) has done nothing.
	if again := remove(spare); err == nil {
		err = again
	}
	return err
}

// remove unseals and removes a file, which need not be there.
func remove(path string) error {
	if err := unseal(path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func syncPath(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
