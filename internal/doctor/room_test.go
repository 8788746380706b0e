// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"syscall"
	"testing"

	"aadlogin/internal/config"
)

func TestRoom(t *testing.T) {
	for name, test := range map[string]struct {
		disk   syscall.Statfs_t
		size   int64
		status Status
		found  string
	}{
		"read-only": {syscall.Statfs_t{Flags: 0x21, Bsize: 4096, Blocks: 100, Bfree: 100}, 0,
			Failed, "mounted read-only"},
		"full": {syscall.Statfs_t{Bsize: 4096, Blocks: 100}, 0, Failed, "is full"},
		"too full for this store": {syscall.Statfs_t{Bsize: 4096, Blocks: 100, Bfree: 20},
			20 << 10, Failed, "is full"},
		"room for this store": {syscall.Statfs_t{Bsize: 4096, Blocks: 100, Bfree: 21},
			20 << 10, OK, "no finding"},
		"no more files": {syscall.Statfs_t{Bsize: 4096, Blocks: 100, Bfree: 90, Files: 9}, 0,
			Failed, "is full"},
		"counts no files": {syscall.Statfs_t{Bsize: 4096, Blocks: 100, Bfree: 90}, 0, OK,
			"no finding"},
		"counts no blocks": {syscall.Statfs_t{Bsize: 4096}, 0, OK, "no finding"},
	} {
		t.Run(name, func(t *testing.T) {
			findings := judgeRoom("/var/lib/aad-login", test.disk, test.size)
			if findings == nil {
				findings = []Finding{ok("no finding")}
			}
			expect(t, findings, test.status, test.found)
		})
	}
	c := &config.Config{}
	c.Accounts.Directory = t.TempDir()
	if findings := (&Host{Config: c}).room(); findings != nil {
		t.Errorf("%s", told(findings...))
	}
	c.Accounts.Directory += "/none"
	if findings := (&Host{Config: c}).room(); findings != nil {
		t.Errorf("%s", told(findings...))
	}
}
