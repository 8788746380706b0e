// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"syscall"

	"aadlogin/internal/config"
)

// permissions checks that only root can write our directories, and that everybody can read the
// store and nothing else. Sign-ins refuse a directory of ours that somebody else may write. They do
// not look at the directories above, which are not ours. But a person who may write there can put
// another directory in the place of ours, and only this check says so.
func (h *Host) permissions() (findings []Finding) {
	looked := map[string]bool{}
	for _, want := range []struct {
		path string
		must fs.FileMode // bits that must be set
		not  fs.FileMode // bits that must not be set
	}{
		{path.Dir(cmp.Or(h.ConfigPath, config.DefaultPath)), 0o700, 0o022},
		{h.Config.Accounts.Directory, 0o755, 0o022},
		{path.Join(h.Config.Accounts.Directory, "grants"), 0o700, 0o077},
		{"/var/cache/aad-login", 0o700, 0o077},
		{"/run/aad-login", 0o700, 0o077},
	} {
		info, err := fs.Stat(h.Files, want.path[1:])
		if err != nil {
			continue // it is made when it is needed
		}
		looked[want.path] = true
		if mode := info.Mode().Perm(); mode&want.must != want.must || mode&want.not != 0 {
			findings = append(findings, failedf(Machine, "%s has mode %04o", want.path, mode).
				run(fmt.Sprintf("chmod %04o %s", want.must|mode&0o055&^want.not, want.path)))
		}
		findings = append(findings, owner(want.path, info)...)
		for dir := path.Dir(want.path); !looked[dir]; dir = path.Dir(dir) {
			looked[dir] = true
			findings = append(findings, h.above(dir, want.path)...)
		}
	}
	return findings
}

func owner(dir string, info fs.FileInfo) []Finding {
	if owner, known := info.Sys().(*syscall.Stat_t); known && owner.Uid != 0 {
		return []Finding{failedf(Machine, "%s belongs to uid %d", dir, owner.Uid).
			run("chown root: " + dir)}
	}
	return nil
}

// above checks a directory that has one of ours somewhere below it.
func (h *Host) above(dir, ours string) (findings []Finding) {
	info, err := fs.Stat(h.Files, cmp.Or(dir[1:], "."))
	if err != nil {
		return nil
	}
	if mode := info.Mode(); mode.Perm()&0o022 != 0 && mode&fs.ModeSticky == 0 {
		findings = append(findings,
			failedf(Machine, "%s has mode %04o: others than root can exchange %s", dir, mode.Perm(),
				ours).
				run("chmod go-w "+dir))
	}
	return append(findings, owner(dir, info)...)
}
