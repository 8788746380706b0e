// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import "strings"

// A lookup finds principals and members quickly in a directory of thousands.
type lookup struct {
	principals map[string]principal       // by name and object id, lower case
	members    map[string]map[string]bool // object ids by that of the group
}

func newLookup(d *Directory) *lookup {
	l := &lookup{make(map[string]principal), make(map[string]map[string]bool)}
	for _, p := range d.principals() {
		for _, key := range []string{p.name, p.oid} {
			if key = strings.ToLower(key); l.principals[key] == (principal{}) {
				l.principals[key] = p
			}
		}
	}
	for _, g := range d.Groups {
		direct := make(map[string]bool)
		for _, m := range g.Members {
			if p, ok := l.principals[strings.ToLower(m)]; ok {
				direct[strings.ToLower(p.oid)] = true
			}
		}
		l.members[strings.ToLower(g.ObjectID)] = direct
	}
	return l
}

// lookup returns the directory's index. It makes a new one for a directory that no server serves.
func (d *Directory) lookup() *lookup {
	if d.known != nil {
		return d.known
	}
	return newLookup(d)
}
