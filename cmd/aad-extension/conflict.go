// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// conflictingPackages sign people in with Entra ID, too, and cannot be installed together with
// ours. remedy is what the administrator does about one.
var conflictingPackages = []struct{ pkg, remedy string }{
	{"aadlogin",
		"It is of the preview of this extension. Remove that: az vm extension delete, for a " +
			"uniform scale set az vmss extension delete, --name AADLoginForLinux, then the package."},
	{"aadsshlogin",
		"It is of AADSSHLoginForLinux. Remove that: az vm extension delete, for a uniform scale " +
			"set az vmss extension delete, --name AADSSHLoginForLinux"},
	{"aadsshlogin-selinux",
		"It is of AADSSHLoginForLinux. Remove that: az vm extension delete, for a uniform scale set az vmss extension delete, --name AADSSHLoginForLinux"},
	{"libpam-aad", "Remove the packages libpam-aad and libnss-aad."},
	{"libnss-aad", "Remove the packages libpam-aad and libnss-aad."},
	{"himmelblau", "Remove himmelblau and its packages for PAM and NSS."},
	{"pam-himmelblau", "Remove himmelblau and its packages for PAM and NSS."},
}

// conflictingFiles are files of our package that another package may have installed.
var conflictingFiles = []string{
	"/lib/security/pam_aad.so", "/lib/*/security/pam_aad.so", "/lib64/security/pam_aad.so",
	"/usr/lib64/security/pam_aad.so",
	"/lib/libnss_aad.so.2", "/lib/*/libnss_aad.so.2", "/lib64/libnss_aad.so.2",
	"/usr/lib64/libnss_aad.so.2",
	"/etc/sudoers.d/aad_admins", "/etc/ssh/sshd_config.d/40-aad-login.conf",
}

const migration = " How people keep their uids: docs/migration.md. Nothing has been changed."

// withoutConflicts fails if another package or file is in the way of ours. Once our package is
// installed, the files are its own.
func (h *handler) withoutConflicts(ctx context.Context, packages manager, installed bool) error {
	var names []string
	for _, other := range conflictingPackages {
		names = append(names, other.pkg)
	}
	there, err := packages.present(ctx, names)
	if err != nil {
		return err
	}
	for _, other := range conflictingPackages {
		if slices.Contains(there, other.pkg) {
			return &failure{exitConflict, "The package " + other.pkg + " is installed.",
				other.remedy + migration}
		}
	}
	if installed {
		return nil
	}
	for _, pattern := range conflictingFiles {
		files, err := filepath.Glob(h.path(pattern))
		if err != nil {
			return err
		}
		if len(files) > 0 {
			return &failure{exitConflict,
				files[0] + " is there already, and is not this extension's.",
				"Remove what brought it, or move it away." + migration}
		}
	}
	text, _ := readSome(h.path("/etc/nsswitch.conf"))
	if line := named.FindString(string(text)); line != "" {
		return &failure{exitConflict,
			fmt.Sprintf("/etc/nsswitch.conf names a service aad already (%s).",
				strings.TrimSpace(printable(line))),
			"Take it out." + migration}
	}
	return nil
}

var named = regexp.MustCompile(`(?m)^[\t ]*(passwd|group|initgroups):([^#\n]*[\t ])?aad([\t \[].*)?$`)
