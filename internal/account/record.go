// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Flags of an entry and of the rules.
const (
	entryRetired = 1
	entryAdmin   = 2

	rulesShortNames = 1
)

const (
	entryHead   = 16
	rulesHead   = 20
	rulesMark   = 4
	sectionHead = 4
)

// errRecord is every damage to a record; the store adds which.
var errRecord = errors.New("malformed")

var little = binary.LittleEndian

// uidKey and parseKey use hexadecimal: the name service makes the key at each lookup, and decimal
// digits would cost as much time as the rest of the lookup.
func uidKey(prefix string, uid uint32) []byte {
	return fmt.Appendf([]byte(prefix), "%08x", uid)
}

func parseKey(s string) (uint32, bool) {
	uid, err := strconv.ParseUint(s, 16, 32)
	return uint32(uid), err == nil && string(uidKey("", uint32(uid))) == s
}

func objectKey(tid, oid string) []byte { return []byte("o" + tid + "/" + oid) }

// entry returns what the name service reads of an account, under one of its names.
func entry(a Account, name string, low uint32) []byte {
	flags := a.later.flags
	if !a.Removed.IsZero() || name != a.Name {
		flags |= entryRetired
	}
	groups := []uint32{low}
	if a.Admin {
		flags |= entryAdmin
		groups = append(groups, low+1)
	}
	groups = append(groups, a.Groups...)

	b := little.AppendUint32(nil, a.UID)
	head := []int{int(flags), len(groups), len(name), len(a.Gecos), len(a.Home), len(a.Shell)}
	for _, n := range head {
		b = little.AppendUint16(b, uint16(n))
	}
	for _, g := range groups {
		b = little.AppendUint32(b, g)
	}
	return a.later.sections.append(appendStrings(b, name, "*", a.Gecos, a.Home, a.Shell))
}

func appendStrings(b []byte, list ...string) []byte {
	for _, s := range list {
		b = append(append(b, s...), 0)
	}
	return b
}

// parsed is an entry taken apart.
type parsed struct {
	uid                      uint32
	retired, admin           bool
	groups                   []uint32 // without aad_users and aad_admins
	name, gecos, home, shell string
	later                    later // without members
}

func parseEntry(b []byte) (p parsed, err error) {
	if len(b) < entryHead {
		return p, errRecord
	}
	flags, groups := little.Uint16(b[4:]), int(little.Uint16(b[6:]))
	p.uid, p.retired, p.admin = little.Uint32(b), flags&entryRetired != 0, flags&entryAdmin != 0
	p.later.flags = flags &^ (entryRetired | entryAdmin)
	text := entryHead + 4*groups
	tail := text + len("\x00*\x00\x00\x00\x00")
	for i := range 4 {
		tail += int(little.Uint16(b[8+2*i:]))
	}
	implied := 1 // aad_users
	if p.admin {
		implied++
	}
	if len(b) < tail || groups < implied || p.uid < minID {
		return p, errRecord
	}
	for i := implied; i < groups; i++ {
		p.groups = append(p.groups, little.Uint32(b[entryHead+4*i:]))
	}
	if p.later.sections, err = parseSections(b[tail:]); err != nil {
		return p, err
	}
	fields := strings.Split(string(b[text:tail]), "\x00")
	if len(fields) != 6 || fields[1] != "*" || fields[5] != "" {
		return p, errRecord
	}
	p.name, p.gecos, p.home, p.shell = fields[0], fields[2], fields[3], fields[4]
	for i, s := range []string{p.name, p.gecos, p.home, p.shell} {
		if len(s) != int(little.Uint16(b[8+2*i:])) {
			return p, errRecord
		}
	}
	return p, nil
}

// more holds the fields that the name service does not need.
type more struct {
	UPN      string    `json:"upn"`
	TenantID string    `json:"tenant,omitempty"`
	ObjectID string    `json:"object,omitempty"`
	Former   []string  `json:"former,omitempty"`
	Created  time.Time `json:"created"`
	Locked   time.Time `json:"locked,omitzero"`
	Removed  time.Time `json:"removed,omitzero"`
	MovedTo  uint32    `json:"moved_to,omitempty"`
	MovedOf  string    `json:"moved_of,omitempty"`
}

// moreMembers are the JSON names of more's fields.
var moreMembers = []string{
	"upn", "tenant", "object", "former", "created", "locked", "removed", "moved_to", "moved_of",
}

// parseAccount joins an account's two records.
func parseAccount(entry, rest []byte) (Account, error) {
	p, err := parseEntry(entry)
	if err != nil {
		return Account{}, err
	}
	var m more
	if err := json.Unmarshal(rest, &m); err != nil {
		return Account{}, errRecord
	}
	if p.later.members, err = unknownMembers(rest, moreMembers); err != nil {
		return Account{}, err
	}
	a := Account{
		Name: p.name, UPN: m.UPN, UID: p.uid, Gecos: p.gecos, Home: p.home, Shell: p.shell,
		TenantID: m.TenantID, ObjectID: m.ObjectID, Admin: p.admin, Groups: p.groups,
		Former: m.Former, Created: m.Created, Locked: m.Locked, Removed: m.Removed,
		MovedTo: m.MovedTo, MovedOf: m.MovedOf,
		later: p.later,
	}
	if p.retired == a.Removed.IsZero() || a.check() != nil {
		return Account{}, errRecord
	}
	return a, nil
}

// records adds all records of an account, in the order of the store.
func records(a Account, low uint32, add func(key, value []byte) error) error {
	rest, err := json.Marshal(more{
		a.UPN, a.TenantID, a.ObjectID, a.Former,
		a.Created, a.Locked, a.Removed, a.MovedTo, a.MovedOf,
	})
	if err != nil {
		return fmt.Errorf("account: %s: %w", a.Name, err)
	}
	if err := add(uidKey("u", a.UID), entry(a, a.Name, low)); err != nil {
		return err
	}
	for _, name := range a.names() {
		if err := add([]byte("n"+name), entry(a, name, low)); err != nil {
			return err
		}
	}
	err = add(uidKey("a", a.UID), withMembers(rest, a.later.members))
	if err != nil || a.ObjectID == "" {
		return err
	}
	return add(objectKey(a.TenantID, a.ObjectID), uidKey("", a.UID))
}

// keys returns the keys of an account's records, in that order.
func keys(a Account) []string {
	list := []string{string(uidKey("u", a.UID))}
	for _, name := range a.names() {
		list = append(list, "n"+name)
	}
	list = append(list, string(uidKey("a", a.UID)))
	if a.ObjectID != "" {
		list = append(list, string(objectKey(a.TenantID, a.ObjectID)))
	}
	return list
}

// names returns the names that are this account's. An id that has moved has none: its names went
// with the account.
func (a Account) names() []string {
	if a.MovedTo != 0 {
		return nil
	}
	return append([]string{a.Name}, a.Former...)
}

// members returns the record of aad_admins.
func members(names []string) []byte {
	return appendStrings(little.AppendUint32(nil, uint32(len(names))), names...)
}

// membersSections returns the sections of that record.
func membersSections(b []byte) (sections, error) {
	if len(b) < 4 {
		return nil, errRecord
	}
	_, behind, ok := cutStrings(b[4:], int(little.Uint32(b)))
	if !ok {
		return nil, errRecord
	}
	return parseSections(behind)
}
