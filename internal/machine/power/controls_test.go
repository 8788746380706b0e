// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A control is a product with a fault, of which the same look as at the product has to tell. Each
// is made of the product's source, a line of which is another in a copy.
type control struct {
	name string
	file string
	with [][2]string // what stands there once, and what instead
}

// Three places in the function that replaces the store.
const (
	dataSync      = "err = f.Sync()"
	afterRename   = "\ts.seal(s.path(storeFile))\n\tif e.base != nil {\n\t\ts.supersede"
	directorySync = "if err := syncPath(s.path(\".\")); err != nil {\n\t\treturn " +
		"fmt.Errorf(\"account: write the store"
)

// Without the data's fsync, the directory's comes before the seal: ext4 writes a file's data down
// before it makes the file immutable.
var (
	noDataSync = [2]string{dataSync, "err = nil"}
	earlySync  = [2]string{afterRename, "\t_ = syncPath(s.path(\".\"))\n" + afterRename}
	lateSync   = [2]string{afterRename,
		"\t_ = syncPath(s.path(\".\"))\n\t_ = syncPath(s.path(storeFile))\n" + afterRename}
	noDirectorySync = [2]string{directorySync, strings.Replace(directorySync,
		`syncPath(s.path("."))`, "error(nil)", 1)}
)

var controls = []control{
	{"without the data's fsync", "internal/account/replace.go",
		[][2]string{noDataSync, earlySync, noDirectorySync}},
	{"without the directory's fsync", "internal/account/replace.go", [][2]string{noDirectorySync}},
	{"renamed before the data's fsync", "internal/account/replace.go",
		[][2]string{noDataSync, lateSync}},
}

// root is that of the module.
const root = "../../.."

// install builds a control and puts its files in the place of the product's for the length of a
// test.
func (c control) install(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	source, err := filepath.Abs(filepath.Join(root, c.file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	changed := string(text)
	for _, with := range c.with {
		if strings.Count(changed, with[0]) != 1 {
			t.Fatalf("%s has not %q in it, once: this control is for another source", c.file,
				with[0])
		}
		changed = strings.Replace(changed, with[0], with[1], 1)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: dir +
		"/changed.go"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"changed.go": changed,
		"overlay.json": string(overlay)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "env", "GOFLAGS=-overlay="+dir+"/overlay.json", "make", "-s", "-C", root, "B="+dir,
		dir+"/aadctl", dir+"/pam_aad.so")
	for from, to := range map[string]string{"aadctl": "/usr/sbin/aadctl",
		"pam_aad.so": installed(t, "pam_aad.so")} {
		if err := unix.Mount(filepath.Join(dir, from), to, "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Unmount(to, unix.MNT_DETACH) })
	}
}

func installed(t *testing.T, name string) string {
	t.Helper()
	for _, line := range strings.Split(must(t, "dpkg", "-L", "aad-login"), "\n") {
		if filepath.Base(line) == name {
			return line
		}
	}
	t.Fatalf("the package has no %s", name)
	return ""
}
