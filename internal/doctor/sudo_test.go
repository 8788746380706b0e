// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"
)

// visudo is stricter than sudo. What visudo said is from sudo 1.9.13.
func TestSudoers(t *testing.T) {
	const (
		parsed = "/etc/sudoers: parsed OK\n"
		ours   = "/etc/sudoers.d/aad_admins: parsed OK\n"
		modes  = ": bad permissions, should be mode 0440\n"
	)
	for name, test := range map[string]struct {
		said   string
		fails  bool
		mode   fs.FileMode
		status Status
		found  string
	}{
		"in order": {parsed + ours, false, 0o440, OK, "sudoers is in order"},
		"a file that everybody may read": {
			"/etc/sudoers.d/site" + modes + parsed + ours, true, 0o644, OK, "sudoers is in order"},
		"ours may be read by everybody": {
			"/etc/sudoers.d/aad_admins" + modes + parsed, true, 0o644, OK, "sudoers is in order"},
		"a file that everybody may write": {
			"/etc/sudoers.d/site" + modes + parsed + ours, true, 0o646, Failed,
			"visudo -c: /etc/sudoers.d/site: bad permissions"},
		"a file that is not there": {
			"/etc/sudoers.d/gone" + modes + parsed + ours, true, 0o440, Failed,
			"visudo -c: /etc/sudoers.d/gone: bad permissions"},
		"another owner": {
			"/etc/sudoers.d/site: wrong owner (uid, gid) should be (0, 0)\n" + parsed + ours,
			true, 0o440, Failed, "visudo -c: /etc/sudoers.d/site: wrong owner"},
		"both": {
			"/etc/sudoers.d/site" + modes + "/etc/sudoers:1:3: syntax error\nno rule\n  ^~~~\n",
			true, 0o644, Failed, "visudo -c: /etc/sudoers:1:3: syntax error"},
		"a slash too many": {parsed + "/etc/sudoers.d//aad_admins: parsed OK\n", false, 0o440, OK,
			"sudoers is in order"},
		"a slash too many, and a mode": {
			"/etc/sudoers.d//site" + modes + parsed + "/etc/sudoers.d//aad_admins: parsed OK\n",
			true, 0o644, OK, "sudoers is in order"},
		"nothing said":      {"", true, 0o440, Failed, "visudo -c: it fails, and does not say why"},
		"killed at its end": {parsed, true, 0o440, Failed, "visudo -c: it fails, and does not say why"},
		"not included":      {parsed, false, 0o440, Failed, "does not include"},
	} {
		t.Run(name, func(t *testing.T) {
			h := host(t, nil, "")
			rule := []byte("%aad_admins ALL=(ALL) ALL\n")
			h.Files = fstest.MapFS{
				"usr/sbin/visudo":          {Mode: 0o755},
				"etc/sudoers.d/aad_admins": {Data: rule, Mode: test.mode},
				"etc/sudoers.d/site":       {Mode: test.mode},
			}
			h.Run = func(context.Context, string, ...string) (said string, err error) {
				if test.fails {
					err = errors.New("exit status 1")
				}
				return test.said, err
			}
			expect(t, h.sudo(t.Context()), test.status, test.found)
		})
	}
}

func TestSudoersRule(t *testing.T) {
	for text, want := range map[string]Status{
		"%aad_admins ALL=(ALL) ALL\n":                           OK,
		"Defaults:%aad_admins !targetpw # SUSE\n":               OK,
		"bob ALL=(#0) ALL\nUser_Alias A = %aad_admins # ours\n": OK,
		"# %aad_admins ALL=(ALL) ALL\n":                         Warning,
		"#%aad_admins ALL=(ALL) ALL\nbob ALL=(ALL) ALL\n":       Warning,
		"": Warning,
	} {
		h := host(t, nil, "")
		h.Files = fstest.MapFS{"usr/sbin/visudo": {Mode: 0o755},
			"etc/sudoers.d/aad_admins": {Data: []byte(text), Mode: 0o440}}
		h.Run = func(context.Context, string, ...string) (string, error) {
			return "/etc/sudoers.d/aad_admins: parsed OK\n", nil
		}
		expect(t, h.sudo(t.Context()), want, "aad_admins")
	}
}
