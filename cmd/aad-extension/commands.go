// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// install checks everything before it changes anything: the machine, and the settings that enable
// will need.
func install(ctx context.Context, h *handler) (string, error) {
	if err := h.precheck(); err != nil {
		return "", err
	}
	err := h.step("package", func() (string, error) { return h.ensurePackage(ctx) })
	return "Installed, and not enabled yet.", err
}

// precheck reports whether install and enable can succeed on this machine. It changes nothing.
func (h *handler) precheck() error {
	if err := h.step("machine", h.suitable); err != nil {
		return err
	}
	return h.step("settings", func() (string, error) {
		s, err := h.settings()
		if err == nil {
			_, err = h.plan(s)
		}
		return "They can be used.", err
	})
}

// enable brings the machine from any state into the one that the settings describe.
func enable(ctx context.Context, h *handler) (string, error) {
	var s settings
	err := h.step("settings", func() (said string, err error) {
		if s, said, err = h.current(); err == nil {
			_, err = h.plan(s)
		}
		return said, err
	})
	if err != nil {
		return "", err
	}
	if err := h.step("package",
		func() (string, error) { return h.ensurePackage(ctx) }); err != nil {
		return "", err
	}
	var p *plan
	err = h.step("configuration", func() (said string, err error) {
		if p, err = h.plan(s); err != nil { // again, because the package may have brought the file
			return "", err
		}
		return h.write(ctx, p)
	})
	if err != nil {
		return "", err
	}
	if h.sequence > h.applied() {
		if err := h.setApplied(h.sequence); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("People of %s sign in to this machine with Entra ID.",
		strings.Join(p.settings.Domains, ", ")), h.verify(ctx)
}

// update runs in the new version, between disable and uninstall of the old one. It makes the same
// checks as install while the old version is still there, and then leaves a marker for uninstall.
// The package is then upgraded instead of removed and installed again, so names do not vanish under
// people who are signed in.
//
// On the way from a newer version to an older one the agent runs update in the newer version. Then
// the package has to be removed.
func update(ctx context.Context, h *handler) (string, error) {
	if err := h.precheck(); err != nil {
		// disable has run in the old version, which stays: its configuration must come back
		_, back := h.keepConfiguration()
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

// updating is the path of the marker. It lies in /run, so a reboot removes it, and it expires after
// markerTTL, so a stale one cannot block uninstall.
func (h *handler) updating() string { return filepath.Join(h.runtimeDir(), "updating") }

const markerTTL = 10 * time.Minute

// beingUpdated reports whether update has left a marker that is still valid.
func (h *handler) beingUpdated(now time.Time) bool {
	info, err := os.Stat(h.updating())
	return err == nil && now.Sub(info.ModTime()) < markerTTL && !info.ModTime().After(now)
}

// disable renames config.toml. Without a configuration the PAM module refuses accounts of ours and
// ignores local ones.
func disable(_ context.Context, h *handler) (string, error) {
	err := h.step("configuration", func() (string, error) {
		path := h.configPath()
		_, complete, err := readConfig(path)
		if err != nil {
			return "", err
		}
		if _, err := os.Lstat(path + disabledSuffix); err == nil && !complete {
			return "It is disabled already.", nil
		}
		if err := os.Rename(path, path+disabledSuffix); errors.Is(err, fs.ErrNotExist) {
			return "There is none.", nil
		} else if err != nil {
			return "", err
		}
		return "It is kept as " + path + disabledSuffix, nil
	})
	return "Sign-in with Entra ID is switched off; accounts, uids and configuration are kept.", err
}

// uninstall removes the package. Sessions of people who are signed in go on. The accounts stay, so
// that no uid is given to somebody else, and the configuration stays under its own name.
func uninstall(ctx context.Context, h *handler) (string, error) {
	if h.beingUpdated(time.Now()) {
		return "The package stays for the new version.", remove(h.updating())
	}
	if err := h.step("package",
		func() (string, error) { return h.removePackage(ctx) }); err != nil {
		return "", err
	}
	err := h.step("configuration", h.keepConfiguration)
	return "Removed; accounts, uids and configuration are kept.", err
}

// keepConfiguration undoes the renaming of disable.
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
