// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// Arch is the end of the name of this architecture's package. The build may have made others, too.
var Arch = "_" + debianArchitecture() + ".deb"

func debianArchitecture() string {
	out, _ := exec.Command("dpkg", "--print-architecture").Output()
	return strings.TrimSpace(string(out))
}

// ExtensionName is the name by which Azure's agent knows the VM extension.
const ExtensionName = "Contoso.AADLoginForLinux"

// DebianPackage returns the package that was built for this machine.
func DebianPackage(t *testing.T) string {
	t.Helper()
	return FileAt(t, "../../../build/dist/*_"+runtime.GOARCH+".deb")
}

// Unwired removes the package for the length of a test, which may then install it. Afterwards
// everything is as before. Accounts stay.
func Unwired(t *testing.T) (install func() (string, int)) {
	t.Helper()
	file := DebianPackage(t)
	configuration, err := os.ReadFile(ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	install = func() (string, int) {
		return Command(t, "", "dpkg", "--install", "--force-confnew", file)
	}
	t.Cleanup(func() {
		if out, status := install(); status != 0 {
			t.Fatal(out)
		}
		if err := ReplaceFile(ConfigFile, configuration, 0o644); err != nil {
			t.Fatal(err)
		}
		Must(t, "aadctl", "config", "apply")
	})
	Must(t, "dpkg", "--remove", "aad-login")
	return install
}

// Wiring returns what the package changes in files of others: path, mode, owner and content of
// each. It leaves out ld.so.cache, which depends on every library.
func Wiring(t *testing.T) string {
	t.Helper()
	return Must(t, "sh", "-c", WiringCommand)
}

// WiringCommand prints what Wiring returns.
const (
	wiringFiles   = `find /etc /var/lib/pam -path /etc/aad-login -prune -o -path '/etc/ld.so.cache*' -prune -o `
	WiringCommand = wiringFiles + `-printf '%y %m %U:%G %p %l\n' | sort; ` + wiringFiles +
		`-type f -print0 | sort -z | xargs -0 sha256sum`
)

// VersionOf returns the version of a Debian package that is installed here.
func VersionOf(t *testing.T, pkg string) string {
	t.Helper()
	if pkg == "proftpd-core" {
		return strings.TrimSpace(Must(t, "sh", "-c", "dpkg-deb -f /tmp/proftpd-core_*.deb Version"))
	}
	return Must(t, "dpkg-query", "-W", "-f", "${Version}", pkg)
}

// These are files of the package that administrators edit.
const (
	RuleFile   = "/etc/sudoers.d/aad_admins"
	DropInFile = "/etc/ssh/sshd_config.d/40-aad-login.conf"
)
