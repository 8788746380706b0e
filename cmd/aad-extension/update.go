// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// update is run in the new version, between disable and uninstall of the old one. It looks at what install will look at, while
// the old version is still there; then it leaves word for uninstall. So the package is upgraded rather than removed and brought
// back, and names do not vanish under people who are signed in.
//
// From a newer version to an older one, it is the newer that the agent runs this in. Then the package has to go.
func update(ctx context.Context, h *handler) (string, error) {
	if err := h.precheck(); err != nil {
		_, back := h.keepConfiguration() // the old version, which is still there, was disabled for nothing
		return "", errors.Join(err, back)
	}
	if to, own := h.getenv("VERSION"), h.getenv("AZURE_GUEST_AGENT_EXTENSION_VERSION"); to != own {
		return "An older version is to be installed.", nil
	}
	if err := os.MkdirAll(h.runtimeDir(), 0o700); err != nil {
		return "", err
	}
	return "Ready to install the new version.", os.WriteFile(h.updating(), nil, 0o600)
}

// updating is the word left: gone with a reboot, and old after a while, lest it keep a package that is to go for good.
func (h *handler) updating() string { return filepath.Join(h.runtimeDir(), "updating") }

const wordHolds = 10 * time.Minute

func (h *handler) beingUpdated(now time.Time) bool {
	info, err := os.Stat(h.updating())
	return err == nil && now.Sub(info.ModTime()) < wordHolds && !info.ModTime().After(now)
}
