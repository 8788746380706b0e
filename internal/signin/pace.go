// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Each sign-in that begins costs a device code, whether or not anybody waits for it. So an address
// may begin only so many that nobody finishes: a bucket of them at once, and then a few a minute.

// A bucket counts an address's sign-ins, as of a time since the boot.
type bucket struct {
	Level float64       `json:"level"`
	Up    time.Duration `json:"up_ns"`
}

// buckets are those of a waiting room, kept in the file "door" there. Another boot empties them.
type buckets struct {
	Boot string            `json:"boot"`
	Of   map[string]bucket `json:"of"`
}

// maxBuckets bounds the file. The fullest are kept.
const maxBuckets = 1024

// perMinute is how many sign-ins an address gets back each minute, and size how many it may begin
// at once.
func perMinute(slots int) float64 { return float64(max(share(slots), 8)) }
func size(slots int) float64      { return 8 * perMinute(slots) }

// rootHere needs no permission from anybody.
const rootHere = "uid 0"

// add counts by more sign-ins of the address, and reports whether its bucket holds them.
func (b *buckets) add(address string, by float64, now moment, slots int) bool {
	if b.Boot != now.Boot || b.Of == nil {
		*b = buckets{now.Boot, map[string]bucket{}}
	}
	for other, old := range b.Of {
		if old.Level -= max(0, (now.Up-old.Up).Minutes()) * perMinute(slots); old.Level <= 0 {
			delete(b.Of, other)
		} else {
			b.Of[other] = bucket{old.Level, now.Up}
		}
	}
	level := max(0, b.Of[address].Level+by)
	if level > size(slots) {
		return false
	}
	b.Of[address] = bucket{level, now.Up}
	b.bound()
	return true
}

func (b *buckets) bound() {
	if len(b.Of) <= maxBuckets {
		return
	}
	emptiest := slices.SortedFunc(maps.Keys(b.Of), func(x, y string) int {
		return int(1e3 * (b.Of[x].Level - b.Of[y].Level))
	})
	for _, address := range emptiest[:len(emptiest)-maxBuckets] {
		delete(b.Of, address)
	}
}

// begin counts a sign-in of the visitor. A file that cannot be read counts as empty: the number of
// slots is bounded all the same.
func (w waitingRoom) begin(lock *os.File, v visitor, now moment) error {
	if v.address == "" || v.address == rootHere {
		return nil
	}
	b := decodeBuckets(lock)
	if !b.add(v.address, 1, now, w.Slots) {
		return errTooOften
	}
	return b.store(lock)
}

// Finished takes a sign-in that has let somebody in out of the count again.
func (s *slot) Finished(ctx context.Context, now moment) {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	lock, err := openLocked(ctx, filepath.Join(s.room.Dir, "door"), unix.LOCK_EX)
	if err != nil {
		return
	}
	defer lock.Close()
	b := decodeBuckets(lock)
	if _, counted := b.Of[s.v.address]; counted && b.add(s.v.address, -1, now, s.room.Slots) {
		_ = b.store(lock)
	}
}

func decodeBuckets(r io.Reader) (b buckets) {
	if json.NewDecoder(r).Decode(&b) != nil {
		return buckets{}
	}
	return b
}

func (b *buckets) store(f *os.File) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return write(f, string(text))
}
