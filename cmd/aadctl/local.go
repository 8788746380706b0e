// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"aadlogin/internal/account"
)

// locals are the other accounts of this machine. /etc/passwd is read once,
// however many accounts are to be compared with it. Where the name service has
// sources besides, which need not list what they have, it is asked for each.
type locals struct {
	names  map[string]string // name: uid
	ids    map[string]string // uid: name
	groups map[string]string // name: gid
	ask    bool
}

func localAccounts() (*locals, error) { return localsBelow("/etc") }

func localsBelow(etc string) (*locals, error) {
	names, err := colonFile(etc + "/passwd")
	if err != nil {
		return nil, err
	}
	groups, err := colonFile(etc + "/group")
	if err != nil {
		return nil, err
	}
	l := &locals{names, make(map[string]string), groups, otherSources(etc + "/nsswitch.conf")}
	for name, id := range names {
		l.ids[id] = name
	}
	return l, nil
}

// colonFile reads passwd(5) or group(5): first and third field of each line.
func colonFile(path string) (map[string]string, error) {
	all := make(map[string]string)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24) // a group may have many members
	for lines.Scan() {
		if fields := strings.Split(lines.Text(), ":"); len(fields) > 2 {
			all[fields[0]] = fields[2]
		}
	}
	return all, lines.Err()
}

// otherSources reports whether passwd is looked up anywhere besides the file,
// our own module, and systemd's, whose ids and names are its own.
func otherSources(nsswitch string) bool {
	text, err := os.ReadFile(nsswitch)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		sources, ok := strings.CutPrefix(strings.TrimSpace(line), "passwd:")
		if !ok {
			continue
		}
		for _, source := range strings.Fields(sources) {
			if !strings.HasPrefix(source, "[") && !slices.Contains([]string{"files", "aad", "systemd"}, source) {
				return true
			}
		}
	}
	return false
}

// conflict refuses a name or id that another account of this machine has. Two
// names for one id own each other's files, and a local name always wins over
// ours; nobody could sign in whose name is that of a group.
func (l *locals) conflict(a account.Account) error {
	id := strconv.FormatUint(uint64(a.UID), 10)
	holder, uid := l.ids[id], l.names[a.Name]
	if l.ask {
		if u, err := user.LookupId(id); err == nil {
			holder = u.Username
		}
		if u, err := user.Lookup(a.Name); err == nil {
			uid = u.Uid
		}
	}
	switch {
	case holder != "" && holder != a.Name:
		return fmt.Errorf("%s: id %s is that of the local account %s", a.Name, id, holder)
	case uid != "" && uid != id:
		return fmt.Errorf("%s: a local account of this name has id %s", a.Name, uid)
	case l.groups[a.Name] != "":
		return fmt.Errorf("%s: a local group has this name", a.Name)
	}
	return nil
}
