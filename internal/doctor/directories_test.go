// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"io/fs"
	"syscall"
	"testing"
	"testing/fstest"
)

func TestPermissions(t *testing.T) {
	dir := func(mode fs.FileMode, uid uint32) *fstest.MapFile {
		return &fstest.MapFile{Mode: fs.ModeDir | mode, Sys: &syscall.Stat_t{Uid: uid}}
	}
	for what, c := range map[string]struct {
		dir            string
		mode           fs.FileMode
		uid            uint32
		found, command string
	}{
		"configuration": {"etc/aad-login", 0o775, 0, "/etc/aad-login has mode 0775",
			"chmod 0755 /etc/aad-login"},
		"private configuration": {"etc/aad-login", 0o770, 0, "/etc/aad-login has mode 0770",
			"chmod 0750 /etc/aad-login"},
		"store": {"var/lib/aad-login", 0o777, 0,
			"/var/lib/aad-login has mode 0777", "chmod 0755 /var/lib/aad-login"},
		"another's store": {"var/lib/aad-login", 0o755, 7,
			"/var/lib/aad-login belongs to uid 7", "chown root: /var/lib/aad-login"},
		"grants": {"var/lib/aad-login/grants", 0o755, 0,
			"/var/lib/aad-login/grants has mode 0755", "chmod 0700 /var/lib/aad-login/grants"},
		"cache": {"var/cache/aad-login", 0o755, 0,
			"/var/cache/aad-login has mode 0755", "chmod 0700 /var/cache/aad-login"},
		"run": {"run/aad-login", 0o700, 9, "/run/aad-login belongs to uid 9",
			"chown root: /run/aad-login"},
		"above the store": {"var/lib", 0o777, 0,
			"/var/lib has mode 0777: others than root can exchange /var/lib/aad-login",
			"chmod go-w /var/lib"},
		"another's, above": {"var", 0o755, 8, "/var belongs to uid 8", "chown root: /var"},
		"above the rest": {"etc", 0o757, 0,
			"/etc has mode 0757: others than root can exchange /etc/aad-login", "chmod go-w /etc"},
		"at the root": {".", 0o777, 0,
			"/ has mode 0777: others than root can exchange /etc/aad-login", "chmod go-w /"},
		"sticky":                 {"var/lib", 0o777 | fs.ModeSticky, 0, "", ""},
		"a configuration hidden": {"etc/aad-login", 0o700, 0, "", ""},
	} {
		t.Run(what, func(t *testing.T) {
			h := host(t, nil, "")
			h.Config.Accounts.Directory, h.ConfigPath = "/var/lib/aad-login",
				"/etc/aad-login/config.toml"
			files := fstest.MapFS{".": dir(0o755, 0)}
			for path, mode := range map[string]fs.FileMode{
				"etc": 0o755, "etc/aad-login": 0o755, "var": 0o755, "var/lib": 0o755,
				"var/lib/aad-login": 0o755, "var/cache": 0o755,
				"var/lib/aad-login/grants": 0o700, "var/cache/aad-login": 0o700,
				"run": 0o755, "run/aad-login": 0o700,
			} {
				files[path] = dir(mode, 0)
			}
			files[c.dir] = dir(c.mode, c.uid)
			h.Files = files
			findings := h.permissions()
			switch {
			case c.found == "" && findings != nil, c.found != "" && len(findings) != 1:
				t.Errorf("%+v", findings)
			case c.found != "" &&
				(findings[0].Found != c.found || findings[0].Command != c.command ||
					findings[0].Status != Failed):
				t.Errorf("%+v, want %s; %s", findings[0], c.found, c.command)
			}
		})
	}
}
