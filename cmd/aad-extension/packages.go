// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const packageName = "aad-login"

// A manager is the package manager of the distribution. It is asked about local files only, so it
// needs no network.
type manager interface {
	// state returns the installed version, "" if there is none, and whether it is completely
	// installed.
	state(ctx context.Context) (version string, whole bool, err error)
	// present returns those of names that are installed.
	present(ctx context.Context, names []string) ([]string, error)
	// version returns the version of a package's file.
	version(ctx context.Context, file string) (string, error)
	// newer reports whether version a is newer than b.
	newer(ctx context.Context, a, b string) (bool, error)
	// missing returns the packages that file needs and that are not installed.
	missing(ctx context.Context, file string) ([]string, error)
	install(ctx context.Context, file string) error
	remove(ctx context.Context) error
}

func (h *handler) packages() (manager, error) {
	d, err := h.distribution()
	if err != nil {
		return nil, err
	}
	if d.rpm() {
		return rpms{h.host}, nil
	}
	return debs{h.host}, nil
}

// bundled returns the one package in the zip that is for this machine.
func (h *handler) bundled() (string, error) {
	d, err := h.distribution()
	if err != nil {
		return "", err
	}
	pattern := packageName + "_*_" + h.arch + ".deb"
	if d.rpm() {
		pattern = packageName + "-*." +
			map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[h.arch] + ".rpm"
	}
	files, err := filepath.Glob(filepath.Join(h.base, "packages", pattern))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("the extension's own packages/%s is not there once: %d, %v", pattern,
			len(files), err)
	}
	return files[0], nil
}

// pending is the path of a marker for an installation that has begun. A package manager may regard
// a package as installed although its scripts were killed.
func (h *handler) pending() string { return filepath.Join(h.base, "installing") }

// ensurePackage installs the package, unless this version is completely installed, or an
// administrator has installed a newer one.
func (h *handler) ensurePackage(ctx context.Context) (string, error) {
	packages, err := h.packages()
	if err != nil {
		return "", err
	}
	file, err := h.bundled()
	if err != nil {
		return "", err
	}
	version, err := packages.version(ctx, file)
	if err != nil {
		return "", err
	}
	installed, whole, err := packages.state(ctx)
	if err != nil {
		return "", err
	}
	if err := h.withoutConflicts(ctx, packages, installed != ""); err != nil {
		return "", err
	}
	if _, err := os.Stat(h.pending()); err == nil {
		whole = false
	}
	if installed != "" && whole {
		newer, err := packages.newer(ctx, version, installed)
		if err != nil || !newer {
			return packageName + " " + installed + " is installed", err
		}
	}
	if installed == "" {
		if _, err := h.suitable(); err != nil {
			return "", err
		}
	}
	missing, err := packages.missing(ctx, file)
	if err != nil {
		return "", err
	}
	if len(missing) > 0 {
		return "", &failure{exitMissing, "The package needs what is not installed: " +
			strings.Join(missing, ", ") + ".",
			"Install it and try again. Nothing has been changed."}
	}
	if err := os.WriteFile(h.pending(), nil, 0o600); err != nil {
		return "", err
	}
	if err := packages.install(ctx, file); err != nil {
		return "", err
	}
	return packageName + " " + version + " has been installed", remove(h.pending())
}

// removePackage removes the package, if there is one.
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
	if !whole { // dpkg does not remove a package that it has not completely unpacked
		if file, err := h.bundled(); err == nil {
			if err := packages.install(ctx, file); err != nil {
				h.logf("before the removal: %v", err)
			}
		}
	}
	return packageName + " " + installed + " has been removed.", packages.remove(ctx)
}
