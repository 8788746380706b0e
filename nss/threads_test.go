// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"aadlogin/internal/account"
)

// template is a generation whose number is nowhere else in the store.
const template = 424242

// ofGeneration puts the number into every field.
func ofGeneration(a *account.Account, g int) {
	a.Gecos = fmt.Sprintf("gen %06d", g)
	a.Home = fmt.Sprintf("/home/%06d/%s", g, a.Name)
	a.Shell = fmt.Sprintf("/bin/%06d", g)
	a.Groups = []uint32{uint32(1000000 + g), uint32(2000000 + g)}
}

// crowd changes or adds the accounts.
func crowd(g int) func(*account.Edit) error {
	return func(e *account.Edit) error {
		for i := range 8 {
			name := fmt.Sprintf("user%d@contoso.com", i)
			a := account.Account{Name: name, UPN: name, UID: uint32(50000 + i)}
			ofGeneration(&a, g)
			if err := e.Put(a); err != nil {
				return err
			}
		}
		return nil
	}
}

// patched returns another generation of the template.
func patched(data []byte, g int) []byte {
	data = bytes.ReplaceAll(data, fmt.Appendf(nil, "%06d", template), fmt.Appendf(nil, "%06d", g))
	for _, base := range []uint32{1000000, 2000000} {
		old, now := make([]byte, 4), make([]byte, 4)
		binary.LittleEndian.PutUint32(old, base+template)
		binary.LittleEndian.PutUint32(now, base+uint32(g))
		data = bytes.ReplaceAll(data, old, now)
	}
	return data
}

// board tells the readers, in another process, which generation there is: struct shared of
// testdata/threads.c.
type board struct {
	newest    atomic.Int64
	last      atomic.Int64
	published [2000]atomic.Int64
}

func newBoard(t *testing.T, path string) *board {
	t.Helper()
	size := int(unsafe.Sizeof(board{}))
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	shared, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(shared) })
	return (*board)(unsafe.Pointer(&shared[0]))
}

func (b *board) publish(t *testing.T, g int) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &now); err != nil { // time(2)'s
		t.Error(err)
	}
	b.published[g].Store(now.Sec)
	b.newest.Store(int64(g))
}

// rename is a small writer: it puts data in the place of the store, and changes the mark of the
// file that was there.
func (l library) rename(t *testing.T, data []byte, mode os.FileMode, mark bool, renamed func()) {
	old, err := os.OpenFile(l.store, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := os.WriteFile(l.store+".new", data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(l.store+".new", mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(l.store+".new", l.store); err != nil {
		t.Fatal(err)
	}
	renamed()
	if at := int64(2048 + 8 + 1 + 4); mark { // in the first record
		if _, err := old.WriteAt([]byte{1}, at); err != nil {
			t.Fatal(err)
		}
	}
}

// Eight threads and their forked children look up names while the store is replaced a thousand
// times. They get every account, of one generation, and none that was replaced a second ago; and
// they end.
func TestThreads(t *testing.T) {
	l := buildLibrary(t)
	data, _ := build(t, testRules(), crowd(template))
	plain, races, bounds := l.program(t, "threads", ""), l.program(t, "threads", "thread"),
		l.program(t, "threads", "address,undefined")
	for _, c := range []struct {
		name    string
		threads []string
		times   int
		mode    os.FileMode
		mark    bool
	}{
		{"sealed and marked", plain, 1000, 0o444, true}, // as the writer does
		{"killed before the mark", plain, 1000, 0o444, false},
		{"not sealed", plain, 1000, 0o644, false},
		{"sealed and marked, thread sanitizer", races, 300, 0o444, true},
		{"not sealed, thread sanitizer", races, 300, 0o644, false},
		{"sealed and marked, address sanitizer", bounds, 300, 0o444, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l.write(t, patched(data, 0))
			l.readers(t, c.threads, c.times, func(b *board) {
				for g := 1; g <= c.times; g++ {
					l.rename(t, patched(data, g), c.mode, c.mark, func() { b.publish(t, g) })
				}
			})
		})
	}
}

// The same with the writer that ships.
func TestThreadsAndTheWriter(t *testing.T) {
	l := buildLibrary(t)
	s := account.Store{Dir: filepath.Dir(l.store)}
	replace := func(g int) {
		t.Helper()
		err := s.Update(func(e *account.Edit) error {
			if err := e.SetRules(testRules()); err != nil {
				return err
			}
			return crowd(g)(e)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	replace(0)
	const times = 300
	l.readers(t, l.program(t, "threads", ""), times, func(b *board) {
		for g := 1; g <= times; g++ {
			replace(g)
			b.publish(t, g)
		}
	})
}

// readers runs the program while write runs, and waits until all its threads have seen the last
// generation.
func (l library) readers(t *testing.T, threads []string, last int, write func(*board)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "board")
	b := newBoard(t, path)
	args := []string{path, fmt.Sprint(testRules().Low)}
	for i := range 8 {
		args = append(args, fmt.Sprintf("user%d@contoso.com", i), fmt.Sprint(50000+i))
	}
	cmd := start(t, threads, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var problems bytes.Buffer
	cmd.Stderr = &problems
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(out)
	if first, err := said.ReadString('\n'); first != "looking up\n" {
		t.Errorf("%q, %v", first, err)
	}
	write(b)
	b.last.Store(int64(last))
	var rest bytes.Buffer
	_, _ = rest.ReadFrom(said)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s%s", err, rest.String(), problems.String())
	}
	t.Logf("%s", rest.String())
}
