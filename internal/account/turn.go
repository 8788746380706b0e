// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Processes that change the store have turns, in the order in which they came. Two kinds of lock on
// accounts.lock make that so. The kernel releases both when their process dies, and a process
// sleeps while it waits for them.
//
//   - flock(2) on the file: nobody changes the store, or this file, without it. Older versions know
//     only this one. It has no order: a newcomer may get it before the process that was woken for
//     it.
//   - Locks on single bytes (fcntl(2), F_OFD_SETLK) make the order. A newcomer draws the next
//     number and holds the byte of that number until its turn is over. It sleeps on the byte of the
//     number before its own, so that the end of a turn wakes one process. If that process died
//     before its turn, it waits for the number before that.
//
// So what is stored depends on flock alone. Wrong numbers can only cost the order.
const (
	drawByte  = 0       // to draw a number
	turnBytes = 1 << 60 // and the number
	waitBytes = 1 << 61 // and the number of a change whose process waits for it to be written
)

// Where the numbers are in the file.
const (
	drawnAt  = 0 // the last that was drawn
	servedAt = 8 // the last whose turn has begun
)

// patience is how long the queue may stand still before a waiting process takes the one before it
// for stuck.
const patience = 20 * time.Second

// A turn is for one process at a time.
type turn struct {
	file   *os.File
	number uint64 // 0: without order
}

var errStuck = errors.New("stuck")

// comeIn draws a number and waits for its turn.
func (t *turn) comeIn() error {
	if t.number = 0; t.ordered() && t.draw() == nil {
		t.awaitOthers()
	}
	err := t.sleepOn(func(fd int, wait bool) error {
		if wait {
			return unix.Flock(fd, unix.LOCK_EX)
		}
		return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	})
	if err == errStuck {
		return fmt.Errorf("account: lock: another process has held %s for %v",
			t.file.Name(), patience)
	}
	if err != nil {
		return fmt.Errorf("account: lock %s: %w", t.file.Name(), err)
	}
	if t.number != 0 {
		_ = t.put(servedAt, t.number) // if it fails, only the order is lost
	}
	return nil
}

// ordered reports whether the two kinds of lock are independent. On a network file system they are
// one.
func (t *turn) ordered() bool {
	var on unix.Statfs_t
	if err := control(t.file, func(fd int) error { return unix.Fstatfs(fd, &on) }); err != nil {
		return false
	}
	switch uint32(on.Type) {
	case unix.NFS_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.SMB_SUPER_MAGIC:
		return false
	}
	return true
}

// draw holds the lock on drawByte while it makes its number known.
func (t *turn) draw() error {
	if err := t.lockByte(drawByte, unix.F_WRLCK); err != nil {
		return err
	}
	defer t.unlockByte(drawByte)
	t.number = t.get(drawnAt)
	err := error(unix.EAGAIN)
	for err == unix.EAGAIN { // the byte is free, unless the file has been damaged
		t.number = t.number%(turnBytes-1) + 1
		err = t.setLock(turnBytes+int64(t.number), unix.F_WRLCK)
	}
	if err == nil {
		err = t.put(drawnAt, t.number)
	}
	if err != nil {
		t.number = 0
	}
	return err
}

// awaitOthers waits for every process before this one. It stops at one that has been served, or is
// stuck: before that one there is nobody to wait for.
func (t *turn) awaitOthers() {
	const most = 100_000 // do not wait at once
	for n := t.number - 1; n > t.get(servedAt) && t.number-n < most; n-- {
		if t.awaitTurn(n) != nil {
			return
		}
	}
}

// awaitTurn waits for the end of another process's turn.
func (t *turn) awaitTurn(number uint64) error {
	defer t.unlockByte(turnBytes + int64(number))
	return t.lockByte(turnBytes+int64(number), unix.F_RDLCK)
}

// end lets the next process have its turn.
func (t *turn) end() {
	_ = control(t.file, func(fd int) error { return unix.Flock(fd, unix.LOCK_UN) })
	t.unlockByte(turnBytes + int64(t.number))
}

// leave releases all locks at once, because a goroutine that is stuck may keep the file open.
func (t *turn) leave() {
	t.end()
	_ = t.lock(unix.F_OFD_SETLK, unix.Flock_t{Type: unix.F_UNLCK})
	t.file.Close()
}

func (t *turn) lockByte(at int64, kind int16) error {
	return t.sleepOn(func(fd int, wait bool) error {
		lock, how := unix.Flock_t{Type: kind, Start: at, Len: 1}, unix.F_OFD_SETLK
		if wait {
			how = unix.F_OFD_SETLKW
		}
		return unix.FcntlFlock(uintptr(fd), how, &lock)
	})
}

func (t *turn) setLock(at int64, kind int16) error {
	return t.lock(unix.F_OFD_SETLK, unix.Flock_t{Type: kind, Start: at, Len: 1})
}

func (t *turn) unlockByte(at int64) { _ = t.setLock(at, unix.F_UNLCK) }

func (t *turn) lock(how int, lock unix.Flock_t) error {
	return control(t.file, func(fd int) error { return unix.FcntlFlock(uintptr(fd), how, &lock) })
}

// othersHold reports whether other processes have locked one of these bytes.
func (t *turn) othersHold(from, length int64) bool {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: from, Len: length}
	err := control(t.file, func(fd int) error {
		return unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &lock)
	})
	return err == nil && lock.Type != unix.F_UNLCK
}

// sleepOn takes a lock, and sleeps while another process has it.
func (t *turn) sleepOn(lock func(fd int, wait bool) error) error {
	err := control(t.file, func(fd int) error { return lock(fd, false) })
	if err != unix.EAGAIN {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- control(t.file, func(fd int) error { return lock(fd, true) }) }()
	tick := time.NewTicker(patience)
	defer tick.Stop()
	for served := t.get(servedAt); ; {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			now := t.get(servedAt)
			if now == served {
				return errStuck
			}
			served = now
		}
	}
}

// get returns a number from the file, or 0 if it has none there.
func (t *turn) get(at int64) uint64 {
	b := make([]byte, 8)
	if _, err := t.file.ReadAt(b, at); err != nil {
		return 0
	}
	return little.Uint64(b)
}

func (t *turn) put(at int64, number uint64) error {
	_, err := t.file.WriteAt(little.AppendUint64(nil, number), at)
	return err
}

// control keeps the descriptor open during the call, and repeats the call after a signal.
func control(f *os.File, call func(fd int) error) (err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	closed := conn.Control(func(fd uintptr) {
		for err = unix.EINTR; err == unix.EINTR; {
			err = call(int(fd))
		}
	})
	return cmp.Or(closed, err)
}
