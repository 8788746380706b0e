// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spdx/tools-golang/json"
)

// described returns the document about a release of one file, whose contents are this test itself.
func described(t *testing.T, modules string) (string, error) {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", "1764115200")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	tree := t.TempDir()
	file := filepath.Join(t.TempDir(), "thing_1.2.3_amd64.deb")
	for path, text := range map[string][]byte{filepath.Join(tree, "program"): content,
		filepath.Join(tree, "text"): []byte("#!/bin/sh\n"), file: []byte("packed")} {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	err = write(&out, strings.NewReader(modules), "1.2.3", "Contoso <linux@contoso.com>", []string{file + "=" + tree})
	return out.String(), err
}

// here returns the output of "go list" for a module with an invented licence.
func here(t *testing.T, licence string, modules ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte(licence), 0o644); err != nil {
		t.Fatal(err)
	}
	return strings.Join(modules, " "+dir+"\n") + " " + dir + "\n"
}

const isc = `Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided
that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES
OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR
ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS
ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
`

func linkedHere() []string {
	return []string{"github.com/spdx/tools-golang v0.5.7", "github.com/google/licensecheck v0.3.1", "github.com/anchore/go-struct-converter v0.1.0",
		"std " + strings.TrimPrefix(runtime.Version(), "go")}
}

func TestDescribesWhatIsLinked(t *testing.T) {
	text, err := described(t, here(t, isc, linkedHere()...))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := json.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	licences := map[string]string{}
	for _, p := range doc.Packages {
		licences[p.PackageName+" "+p.PackageVersion] = p.PackageLicenseDeclared
	}
	for _, module := range linkedHere() {
		if licences[module] != "ISC" {
			t.Errorf("%s: %q", module, licences[module])
		}
	}
	if licences["aad-login 1.2.3"] != "Apache-2.0" || len(doc.Files) != 1 ||
		doc.Files[0].FileName != "./program" {
		t.Errorf("%v, and %d files", licences, len(doc.Files))
	}
	if again, err := described(t, here(t, isc, linkedHere()...)); err != nil || again != text {
		t.Errorf("described again, it is another document, %v", err)
	}
}

// A gap is an error.
func TestRefusesWhatItCannotTell(t *testing.T) {
	all := linkedHere()
	for name, c := range map[string]struct{ modules, says string }{
		"a module that is not here":   {here(t, isc, all[1:]...), "is not among the modules here"},
		"another Go":                  {here(t, isc, all[:3]...), "is not among the modules here"},
		"a licence that nobody knows": {here(t, "Do as you please, but not on Sundays.", all...), "of a known licence"},
		"a licence with more to it":   {here(t, isc+strings.Repeat("And it must not be used on Sundays, nor by night. ", 40), all...), "of a known licence"},
	} {
		if _, err := described(t, c.modules); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewest(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"", "GLIBC_2.4", "GLIBC_2.4"},
		{"GLIBC_2.4", "GLIBC_2.17", "GLIBC_2.17"},
		{"GLIBC_2.25", "GLIBC_2.3.4", "GLIBC_2.25"},
		{"GLIBC_2.3", "GLIBC_2.3.4", "GLIBC_2.3.4"},
		{"GLIBC_2.3", "GLIBC_PRIVATE", "GLIBC_2.3"},
		{"LIBPAM_1.0", "LIBPAM_EXTENSION_1.0", "LIBPAM_1.0"},
	} {
		if got := newest(c.a, c.b); got != c.want {
			t.Errorf("newest(%q, %q) = %q, want %q", c.a, c.b, got, c.want)
		}
	}
}
