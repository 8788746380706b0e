// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// For this process a sign-in is good when the browser is done. The person may still turn away at
// the prompt, because it was somebody else's browser, and must not leave a window behind. So the
// worker leaves an empty file in pending, named by the attempt's id, and the door renames it into
// opened when it lets the person in (pam/window.c). A window without its file in opened is shut.
const (
	pendingDir = "pending"
	openedDir  = "opened"
)

// markAge is longer than any window, so a file that is older opens nothing.
const markAge = 48 * time.Hour

// windowMarks is the runtime directory, in which pending and opened are.
type windowMarks string

// leave asks the door to open the attempt's window.
func (m windowMarks) leave(attempt string, now time.Time) error {
	for _, name := range []string{pendingDir, openedDir} {
		dir := filepath.Join(string(m), name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("signin: window: %w", err)
		}
		sweep(dir, now)
	}
	if err := os.WriteFile(m.path(pendingDir, attempt), nil, 0o600); err != nil {
		return fmt.Errorf("signin: window: %w", err)
	}
	return nil
}

// sweep keeps /run from filling up. A file that it cannot remove does no harm.
func sweep(dir string, now time.Time) {
	all, _ := os.ReadDir(dir)
	for _, file := range all {
		if info, err := file.Info(); err == nil && now.Sub(info.ModTime()) > markAge {
			_ = os.Remove(filepath.Join(dir, file.Name()))
		}
	}
}

// opened reports whether the door has let the attempt's person in.
func (m windowMarks) opened(attempt string) bool {
	_, err := os.Lstat(m.path(openedDir, attempt))
	return err == nil && attempt != ""
}

func (m windowMarks) path(dir, attempt string) string {
	return filepath.Join(string(m), dir, attempt)
}
