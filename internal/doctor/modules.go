// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"aadlogin/internal/account"
)

// moduleDirs are the directories in which distributions keep PAM modules, and those of the C
// library, which also hold the modules of the name service.
var moduleDirs = struct{ pam, nss []string }{
	pam: []string{"lib/*/security", "lib/security", "lib64/security",
		"usr/lib/*/security", "usr/lib64/security"},
	nss: []string{"lib/*", "lib64", "lib", "usr/lib/*", "usr/lib64"},
}

// modules checks that our modules are where libpam and libc look for them, and that they can be
// loaded.
func (h *Host) modules(ctx context.Context) []Finding {
	return []Finding{
		h.module(ctx, "PAM", moduleDirs.pam, "pam_unix.so", "pam_aad.so"),
		h.module(ctx, "the name service", moduleDirs.nss, "libc.so.6", "libnss_aad.so.2"),
	}
}

// reinstall proposes to install the package again.
func (h *Host) reinstall(r Finding) Finding {
	r = r.fix("install the package aad-login again, from where its file is")
	if h.exists("etc/debian_version") {
		return r.run("apt-get install --reinstall ./aad-login_*.deb")
	}
	return r.run("rpm -U --replacepkgs ./aad-login-*.rpm")
}

// module looks for our module beside a file that every machine has.
func (h *Host) module(ctx context.Context, who string, dirs []string, beside, name string) Finding {
	dir := h.dirOf(dirs, beside)
	if dir == "" {
		return h.reinstall(failedf(Machine, "%s, beside which %s has to be, is in none of %s",
			beside, name, strings.Join(dirs, ", ")))
	}
	file := "/" + path.Join(dir, name)
	if other := "/usr/" + path.Join(dir, name); !h.exists(file) &&
		h.exists(other) && h.found(other) {
		file = other
	}
	info, err := fs.Stat(h.Files, file[1:])
	switch {
	case err != nil:
		return h.reinstall(failedf(Machine, "%s looks for its modules in /%s, and %s is not there",
			who, dir, name))
	case info.Mode().Perm()&0o022 != 0:
		return failed(Machine, file+" can be written by others than root").run("chmod go-w " + file)
	}
	// ldd -r does not run the module. It has ld.so look for each library and symbol.
	said, err := h.Run(ctx, "ldd", "-r", file)
	for line := range strings.Lines(said) {
		if strings.Contains(line, "not found") || strings.Contains(line, "undefined symbol") {
			return h.reinstall(failed(Machine, file+" cannot be loaded: "+strings.TrimSpace(line)))
		}
	}
	if err != nil {
		return h.reinstall(failed(Machine, file+" cannot be loaded: "+lastLine(said)))
	}
	return ok("%s finds %s and can load it", who, file)
}

// found reports whether a module in a second directory is found, too. Where /lib64 and /usr/lib64
// are two directories (SLES 15), ld.so looks into both. libpam looks into the second one only if a
// line names it.
func (h *Host) found(file string) bool {
	if !strings.HasSuffix(file, "pam_aad.so") {
		return true
	}
	return slices.ContainsFunc(stack(h.service, "sshd", "", 0),
		func(r rule) bool { return r.module == file })
}

func (h *Host) dirOf(dirs []string, beside string) string {
	for _, pattern := range dirs {
		if found, err := fs.Glob(h.Files, path.Join(pattern, beside)); err == nil &&
			len(found) > 0 {
			return path.Dir(found[0])
		}
	}
	return ""
}

// names asks the C library, as every program does, for the group that each of our accounts is in,
// and for that of administrators. sudo goes by its name, so the members of another one are
// administrators, too.
func (h *Host) names(ctx context.Context) []Finding {
	for i, group := range []string{account.UsersGroup, account.AdminsGroup} {
		said, err := h.Run(ctx, "getent", "group", group)
		want := fmt.Sprintf("%s:*:%d:", group, h.Config.Accounts.IDRange[0]+uint32(i))
		switch said = strings.TrimSpace(said); {
		case err != nil:
			return []Finding{failed(Machine, "getent does not find the group "+group).
				fix("see what else is wrong here: the store, the module or nsswitch.conf").
				run(nsswitchAdd + " && " + apply)}
		case !strings.HasPrefix(said, want):
			found := fmt.Sprintf("getent says %q where %q belongs: another source has a group of "+
				"this name", said, want)
			if group == account.AdminsGroup {
				found += ", and sudo takes its members for administrators"
			}
			return []Finding{failed(Machine, found).
				fix("rename or remove that group").run("groupmod -n old_" + group + " " + group)}
		}
	}
	return []Finding{ok("getent finds the groups %s and %s", account.UsersGroup,
		account.AdminsGroup)}
}
