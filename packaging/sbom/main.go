// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Command sbom writes what a release is made of, as SPDX 2.3 in JSON, by the SPDX project's own
// library. Nothing of it is written by hand: Go has recorded in each binary the modules that it was
// linked from, the linker its libraries, and licences are read where they stand. What cannot be
// told (a licence, a library) is an error, not a gap.
//
// It is a module of its own, so that what it needs is never among what is linked into a process of
// root's.
//
// Usage: sbom VERSION CONTACT FILE[=TREE]... <MODULES >DOCUMENT. A FILE of the release is described
// with the binaries in TREE, which is what it unpacks to; files that are in another come before it.
// MODULES has a line for each module that Go knows here: path, version and folder.
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
