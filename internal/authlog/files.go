// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package authlog

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// patterns are where syslog daemons write the facility authpriv: Debian, Red Hat.
var patterns = []string{"var/log/auth.log*", "var/log/secure*"}

// maxText is how much is read of one log file after unpacking: a small archive can hold any amount.
const maxText = 512 << 20

// Files reads the text log files of a machine, also those that logrotate has made of them, the
// newest first, as far as they were written to after since. It returns the files that it has read.
// A file that cannot be read does not keep it from the others.
func Files(
	ctx context.Context, root fs.FS, since, now time.Time, keep func(Event),
) (read []string, malformed int, err error) {
	var all error
	for _, file := range logs(root, since) {
		n, err := one(ctx, root, file, now, keep)
		malformed += n
		if err != nil {
			all = errors.Join(all, fmt.Errorf("/%s: %w", file, err))
			continue
		}
		read = append(read, "/"+file)
	}
	return read, malformed, all
}

// logs returns the log files. They must be regular: a pipe of that name would never end.
func logs(root fs.FS, since time.Time) (files []string) {
	written := map[string]time.Time{}
	for _, pattern := range patterns {
		found, _ := fs.Glob(root, pattern)
		for _, file := range found {
			info, err := fs.Stat(root, file)
			if err == nil && info.Mode().IsRegular() && !info.ModTime().Before(since) {
				written[file] = info.ModTime()
				files = append(files, file)
			}
		}
	}
	slices.SortFunc(files, func(a, b string) int {
		return cmp.Or(written[b].Compare(written[a]), strings.Compare(a, b))
	})
	return files
}

func one(
	ctx context.Context, root fs.FS, file string, now time.Time, keep func(Event),
) (int, error) {
	f, err := root.Open(file)
	if err != nil {
		return 0, cause(err)
	}
	defer f.Close()
	in := bufio.NewReader(f)
	text := io.Reader(in)
	switch magic, _ := in.Peek(4); {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}): // RFC 1952, Section 2.3.1
		if text, err = gzip.NewReader(in); err != nil {
			return 0, err
		}
	case bytes.Equal(magic, []byte("\xfd7zX")), bytes.HasPrefix(magic, []byte("BZh")),
		bytes.Equal(magic, []byte("\x28\xb5\x2f\xfd")):
		return 0, errors.New("is packed by another program than gzip")
	}
	limited := &io.LimitedReader{R: untilDone{ctx, text}, N: maxText}
	n, err := Text(limited, now, keep)
	if err == nil && limited.N == 0 {
		err = fmt.Errorf("only the first %d MiB were read", maxText>>20)
	}
	return n, cause(err)
}

// cause drops the path, which the caller adds itself.
func cause(err error) error {
	if of := (*fs.PathError)(nil); errors.As(err, &of) {
		return of.Err
	}
	return err
}

// untilDone reads until ctx ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(b)
}
