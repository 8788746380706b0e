// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	logName = "aad-extension.log"
	maxLog  = 1 << 20
)

// openLog opens the log to append to it; a log that has grown begins anew, and the old one is kept once. What cannot be logged
// is not: the log is no reason to stop.
func openLog(folder string) io.WriteCloser {
	path := filepath.Join(folder, logName)
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		_ = os.Rename(path, path+".1")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nowhere{}
	}
	return f
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }

func (h *handler) logf(format string, args ...any) {
	line := printable(fmt.Sprintf(format, args...))
	fmt.Fprintf(h.log, "%s [%d] %s\n", time.Now().UTC().Format(time.RFC3339), os.Getpid(), line)
}
