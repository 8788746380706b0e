// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// uninstall removes the package, also while people are signed in: their sessions go on. What the package leaves behind stays:
// accounts, so that no uid is given to somebody else, and the configuration, under its own name.
func uninstall(ctx context.Context, h *handler) (string, error) {
	if h.beingUpdated(time.Now()) {
		return "The package stays for the new version.", remove(h.updating())
	}
	if err := h.step("package", func() (string, error) { return h.removePackage(ctx) }); err != nil {
		return "", err
	}
	err := h.step("configuration", h.keepConfiguration)
	return "Removed; accounts, uids and configuration are kept.", err
}

func (h *handler) removePackage(ctx context.Context) (string, error) {
	packages, err := h.packages()
	if err != nil {
		return "", err
	}
	installed, whole, err := packages.state(ctx)
	switch {
	case err != nil:
		return "", err
	case installed == "":
		return packageName + " is not installed.", nil
	}
	if !whole { // dpkg removes none that it has not wholly unpacked
		if file, err := h.bundled(); err == nil {
			if err := packages.install(ctx, file); err != nil {
				h.logf("before the removal: %v", err)
			}
		}
	}
	return packageName + " " + installed + " has been removed.", packages.remove(ctx)
}

func (h *handler) keepConfiguration() (string, error) {
	path := h.configPath()
	if _, err := os.Lstat(path); err == nil {
		return "It stays.", nil
	}
	if err := os.Rename(path+disabledSuffix, path); !errors.Is(err, fs.ErrNotExist) {
		return "It stays.", err
	}
	return "There is none.", nil
}
