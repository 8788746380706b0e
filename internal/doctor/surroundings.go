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

func (h *Host) read(file string) (string, error) {
	text, err := fs.ReadFile(h.Files, strings.TrimPrefix(path.Clean(file), "/"))
	return string(text), err
}

// glob returns absolute names.
func (h *Host) glob(pattern string) (files []string) {
	found, _ := fs.Glob(h.Files, pattern)
	for _, file := range found {
		files = append(files, "/"+file)
	}
	return files
}

func (h *Host) exists(file string) bool {
	_, err := fs.Stat(h.Files, strings.TrimPrefix(path.Clean(file), "/"))
	return err == nil
}

// nscd checks whether nscd caches users or groups. It answers instead of the name service, and
// learns of a new account too late.
func (h *Host) nscd(ctx context.Context) []Finding {
	if !h.exists("run/nscd/socket") {
		return []Finding{ok("nscd is not running")}
	}
	if _, err := h.Run(ctx, "nscd", "-g"); err != nil {
		return []Finding{ok("nscd is not running")}
	}
	text, _ := h.read("etc/nscd.conf")
	kept := nscdKeeps(text)
	if len(kept) == 0 {
		return []Finding{ok("nscd leaves users and groups alone")}
	}
	var edits []string
	for _, database := range kept {
		edits = append(edits, fmt.Sprintf(`s/^\s*enable-cache\s+%s\s.*/enable-cache %s no/`,
			database, database))
	}
	service := "nscd"
	if h.exists("etc/init.d/unscd") || h.exists("lib/systemd/system/unscd.service") ||
		h.exists("usr/lib/systemd/system/unscd.service") {
		service = "unscd" // another program with the same socket
	}
	found := service + " answers for " + strings.Join(kept, " and ") +
		", and knows neither first sign-ins nor our groups"
	return []Finding{failed(Machine, found).
		fix("then restart it: systemctl restart " + service).
		run("sed -Ei '" + strings.Join(edits, "; ") + "' /etc/nscd.conf")}
}

// nscdKeeps returns the databases that nscd.conf(5) switches on. The last line for each counts.
func nscdKeeps(text string) (kept []string) {
	on := map[string]bool{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) == 3 && words[0] == "enable-cache" {
			on[words[1]] = words[2] == "yes"
		}
	}
	return slices.DeleteFunc([]string{"passwd", "group"},
		func(database string) bool { return !on[database] })
}

const sudoersFile = "/etc/sudoers.d/aad_admins"

// sudo asks visudo, which lists the files that count. sudo ignores a file with a dot in its name,
// and a file that nothing includes.
func (h *Host) sudo(ctx context.Context) []Finding {
	if !h.exists("/usr/sbin/visudo") {
		return []Finding{skipped("sudo is not installed")}
	}
	said, err := h.Run(ctx, "/usr/sbin/visudo", "-c")
	if fault := h.sudoersFault(said); err != nil && fault != "" {
		return []Finding{failed(Machine, "visudo -c: "+fault).
			fix("sudo leaves out what is wrong there, or refuses everybody").run("visudo")}
	}
	text, err := h.read(sudoersFile)
	switch {
	case err != nil:
		found := sudoersFile +
			" is missing: administrators may sign in, but not use sudo, unless another file " +
			"lets them"
		return []Finding{warning(found).
			run(fmt.Sprintf("echo '%%%s ALL=(ALL) ALL' >%s && chmod 440 %s", account.AdminsGroup,
				sudoersFile, sudoersFile))}
	case !parses(said, sudoersFile):
		return []Finding{failed(Machine, "/etc/sudoers does not include "+sudoersFile).
			run("echo '@includedir /etc/sudoers.d' >>/etc/sudoers && visudo -cf /etc/sudoers")}
	case !rulesFor(text, "%"+account.AdminsGroup):
		return []Finding{warning(sudoersFile + " says nothing about the group " +
			account.AdminsGroup)}
	}
	return []Finding{ok("sudoers is in order and counts on the group %s", account.AdminsGroup)}
}

// rulesFor reports whether a line of sudoers that is no comment has this word.
func rulesFor(text, word string) bool {
	for line := range strings.Lines(text) {
		if line, _, _ = strings.Cut(line, "#"); strings.Contains(line, word) {
			return true
		}
	}
	return false
}

// parses reports whether visudo names this file. It spells the path as @includedir does, which may
// have a slash too many.
func parses(said, file string) bool {
	for line := range strings.Lines(said) {
		if named, _, told := strings.Cut(line, ": "); told && path.Clean(named) == file {
			return true
		}
	}
	return false
}

// sudoersFault returns the first complaint of visudo that sudo shares. visudo wants the mode 0440,
// but a file that everybody may read (0644, as "echo … >" makes it) counts for sudo.
func (h *Host) sudoersFault(said string) string {
	fault := "it fails, and does not say why"
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if strings.HasSuffix(line, ": parsed OK") {
			continue
		}
		file, ok := strings.CutSuffix(line, ": bad permissions, should be mode 0440")
		info, err := fs.Stat(h.Files, strings.TrimPrefix(path.Clean(file), "/"))
		if !ok || err != nil || info.Mode().Perm()&0o022 != 0 {
			return line
		}
		fault = ""
	}
	return fault
}

// groups finds names in accounts.groups that are no local group.
func (h *Host) groups(context.Context) (findings []Finding) {
	if len(h.Config.Accounts.Groups) == 0 {
		return []Finding{ok("no Entra group stands for a local one")}
	}
	text, err := h.read("etc/group")
	if err != nil {
		return []Finding{failed(Machine, err.Error()).run("ls -l /etc/group")}
	}
	var names []string
	for _, name := range h.Config.Accounts.Groups {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if !strings.HasPrefix(text, name+":") && !strings.Contains(text, "\n"+name+":") {
			missing := failed(Configuration, "accounts.groups names "+name+
				", which is no group in /etc/group")
			findings = append(findings, missing.run("groupadd "+name))
		}
	}
	if findings == nil {
		findings = []Finding{ok("the groups of accounts.groups are there")}
	}
	return findings
}
