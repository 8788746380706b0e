// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Command sbom writes the contents of a release as SPDX 2.3 in JSON, with the SPDX project's own
// library. Nothing in it is written by hand. Each binary records the Go modules and the libraries
// that it was linked with, and licences are read from the modules. A licence or library that cannot
// be determined is an error, not a gap.
//
// It is a module of its own, so that its dependencies are never linked into a process of root's.
//
// Usage: sbom VERSION CONTACT FILE[=TREE]... <MODULES >DOCUMENT. A FILE of the release is described
// with the binaries in TREE, its unpacked contents. A file that another one contains comes before
// it. MODULES has a line for each module that Go knows here: path, version and folder.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: sbom VERSION CONTACT FILE[=TREE]... <MODULES >DOCUMENT")
		os.Exit(2)
	}
	if err := write(os.Stdout, os.Stdin, os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func write(out io.Writer, modules io.Reader, version, contact string, files []string) error {
	epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	licences, err := readModules(modules)
	if err != nil {
		return err
	}
	d := newDescription(version, contact, time.Unix(epoch, 0).UTC(), licences)
	for _, argument := range files {
		file, tree, _ := strings.Cut(argument, "=")
		if err := d.release(file, tree); err != nil {
			return err
		}
	}
	return d.print(out)
}
