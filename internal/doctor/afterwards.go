// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"aadlogin/internal/shell"
)

// These checks find settings that end a connection after a successful sign-in.

// nologin finds a file of pam_nologin(8), which lets only root in.
func (h *Host) nologin() []Finding {
	asked := slices.ContainsFunc(stack(h.service, "sshd", "", 0),
		func(r rule) bool { return strings.HasSuffix(r.module, "pam_nologin.so") })
	for _, file := range []string{"/var/run/nologin", "/run/nologin", "/etc/nologin"} {
		if asked && h.exists(file) {
			return []Finding{failed(Machine, file+" is there, which keeps everybody but root out").
				fix("systemd makes it while the machine starts and ends, and takes it away " +
					"again; otherwise it is somebody's order").
				run("rm " + file)}
		}
	}
	return nil
}

// chroot follows safely_chroot() of OpenSSH: each directory on the way must belong to root, and
// nobody else may write it.
func (h *Host) chroot(set map[string][]string) []Finding {
	dir := strings.Join(set["chrootdirectory"], " ")
	// "none" is no path. A path with %h or %u is different for each person.
	if !strings.HasPrefix(dir, "/") || strings.Contains(dir, "%") {
		return nil
	}
	for at := path.Clean(dir); ; at = path.Dir(at) {
		info, err := fs.Stat(h.Files, strings.TrimPrefix(at, "/"))
		wrong := ""
		switch {
		case at == "/":
			return nil
		case err != nil || !info.IsDir():
			return []Finding{failed(Machine, "ChrootDirectory is "+dir+
				", and "+at+" is no directory").
				fix(reload).run("mkdir -p " + shell.Word(at))}
		case info.Mode().Perm()&0o022 != 0:
			wrong = "can be written by others than root"
		}
		if owner, known := info.Sys().(*syscall.Stat_t); known && owner.Uid != 0 {
			wrong = fmt.Sprintf("belongs to uid %d", owner.Uid)
		}
		if wrong != "" {
			return []Finding{failed(Machine, "ChrootDirectory is "+dir+", and "+at+" "+wrong+
				": sshd ends such a session").
				run("chown root: " + shell.Word(at) + " && chmod go-w " + shell.Word(at))}
		}
	}
}
