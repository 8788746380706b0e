// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// enter takes a slot for the length of the test.
func enter(t *testing.T, w waitingRoom, account string) io.Closer {
	t.Helper()
	return enterFrom(t, w, visitor{account: account})
}

func enterFrom(t *testing.T, w waitingRoom, v visitor) io.Closer {
	t.Helper()
	slot, err := w.Enter(t.Context(), v, moment{Boot: "b"})
	if err != nil {
		t.Fatalf("%v does not get in: %v", v, err)
	}
	t.Cleanup(func() { slot.Close() })
	return slot
}

func full(t *testing.T, w waitingRoom, account string, want error) {
	t.Helper()
	slot, err := w.Enter(t.Context(), visitor{account: account}, moment{Boot: "b"})
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, %v; want %v", account, slot, err, want)
	}
}

func TestWaitingRoomLimits(t *testing.T) {
	w := waitingRoom{Dir: filepath.Join(t.TempDir(), "made", "here"), Slots: 6}
	var slots []io.Closer
	for range perAddress {
		slots = append(slots, enter(t, w, "a"))
	}
	full(t, w, "a", errAccountFull)
	enter(t, w, "b")
	enter(t, w, "b")
	full(t, w, "b", errMachineFull)
	full(t, w, "c", errMachineFull)
	full(t, w, "a", errAccountFull) // what the person can do something about

	slots[1].Close()
	enter(t, w, "c")
	full(t, w, "a", errMachineFull)
	slots[2].Close()
	enter(t, w, "a")
	full(t, w, "c", errMachineFull)
}

// The rule is given the number of waiting attempts.
func TestAdmits(t *testing.T) {
	const here, there = "192.0.2.1", "198.51.100.7"
	for _, test := range []struct {
		name    string
		waiting map[visitor]int
		from    string
		slots   int
		want    error
	}{
		{name: "nobody waits", from: here, slots: 1},
		{name: "three here", waiting: map[visitor]int{{"a", here}: 3}, from: here, slots: 64},
		{name: "four here", waiting: map[visitor]int{{"a", here}: 4}, from: here,
			slots: 64, want: errAccountFull},
		{name: "a stranger elsewhere", waiting: map[visitor]int{{"a", there}: 4}, from: here,
			slots: 64},
		{name: "a stranger elsewhere, and three here",
			waiting: map[visitor]int{{"a", there}: 4, {"a", here}: 3}, from: here, slots: 64},
		{name: "eight", waiting: map[visitor]int{{"a", there}: 4, {"a", here}: 3,
			{"a", "third"}: 1}, from: here, slots: 64, want: errAccountFull},
		{name: "strangers at two addresses",
			waiting: map[visitor]int{{"a", there}: 4, {"a", "third"}: 4}, from: here, slots: 64},
		{name: "four of others here", waiting: map[visitor]int{{"b", here}: 4}, from: here,
			slots: 64},
		{name: "7 of others here", waiting: map[visitor]int{{"b", here}: 7}, from: here, slots: 64},
		{name: "8 of others here", waiting: map[visitor]int{{"b", here}: 8}, from: here,
			slots: 64, want: errAddressFull},
		{name: "8 at each of six, 7 here", waiting: map[visitor]int{{"b", "1"}: 8, {"b", "2"}: 8,
			{"b", "3"}: 8, {"b", "4"}: 8, {"b", "5"}: 8,
			{"b", "6"}: 8, {"b", here}: 7}, from: here, slots: 64},
		{name: "three of others, 16 slots", waiting: map[visitor]int{{"b", here}: 3}, from: here,
			slots: 16},
		{name: "four of others, 16 slots", waiting: map[visitor]int{{"b", here}: 4}, from: here,
			slots: 16, want: errAddressFull},
		{name: "127 of others, 1024 slots", waiting: map[visitor]int{{"b", here}: 127}, from: here,
			slots: 1024},
		{name: "128 of others, 1024 slots", waiting: map[visitor]int{{"b", here}: 128}, from: here,
			slots: 1024, want: errAddressFull},
		{name: "full", waiting: map[visitor]int{{"b", there}: 32, {"b", here}: 32}, from: here,
			slots: 64, want: errMachineFull},
		{name: "full of oneself", waiting: map[visitor]int{{"a", here}: 4}, from: here,
			slots: 4, want: errAccountFull},
		{name: "two of three", waiting: map[visitor]int{{"b", here}: 2}, from: here,
			slots: 3, want: errAddressFull},
		{name: "one of three", waiting: map[visitor]int{{"b", here}: 1}, from: here, slots: 3},
		{name: "one of one", waiting: map[visitor]int{{"b", here}: 1}, from: here,
			slots: 1, want: errMachineFull},
		{name: "four of another user's", waiting: map[visitor]int{{"a", "uid 1001"}: 4},
			from: "uid 1000", slots: 64},
		{name: "eight of another user's", waiting: map[visitor]int{{"b", "uid 1001"}: 8},
			from: "uid 1000", slots: 64},
		{name: "another one of that user's", waiting: map[visitor]int{{"b", "uid 1001"}: 8},
			from: "uid 1001", slots: 64, want: errAddressFull},
		{name: "strangers fill the machine", waiting: map[visitor]int{{"b", "1"}: 8, {"b", "2"}: 8,
			{"b", "3"}: 8, {"b", "4"}: 8, {"b", "5"}: 8,
			{"b", "6"}: 8, {"b", "7"}: 8, {"b", "8"}: 8}, from: here, slots: 64},
		{name: "and one of them wants more", waiting: map[visitor]int{{"b", "1"}: 8, {"b", "2"}: 8,
			{"b", "3"}: 8, {"b", "4"}: 8, {"b", "5"}: 8,
			{"b", "6"}: 8, {"b", "7"}: 8, {"b", here}: 8}, from: here,
			slots: 64, want: errMachineFull},
		{name: "strangers from everywhere", waiting: map[visitor]int{{"b", there}: 128}, from: here,
			slots: 64, want: errMachineFull},
		{name: "fewer slots than before", waiting: map[visitor]int{{"b", there}: 4}, from: here,
			slots: 2, want: errMachineFull},
	} {
		t.Run(test.name, func(t *testing.T) {
			var waiting []visitor
			for v, n := range test.waiting {
				waiting = append(waiting, slices.Repeat([]visitor{v}, n)...)
			}
			if err := admits(visitor{"a", test.from}, waiting, test.slots); err != test.want {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// Account and address of a slot's holder are read back from its file.
func TestWaitingRoomKnowsAddresses(t *testing.T) {
	w := waitingRoom{Dir: t.TempDir(), Slots: 12}
	want := []visitor{{"a", "192.0.2.1"}, {"a", "2001:db8::/64"}, {"b", "192.0.2.1"}, {"b", ""}}
	for _, v := range want {
		enterFrom(t, w, v)
	}
	free, got, err := w.look()
	if err != nil || free != filepath.Join(w.Dir, "slot-4") || !slices.Equal(got, want) {
		t.Errorf("%v, %v, %v; want %v", free, got, err, want)
	}
}

// On the machine itself, places are counted by the user who runs the host. Over the network they
// are counted by address.
func TestVisitor(t *testing.T) {
	for want, req := range map[visitor]Request{
		{"a", "uid 1000"}:  {Caller: 1000},
		{"a", "uid 0"}:     {},
		{"a", "192.0.2.1"}: {Caller: 1000, RemoteHost: "192.0.2.1"},
	} {
		a := new(Signin).attempt(req, new(said))
		a.name.Account = "a"
		if got := a.visitor(); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

// A holder that has left or was killed leaves no name behind, and the next one finds no file of
// theirs.
func TestSlotsAreWiped(t *testing.T) {
	w := waitingRoom{Dir: t.TempDir(), Slots: 3}
	left := filepath.Join(w.Dir, "slot-2")
	if err := os.WriteFile(left, []byte("killed@contoso.example"), 0o600); err != nil {
		t.Fatal(err)
	}
	slot, err := w.Enter(t.Context(), visitor{"alice@contoso.example", "192.0.2.1"},
		moment{Boot: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if err := slot.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(w.Dir, "slot-0")); err != nil || len(text) != 0 {
		t.Errorf("slot-0 holds %q, %v", text, err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", left, err)
	}
	if _, _, err := w.look(); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(w.Dir); err != nil || len(files) != 1 || files[0].Name() != "door" {
		t.Errorf("%v, %v; want the lock alone", files, err)
	}
}

func TestAddress(t *testing.T) {
	for rhost, want := range map[string]string{
		"":                        "",
		"192.0.2.1":               "192.0.2.1",
		"::ffff:192.0.2.1":        "192.0.2.1",
		"::ffff:192.0.2.1%eth0":   "192.0.2.1",
		"2001:db8:1:2:3:4:5:6":    "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::":     "2001:db8:1:2::/64",
		"2001:db8:1:3::6":         "2001:db8:1:3::/64",
		"fe80::1%eth0":            "fe80::/64",
		"fe80::2%a-name-at-will":  "fe80::/64",
		"UNKNOWN":                 "UNKNOWN",
		"bastion.contoso.example": "bastion.contoso.example",
	} {
		if got := address(rhost); got != want {
			t.Errorf("%q: %q, want %q", rhost, got, want)
		}
	}
}

// A slot's file holds the name of the holder before. It must not count once the slot is free.
func TestWaitingRoomForgets(t *testing.T) {
	w := waitingRoom{Dir: t.TempDir(), Slots: perAddress + 1}
	var slots []io.Closer
	for range perAddress {
		slots = append(slots, enter(t, w, "a-long-name"))
	}
	for _, s := range slots {
		s.Close()
	}
	for range perAddress {
		enter(t, w, "a")
	}
	full(t, w, "a", errAccountFull)
	enter(t, w, "a-long-name")
}

// The names are personal data. No other user of the machine may read them.
func TestWaitingRoomIsPrivate(t *testing.T) {
	w := waitingRoom{Dir: filepath.Join(t.TempDir(), "waiting"), Slots: 1}
	enter(t, w, "a")
	for _, path := range []string{".", "door", "slot-0"} {
		info, err := os.Stat(filepath.Join(w.Dir, path))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestWaitingRoomCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	linked := t.TempDir()
	if err := os.Symlink(file, filepath.Join(linked, "door")); err != nil {
		t.Fatal(err)
	}
	blocked := t.TempDir()
	if err := os.Mkdir(filepath.Join(blocked, "slot-1"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"is a file": file, "is below a file": file + "/below", "door is a link": linked,
		"slot is a directory": blocked,
	} {
		slot, err := waitingRoom{Dir: dir, Slots: 2}.Enter(context.Background(),
			visitor{account: "a"}, moment{Boot: "b"})
		if slot != nil || err == nil || errors.Is(err, errMachineFull) ||
			errors.Is(err, errAccountFull) {
			t.Errorf("%s: %v, %v", name, slot, err)
		}
	}
	// The slot that was found free before the error was given back.
	if err := os.Remove(filepath.Join(blocked, "slot-1")); err != nil {
		t.Fatal(err)
	}
	w := waitingRoom{Dir: blocked, Slots: 2}
	enter(t, w, "a")
	enter(t, w, "a")
}
