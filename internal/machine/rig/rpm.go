// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"os"
	"os/exec"
	"testing"
)

// rpms holds the built package of each version.
var rpms = map[string]string{}

// RPMOf builds the rpm of a version, from the files of the Debian package.
func RPMOf(t *testing.T, version string) string {
	t.Helper()
	// Must would give up too early on a busy machine.
	if rpms[version] == "" {
		// The option -o takes the files of the Debian package, whatever changes in the project
		// meanwhile.
		build := exec.Command("flock", "../../../build", "sh", "-ec", `b=build/amd64
			make -s -C ../../.. install B=$b -o $b/pam_aad.so -o $b/libnss_aad.so.2 -o $b/aadctl \
				DESTDIR=/tmp/rpm/tree PAMDIR=/usr/lib64/security NSSDIR=/usr/lib64
			../../../packaging/rpm/build /tmp/rpm/tree x86_64 "$0" /tmp/rpm`, version)
		// rpm refuses a changelog of 1970.
		build.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1764115200")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		rpms[version] = "/tmp/rpm/aad-login-" + version + "-1.x86_64.rpm"
	}
	return rpms[version]
}

// Query is "rpm -qp --qf FORMAT".
func Query(t *testing.T, file, format string) string {
	t.Helper()
	return Must(t, "rpm", "-qp", "--qf", format, file)
}
