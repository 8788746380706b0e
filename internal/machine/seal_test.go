// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const immutableFlag = 0x10 // FS_IMMUTABLE_FL of linux/fs.h

// attributes opens a file, for as long as the test runs, and reads those of chattr(1). There may be none on its file system.
func attributes(t *testing.T, path string) (f *os.File, flags uint32, err error) {
	t.Helper()
	f, err = os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	flags, err = unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	return f, flags, err
}

func immutable(t *testing.T, path string) bool {
	t.Helper()
	_, flags, err := attributes(t, path)
	return err == nil && flags&immutableFlag != 0
}

func makeMutable(t *testing.T, path string) {
	t.Helper()
	f, flags, err := attributes(t, path)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags&^immutableFlag))
	}
	if err != nil {
		t.Fatal(err)
	}
}

var imports = 70000

// imported adds an account to the store, each time another, and returns its name.
func imported(t *testing.T) string {
	t.Helper()
	imports++
	name := fmt.Sprintf("imported%d@contoso.example", imports)
	line := fmt.Sprintf("%s:x:%d:%d::/home/%[1]s:/bin/sh\n", name, imports, imports)
	file := filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "aadctl", "account", "import", file)
	return name
}

// The store that every process has mapped cannot be cut short or written into, by root neither, and neither can the one
// before it, which some may still have. The next change of it goes on as ever.
func TestStoreIsSealed(t *testing.T) {
	first, second := imported(t), imported(t)
	if !immutable(t, storeFile) {
		t.Skip("this file system knows no immutable files: readers copy the store")
	}
	for _, path := range []string{storeFile, storeFile + ".previous"} {
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o444 || !immutable(t, path) {
			t.Errorf("%s: %v, %v, immutable %v", path, info.Mode(), err, immutable(t, path))
		}
		if err := os.Truncate(path, 0); !errors.Is(err, syscall.EPERM) {
			t.Errorf("%s: truncated: %v", path, err)
		}
		if err := os.WriteFile(path, nil, 0o644); !errors.Is(err, syscall.EPERM) {
			t.Errorf("%s: overwritten: %v", path, err)
		}
	}
	if got := must(t, "getent", "passwd", first, second); strings.Count(got, "\n") != 2 {
		t.Errorf("getent says %q", got)
	}
}
