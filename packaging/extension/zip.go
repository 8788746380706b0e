// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Command extension makes a zip of a directory, for packaging/extension/build. The same files give
// the same bytes: names are sorted, modes follow from the purpose of a file, and every time is
// SOURCE_DATE_EPOCH (zip(1) takes the times of the files). It uses Go's archive/zip, since
// everybody who builds this has Go, and not everybody has zip(1).
package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: extension DIRECTORY FILE.zip")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "extension:", err)
		os.Exit(1)
	}
}

func pack(dir, file string) error {
	epoch, err := strconv.ParseInt("0"+os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	z := zip.NewWriter(out)
	root := os.DirFS(dir)
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return add(z, root, name, time.Unix(max(epoch, earliest), 0).UTC())
	})
	return errors.Join(err, z.Close(), out.Close())
}

// earliest is the first time that a zip can hold: the start of 1980.
const earliest = 315532800

func add(z *zip.Writer, root fs.FS, name string, when time.Time) error {
	in, err := root.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: when}
	header.SetMode(0o644)
	switch {
	case strings.HasPrefix(name, "bin/"):
		header.SetMode(0o755)
	case strings.HasPrefix(name, "packages/"):
		header.Method = zip.Store // already compressed
	}
	w, err := z.CreateHeader(header)
	if err == nil {
		_, err = io.Copy(w, in)
	}
	return err
}
