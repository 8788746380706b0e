// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// folders are the directories of modules, by "path@version".
type folders map[string]string

// readModules reads the output of "go list -m -f '{{.Path}} {{.Version}} {{.Dir}}' all", and a line
// for "std", which is Go's own library.
func readModules(in io.Reader) (folders, error) {
	all := folders{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if parts := strings.Fields(lines.Text()); len(parts) == 3 {
			all[parts[0]+"@"+parts[1]] = parts[2]
		}
	}
	return all, lines.Err()
}

// licence is the SPDX expression for a module.
func (f folders) licence(path, version string) (string, error) {
	dir := f[path+"@"+version]
	if dir == "" {
		return "", fmt.Errorf("%s %s is linked into a binary, and is not among the modules here",
			path, version)
	}
	return licenceIn(dir)
}

// most is the percentage of a text that must be text of known licences. The rest are names, years,
// and notices of a few lines.
const most = 75

func licenceIn(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "LICENSE*"))
	if err != nil || len(files) == 0 {
		return "", errors.Join(fmt.Errorf("%s: there is no licence", dir), err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return "", err
	}
	found := licensecheck.Scan(text)
	if len(found.Match) == 0 || found.Percent < most {
		return "", fmt.Errorf("%s: %.0f %% of it is of a known licence", files[0], found.Percent)
	}
	var ids []string
	for _, m := range found.Match {
		if !m.IsURL && !slices.Contains(ids, m.ID) {
			ids = append(ids, m.ID)
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, " AND "), nil
}

// A library is a system library. The packages do not contain it, since the machine has it.
type library struct{ project, licence string }

// libraries are those that binaries may need. Another one is a new dependency, which somebody must
// look at.
var libraries = map[string]library{
	"libc.so.6":             {"glibc", "LGPL-2.1-or-later"},
	"libdl.so.2":            {"glibc", "LGPL-2.1-or-later"},
	"libpthread.so.0":       {"glibc", "LGPL-2.1-or-later"},
	"libresolv.so.2":        {"glibc", "LGPL-2.1-or-later"},
	"ld-linux-x86-64.so.2":  {"glibc", "LGPL-2.1-or-later"},
	"ld-linux-aarch64.so.1": {"glibc", "LGPL-2.1-or-later"},
	"libpam.so.0":           {"Linux-PAM", "BSD-3-Clause OR GPL-2.0-or-later"},
}
