// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// Locals are the users and groups of /etc/passwd and /etc/group. Each file is read once, however
// many accounts are compared with it.
type Locals struct {
	uids, gids map[string]uint32   // by name
	homes      map[string]string   // by name
	users      map[uint32][]string // by uid
	groups     map[uint32][]string // by gid
	mains      map[uint32][]string // users by the gid of their primary group

	// Besides knows users and groups of other name services, which need not list what they have;
	// nil for none. A root process inside sshd sets none, because a name service may wait for a
	// network.
	Besides NameService
}

// A NameService looks up one name or id. It returns false if nobody has it.
type NameService interface {
	UID(user string) (uint32, bool)
	User(uid uint32) (string, bool)
	GID(group string) (uint32, bool)
	Group(gid uint32) (string, bool)
}

// A ConflictError says who has the name or id that an account was to get.
type ConflictError struct {
	Account string
	Problem string // "id 4242 is that of the local group docker2"
}

func (e *ConflictError) Error() string { return "account: " + e.Account + ": " + e.Problem }

// ReadLocals reads the files in /etc. A file that is not there counts as empty.
func ReadLocals(etc fs.FS) (*Locals, error) {
	l := &Locals{
		uids:   make(map[string]uint32),
		gids:   make(map[string]uint32),
		homes:  make(map[string]string),
		users:  make(map[uint32][]string),
		groups: make(map[uint32][]string),
		mains:  make(map[uint32][]string),
	}
	err := colonFile(etc, "passwd", 4, func(fields []string) {
		if uid, ok := parseLocalID(fields[2]); ok {
			l.uids[fields[0]], l.users[uid] = uid, append(l.users[uid], fields[0])
		}
		if gid, ok := parseLocalID(fields[3]); ok {
			l.mains[gid] = append(l.mains[gid], fields[0])
		}
		if len(fields) > 5 {
			l.homes[fields[0]] = fields[5]
		}
	})
	if err != nil {
		return nil, err
	}
	err = colonFile(etc, "group", 3, func(fields []string) {
		if gid, ok := parseLocalID(fields[2]); ok {
			l.gids[fields[0]], l.groups[gid] = gid, append(l.groups[gid], fields[0])
		}
	})
	return l, err
}

// colonFile reads the lines of passwd(5) or group(5) that have at least so many fields.
func colonFile(etc fs.FS, file string, least int, take func(fields []string)) error {
	f, err := etc.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("account: /etc/%s: %w", file, err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24) // a group may have many members
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		fields := strings.Split(text, ":")
		if len(fields) >= least && !strings.HasPrefix(text, "#") {
			take(fields)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("account: /etc/%s: %w", file, err)
	}
	return nil
}

// parseLocalID accepts leading zeros, as the C library does.
func parseLocalID(s string) (uint32, bool) {
	id, err := strconv.ParseUint(s, 10, 32)
	return uint32(id), err == nil
}

// Conflict refuses, with *ConflictError, a name or id that somebody else on this machine has. Two
// names with one id own each other's files, and each uid is also the gid of a private group. A
// local name always wins over an account's, and an account with the name of a group could not sign
// in. The same name with the same id is one user in two places, and is allowed.
func (l *Locals) Conflict(a Account) error {
	if problem := l.idConflict(a); problem != "" {
		return &ConflictError{a.Name, problem}
	}
	return l.NameConflict(a)
}

// NameConflict is Conflict for an account that has its id already.
func (l *Locals) NameConflict(a Account) error {
	if problem := l.nameConflict(a); problem != "" {
		return &ConflictError{a.Name, problem}
	}
	return nil
}

func (l *Locals) idConflict(a Account) string {
	if holder := l.holder(a.UID, a.Name); holder != "" {
		return fmt.Sprintf("id %d is that of %s", a.UID, holder)
	}
	return ""
}

// holder says in words who has an id as uid or gid. It ignores whoever is called name, and returns
// "" if nobody else has the id.
func (l *Locals) holder(id uint32, name string) string {
	users, groups := l.users[id], l.groups[id]
	if l.Besides != nil {
		if user, ok := l.Besides.User(id); ok {
			users = append(slices.Clone(users), user)
		}
		if group, ok := l.Besides.Group(id); ok {
			groups = append(slices.Clone(groups), group)
		}
	}
	for _, c := range []struct {
		holders []string
		what    string
	}{
		{users, "the local account"},
		{groups, "the local group"},
		{l.mains[id], "the group of the local account"},
	} {
		for _, holder := range c.holders {
			if holder != name {
				return c.what + " " + holder
			}
		}
	}
	return ""
}

// Between describes the local users and groups with ids in a range. A first sign-in is refused if
// its name leads to such an id.
func (l *Locals) Between(low, high uint32) (all []string) {
	for what, ids := range map[string]map[string]uint32{"account ": l.uids, "group ": l.gids} {
		for name, id := range ids {
			if id >= low && id <= high {
				all = append(all, fmt.Sprintf("%s%s (%d)", what, name, id))
			}
		}
	}
	slices.Sort(all)
	return all
}

func (l *Locals) nameConflict(a Account) string {
	uid, user := l.uids[a.Name]
	_, group := l.gids[a.Name]
	if l.Besides != nil && !user {
		uid, user = l.Besides.UID(a.Name)
	}
	if l.Besides != nil && !group {
		_, group = l.Besides.GID(a.Name)
	}
	switch {
	case user && uid != a.UID:
		return fmt.Sprintf("a local account of this name has id %d", uid)
	case group:
		return "a local group has this name"
	}
	return ""
}
