// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"

	"aadlogin/internal/account"
)

func TestLibraryOnHostileFiles(t *testing.T) {
	l := buildLibrary(t)
	for what, test := range map[string]func(*testing.T, library){
		"damages": damagesInAFile, "strange files": strangeFiles, "largest stores": largestStores,
	} {
		t.Run(what, func(t *testing.T) { test(t, l) })
	}
}

// Every damage also comes through the file, read or mapped.
func damagesInAFile(t *testing.T, l library) {
	sound, _ := build(t, testRules(), people)
	question := map[byte][]string{
		'n': {"pwnam", alice[1:]}, 'u': {"pwuid", "3197663"}, 'g': {"grnam", admins[1:]},
		'r': {"grnam", "aad_users"},
	}
	answer := map[result]string{refused: unavailable, damaged: unavailable, absent: notFound}
	for i, d := range damages() {
		l.write(t, d.applied(sound))
		if err := os.Chmod(l.store, []os.FileMode{0o444, 0o644}[i%2]); err != nil {
			t.Fatal(err)
		}
		// The enumeration may find the others, but it must end.
		got := l.ask(t, append(question[d.key[0]], "pwent", "", "grent", "")...)
		if got[0] != answer[d.want] {
			t.Errorf("%s: %q", d.what, got[0])
		}
	}
}

// Other kinds of files than a regular one of the size of a store. The sizes are those that 32 bits,
// or less care, would take for a store's.
func strangeFiles(t *testing.T, l library) {
	data, _ := build(t, testRules(), people)
	anew := func(create func() error) func() error {
		return func() error { return errors.Join(os.Remove(l.store), create()) }
	}
	device := func(kind uint32, major, minor int) func() error {
		return anew(func() error { return syscall.Mknod(l.store, kind|0o644, major<<8|minor) })
	}
	size := func(n int64) func() error { return func() error { return os.Truncate(l.store, n) } }
	for what, spoil := range map[string]func() error{
		"null device":       device(syscall.S_IFCHR, 1, 3),
		"zero device":       device(syscall.S_IFCHR, 1, 5),
		"device of no kind": device(syscall.S_IFCHR, 250, 250),
		"block device":      device(syscall.S_IFBLK, 250, 250),
		"socket": anew(func() error {
			socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: l.store, Net: "unix"})
			if err == nil {
				socket.SetUnlinkOnClose(false)
				err = socket.Close()
			}
			return err
		}),
		"header but for a byte": size(2047),
		"header of nothing": func() error {
			return os.WriteFile(l.store, make([]byte, 2048), 0o644)
		},
		"4 GiB":             size(1 << 32),
		"4 GiB and a store": size(1<<32 + int64(len(data))),
		"4 GiB and a store, mapped": func() error {
			return errors.Join(size(1<<32+int64(len(data)))(), os.Chmod(l.store, 0o444))
		},
	} {
		l.write(t, data)
		switch err := spoil(); {
		case errors.Is(err, syscall.EPERM):
			t.Logf("%s: not tested, no device may be made here", what)
			continue
		case err != nil:
			t.Fatalf("%s: %v", what, err)
		}
		got := l.ask(t, "pwnam", alice[1:], "pwuid", "3197663", "init", alice[1:]+"=4242", "pwent",
			"", "grent", "")
		if want := slices.Repeat([]string{unavailable}, 5); !slices.Equal(got, want) {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// far is a sound store of the most bytes that are possible, nearly all of them a hole in the file:
// a first record of 4 GiB, then the records of data.
func far(t *testing.T, path string, data []byte) {
	t.Helper()
	end := find(data, rules).end
	shift := uint32(1<<32 - 1 - len(data))
	data = slices.Clone(data)
	for i := range 256 {
		pos, slots := pair(data, i*8)
		put(data, i*8, uint32(pos)+shift, uint32(slots))
	}
	for at := end; at < len(data); at += 8 {
		if _, pos := pair(data, at); pos != 0 {
			put(data, at+4, uint32(pos)+shift)
		}
	}
	first := make([]byte, 8)
	put(first, 0, 0, shift-8)
	sparse(t, path, 1<<32-1, map[int64][]byte{
		0:                   data[:2048],
		2048:                first,
		2048 + int64(shift): data[2048:],
	})
}

// wide is a store in which one table has nearly 2^29 slots, and overlaps the others.
func wide(t *testing.T, path string, data []byte) {
	t.Helper()
	at := find(data, alice)
	slots := (1<<32 - 1 - at.end) / 8
	hash, _ := pair(data, at.slot)
	data = slices.Clone(data)
	put(data, at.head, uint32(at.end), uint32(slots))
	slot := make([]byte, 8)
	put(slot, 0, uint32(hash), uint32(at.record))
	sparse(t, path, 1<<32-1, map[int64][]byte{0: data, int64(at.end + hash>>8%slots*8): slot})
}

func sparse(t *testing.T, path string, size int64, parts map[int64][]byte) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at, part := range parts {
		if _, err := f.WriteAt(part, at); err != nil {
			t.Fatal(err)
		}
	}
	// As if sealed, so that it is mapped: a copy would have 4 GiB.
	if err := errors.Join(f.Truncate(size), f.Chmod(0o444)); err != nil {
		t.Fatal(err)
	}
}

// In a store of nearly 4 GiB every offset uses all of its 32 bits.
func largestStores(t *testing.T, l library) {
	data, snapshot := build(t, testRules(), people)
	a, err := snapshot.ByName(alice[1:])
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		make func(*testing.T, string, []byte)
		asks []string
	}{
		"far": {far, []string{"pwnam", a.Name, "pwuid", fmt.Sprint(a.UID), "pwnam",
			"no@contoso.com", "grnam", admins[1:], "pwent", "", "grent", ""}},
		"wide": {wide, []string{"pwnam", a.Name, "pwuid", fmt.Sprint(a.UID),
			"pwnam", "no@contoso.com"}},
	} {
		l.write(t, data)
		want := l.ask(t, c.asks...)
		if want[0] != line(a) || want[2] != notFound {
			t.Fatalf("%s: %q", what, want)
		}
		if err := os.Remove(l.store); err != nil {
			t.Fatal(err)
		}
		c.make(t, l.store, data)
		if got := l.ask(t, c.asks...); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	// The same for Go's reader.
	dir := t.TempDir()
	far(t, dir+"/accounts.cdb", data)
	g, err := account.Store{Dir: dir}.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if got, err := g.ByName(a.Name); err != nil || got.UID != a.UID || got.Home != a.Home {
		t.Errorf("Go: %+v, %v", got, err)
	}
}
