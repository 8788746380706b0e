// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// A window is one sign-in with the browser, as the next attempt finds it.
type window struct {
	origin
	Attempt string        `json:"attempt"` // its id in the log
	Time    time.Time     `json:"time"`    // of the browser's answer
	Boot    string        `json:"boot"`    // since which boot …
	Up      time.Duration `json:"up"`      // … it came after so long (ns)
}

// keptWindows is how many windows of one account are kept. A person who signs in from more
// addresses than that within a window gets a code.
const keptWindows = 16

// open reports whether the window is still open. A reboot closes every window.
func (w window) open(now moment, width time.Duration) bool {
	return w.Boot != "" && w.Boot == now.Boot && moment{w.Time, w.Boot, w.Up}.within(width, now)
}

func findWindow(all []window, here origin, now moment, width time.Duration) *window {
	for _, w := range all {
		if w.origin == here && w.open(now, width) {
			return &w
		}
	}
	return nil
}

// pairs returns how the log names the sign-in that was reused.
func (w *window) pairs() []string {
	begun := w.Time.Format(time.RFC3339)
	return []string{"reuse_attempt", w.Attempt, "reuse_time", begun, "reuse_rhost", w.Host}
}

// A windowFile holds the windows of one account.
type windowFile struct {
	path  string
	width time.Duration // of the configuration
}

// find returns the open window of an origin, or nil.
func (f windowFile) find(ctx context.Context, here origin, now moment) *window {
	return findWindow(f.read(ctx), here, now, f.width)
}

// read returns the windows that can be read. A damaged file holds none.
func (f windowFile) read(ctx context.Context) []window {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	file, err := openLocked(ctx, f.path, unix.LOCK_SH)
	if err != nil {
		return nil
	}
	defer file.Close()
	return decodeWindows(file)
}

func decodeWindows(r io.Reader) []window {
	var all []window
	if json.NewDecoder(r).Decode(&all) != nil {
		return nil
	}
	return all
}

// keep adds a window, and drops those that it replaces and those that are over.
func (f windowFile) keep(ctx context.Context, w window, now moment) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("signin: window: %w", err)
	}
	file, err := openLocked(ctx, f.path, unix.LOCK_EX)
	if err != nil {
		return fmt.Errorf("signin: window: %w", err)
	}
	defer file.Close()
	text, err := json.Marshal(addWindow(decodeWindows(file), w, now, f.width))
	if err == nil {
		err = write(file, string(text))
	}
	if err != nil {
		return fmt.Errorf("signin: window: %w", err)
	}
	return nil
}

// addWindow keeps the newest, so that no number of addresses makes the file grow.
func addWindow(all []window, w window, now moment, width time.Duration) []window {
	all = slices.DeleteFunc(all, func(old window) bool {
		return old.origin == w.origin || !old.open(now, width)
	})
	all = append(all, w)
	return all[max(0, len(all)-keptWindows):]
}
