// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Of a machine's waiting sign-ins so many may be for one account: from one address, and from
// everywhere. A stranger at one address who types alice's name leaves places for alice at hers.
const (
	perAddress = 4
	perAccount = 8
)

var (
	errMachineFull = errors.New("signin: as many sign-ins as this machine allows are waiting")
	errAddressFull = errors.New("signin: as many sign-ins as one address may have are waiting")
	errAccountFull = errors.New("signin: as many sign-ins as one account may have are waiting")
	errTooOften    = errors.New("signin: one address has begun too many sign-ins without finishing")
)

// A visitor is an account and the address it signs in from.
type visitor struct {
	account string
	address string // on the machine itself: whose process it is
}

// admits decides whether a visitor may wait, given who waits already. The account's limits come
// first: the person can do something about those. A visitor from an address where nobody waits gets
// in even if strangers elsewhere hold all places of the machine or the account: for such visitors
// there are as many places again.
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
	case both >= perAddress:
		return errAccountFull
	case address == 0 && len(waiting) < slots+reserve(slots):
		return nil
	case account >= perAccount:
		return errAccountFull
	case len(waiting) >= slots:
		return errMachineFull
	case v.address != "" && address >= share(slots):
		return errAddressFull
	}
	return nil
}

// share is how many slots one address may hold. It is an eighth, so that it takes eight addresses
// to fill the room, and yet several people behind one NAT may wait. A small room gives no address
// more than half.
func share(slots int) int {
	return min(max(slots/8, perAddress), (slots+1)/2)
}

// reserve is how many places there are for visitors from addresses where nobody waits.
func reserve(slots int) int { return slots }

// visitor returns who makes the attempt. On the machine itself the address is the host's real uid,
// which nobody can choose: a person who types "su alice" takes no place from alice.
func (a *attempt) visitor() visitor {
	if a.RemoteHost == "" {
		return visitor{a.name.Account, fmt.Sprint("uid ", a.Caller)}
	}
	return visitor{a.name.Account, address(a.RemoteHost)}
}

// address returns PAM_RHOST as it is counted. Of an IPv6 address it takes the first half, because
// whoever has one address of a /64 has all of them.
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

// waitingRoom bounds how many sign-ins wait for a browser at once, so that a stranger who opens
// connections costs neither the machine's memory nor device codes. It is a directory of slot files,
// one for each sign-in that waits, which holds an exclusive flock(2) on it. The kernel releases the
// lock when the worker ends, however it ends, so a slot is never lost. While it is held, the file
// names the visitor; a file that is left over is removed by the next sign-in that looks.
type waitingRoom struct {
	Dir   string // made if missing
	Slots int
}

// waitingRoom returns the room for where the person is. Strangers who fill the room for the network
// must not keep out people who are on the machine already and type sudo.
func (a *attempt) waitingRoom() waitingRoom {
	room := "local"
	if a.RemoteHost != "" {
		room = "remote"
	}
	dir := filepath.Join(a.CacheDir, "waiting", room)
	return waitingRoom{Dir: dir, Slots: a.cfg.SignIn.MaxWaiting}
}

// lockPatience is how long to wait for a lock that others release within milliseconds.
const lockPatience = 10 * time.Second

// Enter takes a slot for the visitor; closing the slot releases it. The errors above say why there
// is none.
func (w waitingRoom) Enter(ctx context.Context, v visitor, now moment) (*slot, error) {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	if err := os.MkdirAll(w.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("signin: waiting room: %w", err)
	}
	// One at a time counts and takes, or two might both take an account's last place.
	lock, err := openLocked(ctx, filepath.Join(w.Dir, "door"), unix.LOCK_EX)
	if err != nil {
		return nil, fmt.Errorf("signin: waiting room: %w", err)
	}
	defer lock.Close()

	free, waiting, err := w.look()
	if err != nil {
		return nil, fmt.Errorf("signin: waiting room: %w", err)
	}
	err = admits(v, waiting, w.Slots)
	if err == nil {
		err = w.begin(lock, v, now)
	}
	var file *os.File
	if err == nil {
		file, err = take(free, v)
	}
	if err != nil {
		return nil, fmt.Errorf("signin: waiting room: %w", err)
	}
	return &slot{file, w, v}, nil
}

// A slot is held, with its visitor's name in it.
type slot struct {
	*os.File
	room waitingRoom
	v    visitor
}

func (s *slot) Close() error {
	return errors.Join(s.Truncate(0), s.File.Close())
}

// look goes through the slots. It returns the visitors that hold one, and the path of a slot that
// is not there. It removes slots that nobody holds, so that a sign-in looks at as many files as
// others wait. The caller holds the lock: nobody else opens or makes a slot meanwhile.
func (w waitingRoom) look() (free string, waiting []visitor, err error) {
	const prefix = "slot-"
	files, err := os.ReadDir(w.Dir)
	if err != nil {
		return "", nil, err
	}
	held := map[string]bool{}
	for _, file := range files {
		path := filepath.Join(w.Dir, file.Name())
		if !strings.HasPrefix(file.Name(), prefix) {
			continue
		}
		slot, err := openLocked(context.Background(), path, unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EWOULDBLOCK):
			holder, _ := os.ReadFile(path)
			account, address, _ := strings.Cut(string(holder), "\n")
			waiting = append(waiting, visitor{account, address})
			held[path] = true
			continue
		case err == nil:
			err = errors.Join(os.Remove(path), slot.Close())
		}
		if err != nil {
			return "", nil, err
		}
	}
	for i := 0; free == "" || held[free]; i++ {
		free = filepath.Join(w.Dir, fmt.Sprint(prefix, i))
	}
	return free, waiting, nil
}

// take makes a slot and writes its visitor into it.
func take(path string, v visitor) (*os.File, error) {
	file, err := openLocked(context.Background(), path, unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return nil, err
	}
	if err := write(file, v.account+"\n"+v.address); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func (a *attempt) noSlot(err error) error {
	switch {
	case errors.Is(err, errMachineFull):
		return a.refuse(Unreachable,
			"Too many sign-ins are waiting on this machine. Try again in a few minutes.",
			"too-many-waiting", "limit", "machine")
	case errors.Is(err, errAddressFull):
		return a.refuse(Unreachable,
			"Too many sign-ins from your address are waiting. Try again in a few minutes.",
			"too-many-waiting", "limit", "address")
	case errors.Is(err, errAccountFull):
		return a.refuse(Unreachable,
			"Too many sign-ins are waiting for this account. Finish or close one of them first.",
			"too-many-waiting", "limit", "account")
	case errors.Is(err, errTooOften):
		return a.refuse(Unreachable,
			"Too many sign-ins from your address have been begun and not finished. "+
				"Try again in a few minutes.",
			"too-many-waiting", "limit", "rate")
	case errors.Is(err, errLocked):
		return a.refuse(Broken,
			"Sign-ins cannot begin on this machine at the moment. "+
				"Try again; if it stays, tell its administrator.",
			"waiting-room-locked", "error", err.Error(),
			"fix", "see which process holds that file (fuser -v), and end it")
	default:
		return err
	}
}
