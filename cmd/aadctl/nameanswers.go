// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"aadlogin/internal/account"
)

// answers are the replies of the other sources about many accounts. They are asked for together and
// without the files: with a large /etc/passwd, each single lookup would read all of it.
type answers struct {
	nameService // for names that were not asked about
	asked       map[string]bool
	users       map[string]uint32
	groups      map[string]uint32
	userOf      map[uint32]string
	groupOf     map[uint32]string
}

// about asks for the names and ids of accounts. If that fails, they are asked for one by one.
func (n nameService) about(accounts []account.Account) account.NameService {
	a := answers{
		nameService: n, asked: make(map[string]bool),
		users: make(map[string]uint32), groups: make(map[string]uint32),
		userOf: make(map[uint32]string), groupOf: make(map[uint32]string),
	}
	for each := range slices.Chunk(accounts, 500) {
		var keys []string
		for _, account := range each {
			keys = append(keys, account.Name, strconv.FormatUint(uint64(account.UID), 10))
		}
		if a.ask("passwd", n.users, keys, a.users, a.userOf) != nil ||
			a.ask("group", n.groups, keys, a.groups, a.groupOf) != nil {
			return n
		}
		for _, key := range keys {
			a.asked[key] = true
		}
	}
	return a
}

// ask parses the lines of passwd(5) or group(5) that getent(1) prints.
func (a answers) ask(database string, sources, keys []string, ids map[string]uint32,
	names map[uint32]string) error {
	if len(sources) == 0 {
		return nil
	}
	out, err := exec.Command("getent", append([]string{"-s", strings.Join(sources, " "), database},
		keys...)...).Output()
	const someNotFound = 2
	if exit := (*exec.ExitError)(nil); err != nil &&
		(!errors.As(err, &exit) || exit.ExitCode() != someNotFound) {
		return err
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.SplitN(line, ":", 4)
		if len(fields) < 4 {
			continue
		}
		if id, ok := parseID(fields[2]); ok {
			ids[fields[0]], names[id] = id, fields[0]
		}
	}
	return nil
}

func (a answers) UID(name string) (uint32, bool) {
	if !a.asked[name] {
		return a.nameService.UID(name)
	}
	id, ok := a.users[name]
	return id, ok
}

func (a answers) User(uid uint32) (string, bool) {
	if !a.asked[strconv.FormatUint(uint64(uid), 10)] {
		return a.nameService.User(uid)
	}
	name, ok := a.userOf[uid]
	return name, ok
}

func (a answers) GID(name string) (uint32, bool) {
	if !a.asked[name] {
		return a.nameService.GID(name)
	}
	id, ok := a.groups[name]
	return id, ok
}

func (a answers) Group(gid uint32) (string, bool) {
	if !a.asked[strconv.FormatUint(uint64(gid), 10)] {
		return a.nameService.Group(gid)
	}
	name, ok := a.groupOf[gid]
	return name, ok
}
