// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Of a machine's waiting sign-ins so many may be for one account: from one address, and from everywhere. A stranger at one
// address who types alice's name leaves places for alice at hers.
const (
	perAddress = 4
	perAccount = 8
)

var (
	errMachineFull = errors.New("signin: as many sign-ins as this machine allows are waiting")
	errAddressFull = errors.New("signin: as many sign-ins as one address may have are waiting")
	errAccountFull = errors.New("signin: as many sign-ins as one account may have are waiting")
)

// A visitor is who wants to wait, and from where.
type visitor struct {
	account string
	address string // on the machine itself: whose process it is
}

// admits is the rule, given who waits already. The account's limits come first: the person can do something about those.
func admits(v visitor, waiting []visitor, slots int) error {
	var account, address, both int
	for _, other := range waiting {
		if other.account == v.account {
			account++
		}
		if other.address == v.address {
			address++
		}
		if other == v {
			both++
		}
	}
	switch {
	case both >= perAddress, account >= perAccount:
		return errAccountFull
	case len(waiting) >= slots:
		return errMachineFull
	case v.address != "" && address >= share(slots):
		return errAddressFull
	}
	return nil
}

// share is how many slots one address may hold. An eighth, so that it takes eight to fill the room, and yet several people
// behind one NAT may wait. A small room gives no address more than half.
func share(slots int) int {
	return min(max(slots/8, perAddress), (slots+1)/2)
}

// visitor is who makes the attempt. On the machine itself it is told by the host's real uid, which nobody can choose: who types
// "su alice" takes no place from alice.
func (a *attempt) visitor() visitor {
	if a.RemoteHost == "" {
		return visitor{a.name.Account, fmt.Sprint("uid ", a.Caller)}
	}
	return visitor{a.name.Account, address(a.RemoteHost)}
}

// address is PAM_RHOST as it is counted. Of IPv6 the first half: a whole /64 is at the hands of whoever has one address of it.
func address(rhost string) string {
	ip, err := netip.ParseAddr(rhost)
	if err != nil {
		return rhost // a name, if sshd looks them up
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip.WithZone(""), 64).Masked().String()
}

// waitingRoom bounds how many sign-ins wait for a browser at once, so that a stranger who opens connections costs neither
// the machine's memory nor device codes. It is a directory of slot files. A sign-in holds an exclusive flock(2) on one,
// which the kernel gives back when the worker ends, however it ends: a slot is never lost. The file holds the visitor
// while it is held; what a killed one has left is wiped by the next who looks.
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

// Enter takes a slot for the visitor; closing the slot gives it back. errMachineFull, errAddressFull and errAccountFull say why
// not.
func (w waitingRoom) Enter(v visitor) (io.Closer, error) {
	if err := os.MkdirAll(w.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("signin: waiting room: %w", err)
	}
	// One at a time counts and takes, or two might both take an account's last place.
	door, err := openLocked(filepath.Join(w.Dir, "door"), unix.LOCK_EX)
	if err != nil {
		return nil, fmt.Errorf("signin: waiting room: %w", err)
	}
	defer door.Close()

	free, waiting, err := w.look()
	if err != nil {
		return nil, fmt.Errorf("signin: waiting room: %w", err)
	}
	err = admits(v, waiting, w.Slots)
	if err == nil {
		err = write(free, v.account+"\n"+v.address)
	}
	if err != nil {
		closeIf(free)
		return nil, err
	}
	return held{free}, nil
}

// held is a slot with a visitor's name in it.
type held struct{ *os.File }

func (h held) Close() error {
	return errors.Join(h.Truncate(0), h.File.Close())
}

// look goes through the slots: one that is free, if any is, and who holds the others.
func (w waitingRoom) look() (free *os.File, waiting []visitor, err error) {
	for i := range w.Slots {
		path := filepath.Join(w.Dir, fmt.Sprintf("slot-%d", i))
		slot, err := openLocked(path, unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EWOULDBLOCK):
			holder, _ := os.ReadFile(path)
			account, address, _ := strings.Cut(string(holder), "\n")
			waiting = append(waiting, visitor{account, address})
		case err != nil:
			closeIf(free)
			return nil, nil, err
		case slot.Truncate(0) != nil, free != nil:
			slot.Close()
		default:
			free = slot
		}
	}
	return free, waiting, nil
}

func write(f *os.File, text string) error {
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("signin: waiting room: %w", err)
	}
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("signin: waiting room: %w", err)
	}
	return nil
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
