// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hasLine is aad_has_local_line in Go: passwd(5), as glibc reads it.
func hasLine(text, name string, uid uint32) bool {
	for _, line := range strings.Split(text, "\n") {
		fields := strings.SplitN(strings.TrimLeft(line, " \t"), ":", 4)
		if len(fields) < 4 || fields[0] != name || name == "" ||
			strings.ContainsAny(fields[2], "+-_") {
			continue
		}
		if n, err := strconv.ParseUint(fields[2], 10, 32); err == nil && uint32(n) == uid {
			return true
		}
	}
	return false
}

func TestLocalLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "passwd")
	long := strings.Repeat("x", 10000)
	for text, want := range map[string]bool{
		"":                                       false,
		"ann:x:1001:1001::/home/ann:/bin/sh\n":   true,
		"ann:x:1001:1001::/home/ann:/bin/sh":     true,
		"ann:x:1001:":                            true,
		" \tann:x:1001:1001::/:/bin/sh\n":        true,
		"root:x:0:0::/root:/bin/sh\nann::1001:1": true,
		"ann:x:4242:1\nann:x:1001:1\n":           true,
		"ann:x:01001:1\n":                        true,
		"ann:" + long + ":1001:1\n":              true,
		long + ":x:1:1\n" + "ann:x:1001:1\n":     true,
		"x:x:1:1::" + long + "\nann:x:1001:1\n":  true,
		"ann:x:1001":                             false, // which may not end here
		"ann:x:1001\nbob:x:1:1\n":                false,
		"ann:x:1002:1\n":                         false,
		"ann:x:10010:1\n":                        false,
		"ann:x:100:1\n":                          false,
		"ann:x::1\n":                             false,
		"ann:x:-1:1\n":                           false,
		"ann:x:+1001:1\n":                        false,
		"ann:x: 1001:1\n":                        false,
		"ann:x:1001 :1\n":                        false,
		"ann:x:4294968297:1\n":                   false, // 1001 + 2^32
		"ann:x:99999999999999999999001001:1\n":   false,
		"#ann:x:1001:1\n":                        false,
		"+ann:x:1001:1\n":                        false,
		"anna:x:1001:1\n":                        false,
		"an:x:1001:1\n":                          false,
		"ann :x:1001:1\n":                        false,
		"ann\x00:x:1001:1\n":                     false,
		"Ann:x:1001:1\n":                         false,
		"bob:ann:1001:1\n":                       false,
		"bob:x:1:1:ann:x:1001:1\n":               false,
		"\n\n:x:1001:1\n":                        false,
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := localLine(file, "ann", 1001); got != want || hasLine(text, "ann", 1001) != want {
			t.Errorf("%.40q: C %v, Go %v, want %v", text, got, hasLine(text, "ann", 1001), want)
		}
	}
}

// A file of any size, in any pieces.
func TestLocalLineInLargeFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "passwd")
	var text strings.Builder
	for i := range 100000 {
		fmt.Fprintf(&text, "user%d@contoso.com:x:%d:%d:%s:/home/u:/bin/sh\n", i, 2000+i, 2000+i,
			strings.Repeat("g", i%50))
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		n := uint32(i * 333)
		name := fmt.Sprintf("user%d@contoso.com", n)
		if !localLine(file, name, 2000+n) || localLine(file, name, 2001+n) ||
			localLine(file, name[1:], 2000+n) {
			t.Errorf("%s is not found, or more than it", name)
		}
	}
}

// Anything that is no file, or cannot be read, has no line, and is not waited for.
func TestLocalLineElsewhere(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	go func() {
		for _, path := range []string{fifo, dir, filepath.Join(dir, "missing"), ""} {
			if localLine(path, "ann", 1001) {
				t.Errorf("a line in %q", path)
			}
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it waits")
	}
}

// FuzzLocalLine checks that Go and C find the same lines in any file.
func FuzzLocalLine(f *testing.F) {
	f.Add("root:x:0:0:root:/root:/bin/bash\nann:x:1001:1001::/home/ann:/bin/sh\n", "ann",
		uint32(1001), 0)
	f.Add(" ann::1:\n#x\n\n+::::::\n", "ann", uint32(1), 4090)
	f.Add("ann:x:4294967295:", "ann", uint32(1<<32-1), 1)
	file := filepath.Join(f.TempDir(), "passwd")
	f.Fuzz(func(t *testing.T, text, name string, uid uint32, before int) {
		if strings.Contains(name, "\x00") {
			return
		}
		if before > 0 { // so that pieces end everywhere
			text = strings.Repeat("x", min(before, 10000)) + "\n" + text
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, want := localLine(file, name, uid), hasLine(text, name, uid); got != want {
			t.Errorf("%q, %d in %q: C %v, Go %v", name, uid, text, got, want)
		}
	})
}

// The same for lines that are composed at random.
func TestLocalLineAtRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{
		"ann", "ann:", ":", "x", "1001", ":1001:", "\n", "\n", " ", "\t", "ann:x:1001:1", "0", "-",
		"\x00", "#",
	}
	file := filepath.Join(t.TempDir(), "passwd")
	found := 0
	for range 5000 {
		var text string
		for range r.IntN(12) {
			text += parts[r.IntN(len(parts))]
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		want := hasLine(text, "ann", 1001)
		if got := localLine(file, "ann", 1001); got != want {
			t.Errorf("%q: C %v, Go %v", text, got, want)
		}
		if want {
			found++
		}
	}
	if found < 100 {
		t.Errorf("%d of these files have the line", found)
	}
}
