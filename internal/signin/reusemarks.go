// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Here a sign-in is good when the browser is done; but the person may still turn away at the prompt, because somebody else's
// browser it was, and must not leave a window behind. So the worker leaves an empty file, by the attempt's id, in pending, and
// the door, when it lets in, renames it into opened (pam/session.c). A window without its file there is shut.
const (
	pendingDir = "pending"
	openedDir  = "opened"
)

// markAge is beyond the longest window, so that what is older opens nothing.
const markAge = 48 * time.Hour

// pend asks the door to open this attempt's window.
func (a *attempt) pend() error {
	for _, name := range []string{pendingDir, openedDir} {
		dir := filepath.Join(a.RuntimeDir, name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("signin: window: %w", err)
		}
		a.sweep(dir)
	}
	if err := os.WriteFile(a.mark(pendingDir, a.Attempt), nil, 0o600); err != nil {
		return fmt.Errorf("signin: window: %w", err)
	}
	return nil
}

// sweep keeps /run from filling up; what it cannot remove does no harm.
func (a *attempt) sweep(dir string) {
	all, _ := os.ReadDir(dir)
	for _, file := range all {
		if info, err := file.Info(); err == nil && a.Now().Sub(info.ModTime()) > markAge {
			_ = os.Remove(filepath.Join(dir, file.Name()))
		}
	}
}

// opened says whether the door has let in whose window this is.
func (a *attempt) opened(w window) bool {
	_, err := os.Lstat(a.mark(openedDir, w.Attempt))
	return err == nil && w.Attempt != ""
}

func (a *attempt) mark(dir, attempt string) string { return filepath.Join(a.RuntimeDir, dir, attempt) }
