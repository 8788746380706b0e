// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"syscall"

	"aadlogin/internal/account"
)

const apply = "aadctl config apply"

// store reads all of it, as the name service would, and compares what it was told with what the configuration says.
func (p *Patient) store(context.Context) []Result {
	results := p.permissions()
	snapshot, err := account.Store{Dir: p.Config.Accounts.Directory}.Open()
	var damaged *account.DamagedError
	switch {
	case errors.Is(err, account.ErrMissing):
		return append(results, failed(Store, "there is no store yet, so the name service knows nobody").run(apply))
	case errors.As(err, &damaged):
		return append(results, failed(Store, damaged.File+": "+damaged.Problem).fix(damaged.Fix()))
	case err != nil:
		return append(results, failed(Store, err.Error()))
	}
	defer snapshot.Close()
	switch err := snapshot.Check(); {
	case errors.As(err, &damaged):
		return append(results, failed(Store, damaged.File+": "+damaged.Problem).fix(damaged.Fix()))
	case err != nil:
		return append(results, failed(Store, err.Error()))
	case !snapshot.Rules().Equal(account.RulesFrom(p.Config)):
		return append(results, failed(Store, "the name service goes by an older configuration").run(apply))
	case p.Config.Accounts.Directory != account.DefaultDir:
		results = append(results, failedf(Configuration, "accounts.directory is %s, but the name service reads %s",
			p.Config.Accounts.Directory, account.DefaultDir).fix("take accounts.directory out of the configuration"))
	}
	if results == nil {
		results = []Result{ok("the store is sound and goes by this configuration")}
	}
	return results
}

// permissions: the store is for root to write and for everybody to read, the rest is for root.
func (p *Patient) permissions() (results []Result) {
	dir := p.Config.Accounts.Directory
	for _, want := range []struct {
		path string
		must fs.FileMode // bits that have to be there
		not  fs.FileMode // bits that must not
	}{
		{dir, 0o755, 0o022},
		{path.Join(dir, "grants"), 0o700, 0o077},
		{"/var/cache/aad-login", 0o700, 0o077},
		{"/run/aad-login", 0o700, 0o077},
	} {
		info, err := fs.Stat(p.Files, want.path[1:])
		if err != nil {
			continue // it is made when it is needed
		}
		mode := info.Mode().Perm()
		if mode&want.must != want.must || mode&want.not != 0 {
			results = append(results, failedf(Machine, "%s has mode %04o", want.path, mode).
				run(fmt.Sprintf("chmod %04o %s", want.must, want.path)))
		}
		if owner, known := info.Sys().(*syscall.Stat_t); known && owner.Uid != 0 {
			wrong := failedf(Machine, "%s belongs to uid %d", want.path, owner.Uid)
			results = append(results, wrong.run("chown root: "+want.path))
		}
	}
	return results
}
