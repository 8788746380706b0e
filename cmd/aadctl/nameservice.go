// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io/fs"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"aadlogin/internal/account"
)

// besides returns the name service of this machine if it has sources besides the files in /etc, and
// otherwise nil.
func besides(etc fs.FS) account.NameService {
	text, err := fs.ReadFile(etc, "nsswitch.conf")
	n := nameService{users: otherSources(string(text), "passwd"),
		groups: otherSources(string(text), "group")}
	if err != nil && errors.Is(err, fs.ErrNotExist) ||
		err == nil && len(n.users)+len(n.groups) == 0 {
		return nil
	}
	return n
}

// otherSources returns the sources of users or groups besides the files, our own module, and
// systemd's, whose names and ids are reserved.
func otherSources(nsswitch, which string) (others []string) {
	for line := range strings.Lines(nsswitch) {
		line, _, _ = strings.Cut(line, "#")
		database, sources, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || database != which {
			continue
		}
		for _, source := range strings.Fields(sources) {
			if !strings.ContainsAny(source, "[]=") &&
				!slices.Contains([]string{"files", "aad", "systemd"}, source) {
				others = append(others, source)
			}
		}
	}
	return others
}

// A nameService asks getpwnam(3) and its relatives, which read the files each time.
type nameService struct{ users, groups []string } // its other sources

func (nameService) UID(name string) (uint32, bool) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, false
	}
	return parseID(u.Uid)
}

func (nameService) User(uid uint32) (string, bool) {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return "", false
	}
	return u.Username, true
}

func (nameService) GID(name string) (uint32, bool) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, false
	}
	return parseID(g.Gid)
}

func (nameService) Group(gid uint32) (string, bool) {
	g, err := user.LookupGroupId(strconv.FormatUint(uint64(gid), 10))
	if err != nil {
		return "", false
	}
	return g.Name, true
}

func parseID(s string) (uint32, bool) {
	id, err := strconv.ParseUint(s, 10, 32)
	return uint32(id), err == nil
}
