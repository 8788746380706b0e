// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// The queue in accounts.lock holds changes that wait to be written. A change is a function, which
// its process calls in its turn, on top of the store and of all changes that wait. If nobody waits
// behind, that process writes the store. If others wait, it only appends the records of its change
// to the queue. Then it sleeps until the last of those who were there has had its turn, and that
// one writes all changes that wait into one new store:
//
//	A: ........ change, append | sleep ......................... | return
//	B: ....................... | change, append | sleep ......... | return
//	C: ........................................ | change, write A B C | return
//
// If C is killed, or cannot write, A and B wake up as well. They take a second turn, and the first
// of them writes.
//
// Nothing in the queue has to survive a crash: it counts only while one of its processes runs. It
// is empty when all of them have died, or have failed to write and said so. If the store is no
// longer the one that the queue builds on, as after a change by an older version that knows no
// queue, each process whose change was in the queue is told.

// A queue is open while its process has its turn.
type queue struct {
	turn
	store Store
	head  head
	// waiting are the records of the changes. Each is preceded by the lengths of its key and value,
	// as in a constant database.
	waiting []byte
	change  uint64 // the number of this process's own change, once it is added
}

// head is the beginning of the queue. A checksum follows it. Every process in the queue makes its
// table, which takes less time than the table of the store's sum.
type head struct {
	Magic   [4]byte
	Queue   int64  // when it began; if that differs, what waited is lost
	Written uint64 // the number of the first change that waits; those before it are in the store
	Changes uint64 // how many wait
	Size    int64  // of all changes, in bytes
	Last    uint64 // the turn in which the changes are written
	Base    state  // the store that the changes are on top of
	Next    state  // the store that is to replace it, or has replaced it
}

var (
	queueMagic = [4]byte{'a', 'a', 'd', 2}
	headSize   = binary.Size(head{}) + 4
)

const (
	headAt   = 64
	queueAt  = 512
	maxQueue = 1 << 20 // a process that finds this much writes it
)

var errLost = errors.New("account: the store was replaced by something else while a change " +
	"waited to be written; try again")

// enter waits for this process's turn.
func (s Store) enter() (*queue, error) {
	f, err := os.OpenFile(s.path(lockFile),
		os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("account: lock: %w", err)
	}
	q := &queue{turn: turn{file: f}, store: s}
	if err = q.comeIn(); err == nil {
		err = q.read()
	}
	if err != nil {
		q.leave()
		return nil, err
	}
	return q, nil
}

// settle writes the changes that wait if this is the turn for it, whatever became of this turn's
// own change. Other processes wait for that, and try themselves if it fails.
func (q *queue) settle() {
	if q.head.Changes > 0 && q.isLast() {
		_ = q.commit(nil)
	}
}

// isLast reports whether nobody waits behind who could write instead.
func (q *queue) isLast() bool {
	last := q.head.Last
	if q.head.Changes == 0 {
		last = q.get(drawnAt)
	}
	return q.number == 0 || q.number >= last
}

// read reads the queue, or begins a new one.
func (q *queue) read() error {
	h, readable := q.readHead()
	now := q.store.state()
	q.head, q.waiting = h, nil
	switch {
	case readable && now.same(h.Base):
		if h.Changes == 0 {
			return nil
		}
		if q.isAwaited() {
			return q.readChanges()
		}
		now.Sum = h.Base.Sum
	case readable && now.same(h.Next):
		if q.isAwaited() && q.recover() == nil {
			return nil
		}
		now.Sum = h.Next.Sum
	}
	began := uptime() // so no other queue has the same numbers
	q.head = head{Magic: queueMagic, Queue: began, Written: uint64(began), Base: now}
	q.waiting = nil
	return nil
}

// isAwaited reports whether the process of one of the changes still waits. Locks of another boot
// are gone.
func (q *queue) isAwaited() bool {
	return q.change != 0 || q.head.Changes > 0 &&
		q.othersHold(waitBytes+int64(q.head.Written), int64(q.head.Changes))
}

func (q *queue) readChanges() error {
	q.waiting = make([]byte, q.head.Size)
	changes := io.NewSectionReader(q.file, queueAt, q.head.Size)
	if _, err := io.ReadFull(changes, q.waiting); err != nil {
		return fmt.Errorf("account: queue: %w", err)
	}
	return nil
}

// recover finishes the work of a process that was killed after it had replaced the store, and
// before it had said so.
func (q *queue) recover() error {
	if err := errors.Join(syncPath(q.store.path(".")), q.readChanges()); err != nil {
		return err
	}
	base, err := q.store.Open()
	if err != nil {
		return err
	}
	defer base.Close()
	e := newEdit(q.store, base)
	if err := e.take(q.waiting); err != nil {
		return err
	}
	q.written(e)
	return nil
}

func (q *queue) readHead() (h head, ok bool) {
	b := make([]byte, headSize)
	if _, err := q.file.ReadAt(b, headAt); err != nil {
		return h, false
	}
	return parseHead(b)
}

func parseHead(b []byte) (h head, ok bool) {
	n := headSize - 4
	if len(b) != headSize || crc32.ChecksumIEEE(b[:n]) != little.Uint32(b[n:]) {
		return h, false
	}
	_, err := binary.Decode(b[:n], little, &h)
	return h, err == nil && h.Magic == queueMagic && h.Size >= 0 && h.Size <= maxQueue
}

// save writes the head. From then on, everything that was written before counts.
func (q *queue) save() error {
	b, err := binary.Append(make([]byte, 0, headSize), little, q.head)
	if err != nil {
		return err
	}
	_, err = q.file.WriteAt(little.AppendUint32(b, crc32.ChecksumIEEE(b)), headAt)
	return err
}

// add appends a change, which waits from now on.
func (q *queue) add(change []byte) error {
	h := &q.head
	if h.Changes == 0 {
		h.Last, h.Size = q.get(drawnAt), 0
	}
	q.change = h.Written + h.Changes
	err := q.setLock(waitBytes+int64(q.change), unix.F_WRLCK)
	if err == nil {
		_, err = q.file.WriteAt(change, queueAt+h.Size)
	}
	if err == nil {
		h.Changes, h.Size = h.Changes+1, h.Size+int64(len(change))
		err = q.save()
	}
	if err != nil {
		return fmt.Errorf("account: queue: %w", err)
	}
	return nil
}

// hear returns when the change that was added is written, by whatever process.
func (q *queue) hear() error {
	queue, last := q.head.Queue, q.head.Last
	q.head = head{} // from now on others may change it
	q.end()
	_ = q.awaitTurn(last)
	if q.has(queue) {
		return nil
	}
	// The process that should have written was killed, or could not write.
	if err := q.comeIn(); err != nil {
		return err
	}
	if q.has(queue) {
		return nil
	}
	if err := q.read(); err != nil {
		return err
	}
	switch h := q.head; {
	case h.Queue != queue || q.change >= h.Written+h.Changes:
		return errLost
	case q.change < h.Written:
		return nil
	}
	return q.commit(nil)
}

// has reports whether the change that was added has been written. It needs no lock: a head that is
// half written does not match its checksum.
func (q *queue) has(queue int64) bool {
	h, ok := q.readHead()
	return ok && h.Queue == queue && q.change < h.Written
}

// written notes that the changes are in the store, which makes their grants count. If it cannot
// write that, the next process sees it from Next.
func (q *queue) written(e *Edit) {
	q.store.writeGrants(e)
	if q.head.Next != (state{}) {
		q.head.Base, q.head.Next = q.head.Next, state{}
	}
	q.head.Written += q.head.Changes
	q.head.Changes, q.head.Size, q.waiting = 0, 0, nil
	_ = q.save()
}

// uptime reads a clock that all processes of this boot share and that nobody sets.
func uptime() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // every machine has this clock
	return now.Nano()
}
