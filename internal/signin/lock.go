// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// errLocked is returned if another process holds a lock that is usually held for milliseconds. Only
// root can have started that process.
var errLocked = errors.New("another process holds the lock")

// openLocked opens the file at path, makes it if it is missing, and locks it with flock(2). It
// waits until ctx ends at most.
func openLocked(ctx context.Context, path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	locked := make(chan error, 1)
	switch err := flock(f, how|unix.LOCK_NB); {
	case err == unix.EWOULDBLOCK && how&unix.LOCK_NB == 0:
		go func() { locked <- flock(f, how) }()
	default:
		locked <- err
	}
	select {
	case err = <-locked:
	case <-ctx.Done():
		// Nothing ends flock(2) but the end of this process, which follows on that of the attempt.
		go func() {
			<-locked
			f.Close()
		}()
		return nil, &os.PathError{Op: "lock", Path: path, Err: errLocked}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

// write replaces the content of a file that is locked.
func write(f *os.File, text string) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(text), 0)
	return err
}
