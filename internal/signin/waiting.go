// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// perAccount is how many of a machine's waiting sign-ins may be for one account.
const perAccount = 4

var (
	errMachineFull = errors.New("signin: as many sign-ins as this machine allows are waiting")
	errAccountFull = errors.New("signin: as many sign-ins as one account may have are waiting")
)

// waitingRoom bounds how many sign-ins wait for a browser at once, so that a stranger who opens connections costs neither
// the machine's memory nor device codes. It is a directory of slot files. A sign-in holds an exclusive flock(2) on one,
// which the kernel gives back when the worker ends, however it ends: a slot is never lost. The file holds the account's
// name while it is held.
type waitingRoom struct {
	Dir   string // made if missing
	Slots int
}

// waitingRoom is the room for where the person is: strangers who fill the one for the network must not keep those out who are
// on the machine already and type sudo.
func (a *attempt) waitingRoom() waitingRoom {
	room := "local"
	if a.RemoteHost != "" {
		room = "remote"
	}
	return waitingRoom{Dir: filepath.Join(a.CacheDir, "waiting", room), Slots: a.cfg.SignIn.MaxWaiting}
}

// Enter takes a slot for the account; closing the slot gives it back. errMachineFull and errAccountFull say why not.
func (w waitingRoom) Enter(account string) (io.Closer, error) {
	if err := os.MkdirAll(w.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("signin: waiting room: %w", err)
	}
	// One at a time counts and takes, or two might both take an account's last place.
	door, err := openLocked(filepath.Join(w.Dir, "door"), unix.LOCK_EX)
	if err != nil {
		return nil, fmt.Errorf("signin: waiting room: %w", err)
	}
	defer door.Close()

	var free *os.File
	same := 0
	for i := range w.Slots {
		slot, err := openLocked(filepath.Join(w.Dir, fmt.Sprintf("slot-%d", i)), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EWOULDBLOCK):
			holder, _ := os.ReadFile(filepath.Join(w.Dir, fmt.Sprintf("slot-%d", i)))
			if string(holder) == account {
				same++
			}
		case err != nil:
			closeIf(free)
			return nil, fmt.Errorf("signin: waiting room: %w", err)
		case free == nil:
			free = slot
		default:
			slot.Close()
		}
	}
	switch {
	case same >= perAccount:
		closeIf(free)
		return nil, errAccountFull
	case free == nil:
		return nil, errMachineFull
	}
	if err := write(free, account); err != nil {
		free.Close()
		return nil, fmt.Errorf("signin: waiting room: %w", err)
	}
	return free, nil
}

func write(f *os.File, text string) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

func closeIf(f *os.File) {
	if f != nil {
		f.Close()
	}
}

func openLocked(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), how)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
