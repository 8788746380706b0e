// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"os"
	"os/exec"
	"testing"
)

// rpms builds the package of a tree that "make install" has made, once for each version.
var rpms = map[string]string{}

func RPMOf(t *testing.T, version string) string {
	t.Helper()
	if rpms[version] == "" { // without must, whose patience this may outlast on a machine with more to do
		build := exec.Command("sh", "-ec", `make -s -C ../../.. install DESTDIR=/tmp/rpm/tree PAMDIR=/usr/lib64/security NSSDIR=/usr/lib64
			../../../packaging/rpm/build /tmp/rpm/tree x86_64 "$0" /tmp/rpm`, version)
		build.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1764115200") // rpm takes no changelog of 1970
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
