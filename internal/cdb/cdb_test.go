// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package cdb

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// write returns the bytes of a database of these records.
func write(t testing.TB, records [][2]string) []byte {
	t.Helper()
	var f memory
	w, err := NewWriter(&f)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Add([]byte(r[0]), []byte(r[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.data
}

// memory is a file in memory.
type memory struct {
	data []byte
	at   int
}

func (m *memory) Write(p []byte) (int, error) {
	if short := m.at + len(p) - len(m.data); short > 0 {
		m.data = append(m.data, make([]byte, short)...)
	}
	m.at += copy(m.data[m.at:], p)
	return len(p), nil
}

func (m *memory) Seek(offset int64, whence int) (int64, error) {
	m.at = int(offset)
	return offset, nil
}

func numbered(n int) (records [][2]string) {
	for i := range n {
		records = append(records, [2]string{fmt.Sprintf("key %d", i), strings.Repeat("v", i%40)})
	}
	return records
}

func TestRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 2, 255, 5000} {
		records := numbered(n)
		r, err := New(write(t, records))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Check(); err != nil {
			t.Errorf("%d records: Check: %v", n, err)
		}
		for _, rec := range records {
			v, err := r.Get([]byte(rec[0]))
			if err != nil || v == nil || string(v) != rec[1] {
				t.Fatalf("Get(%q) = %q, %v; want %q", rec[0], v, err, rec[1])
			}
		}
		if v, err := r.Get([]byte("absent")); v != nil || err != nil {
			t.Errorf("Get(absent) = %q, %v", v, err)
		}
		i := 0
		for k, v := range r.All() {
			if string(k) != records[i][0] || string(v) != records[i][1] {
				t.Fatalf("record %d = %q, %q", i, k, v)
			}
			i++
		}
		if i != n {
			t.Errorf("All yielded %d of %d records", i, n)
		}
	}
}

func TestFirstOfEqualKeysIsFound(t *testing.T) {
	r, err := New(write(t, [][2]string{{"k", "first"}, {"k", "second"}}))
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := r.Get([]byte("k")); string(v) != "first" {
		t.Errorf("Get = %q", v)
	}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
}

func TestDamageIsSeen(t *testing.T) {
	whole := write(t, numbered(3))
	for n := range len(whole) {
		r, err := New(whole[:n])
		if err == nil && r.Check() == nil {
			t.Errorf("truncation to %d of %d bytes passed", n, len(whole))
		}
	}
	// The header names a table that points into itself, lies far away, or is the whole file.
	for _, header := range [][2]uint32{
		{HeaderSize, 1 << 31}, {1<<32 - 8, 2}, {0, 4}, {uint32(len(whole)), 1},
	} {
		bad := bytes.Clone(whole)
		copy(bad[hash([]byte("key 1"))%tables*8:], appendPair(nil, header[0], header[1]))
		r, err := New(bad)
		if err == nil {
			err = r.Check()
		}
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("header %v: %v", header, err)
		}
	}
}

func TestWriterStopsBefore4GiB(t *testing.T) {
	w, err := NewWriter(&memory{})
	if err != nil {
		t.Fatal(err)
	}
	w.pos = maxSize - 20
	if err := w.Add([]byte("key"), []byte("value")); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Add = %v", err)
	}
}

func TestWriterReportsFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here:", err)
	}
	defer full.Close()
	w, err := NewWriter(full)
	if err != nil {
		t.Fatal(err)
	}
	err = w.Add([]byte("k"), make([]byte, 1<<20))
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		t.Error("a full disk went unnoticed")
	}
}

// TestTinycdbAgrees lets an independent implementation read our database, and compares its own
// output byte by byte.
func TestTinycdbAgrees(t *testing.T) {
	tool, err := exec.LookPath("cdb")
	if err != nil {
		t.Skip("needs the tool cdb of package tinycdb")
	}
	records := numbered(300)
	data := write(t, records)
	dir := t.TempDir()
	ours, theirs := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
	if err := os.WriteFile(ours, data, 0o600); err != nil {
		t.Fatal(err)
	}
	dump, err := exec.Command(tool, "-d", ours).Output()
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, r := range records {
		fmt.Fprintf(&want, "+%d,%d:%s->%s\n", len(r[0]), len(r[1]), r[0], r[1])
	}
	if got := strings.TrimRight(string(dump), "\n"); got != strings.TrimRight(want.String(), "\n") {
		t.Error("cdb -d disagrees with what was added")
	}
	for _, r := range records[:20] {
		got, err := exec.Command(tool, "-q", ours, r[0]).Output()
		if err != nil || string(got) != r[1] {
			t.Errorf("cdb -q %q = %q, %v; want %q", r[0], got, err, r[1])
		}
	}
	create := exec.Command(tool, "-c", theirs)
	create.Stdin = bytes.NewReader(append(dump, '\n'))
	if out, err := create.CombinedOutput(); err != nil {
		t.Fatalf("cdb -c: %v: %s", err, out)
	}
	made, err := os.ReadFile(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, data) {
		t.Error("cdb -c makes other bytes of the same records")
	}
}

// FuzzReader checks that any bytes make the reader fail only with ErrDamaged, and that a database
// that passes Check can be written again with the same answers.
func FuzzReader(f *testing.F) {
	f.Add(write(f, numbered(0)), []byte("key 1"))
	f.Add(write(f, numbered(3)), []byte("key 1"))
	f.Add(write(f, [][2]string{{"k", "a"}, {"k", "b"}}), []byte("k"))
	f.Fuzz(func(t *testing.T, data, key []byte) {
		r, err := New(data)
		if err != nil {
			return
		}
		found, err := r.Get(key)
		checked := r.Check()
		if checked != nil {
			return
		}
		if err != nil {
			t.Fatal("Get sees damage that Check does not")
		}
		var records [][2]string
		for k, v := range r.All() {
			records = append(records, [2]string{string(k), string(v)})
		}
		again, err := New(write(t, records))
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := again.Get(key); (v == nil) != (found == nil) {
			t.Errorf("Get(%q) = %q, after writing again %q", key, found, v)
		}
	})
}
