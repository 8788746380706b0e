// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"
)

// later holds what a later version of this software has stored with an account and this version
// does not know. It is written again as it was read.
type later struct {
	flags    uint16                     // of the entry
	sections sections                   // of the entry
	members  map[string]json.RawMessage // of the "a" record
}

// sections are the end of a record, by tag. Everything added to a record after its first version is
// in one of them.
type sections map[uint16][]byte

// append writes the sections in the order of their tags.
func (s sections) append(b []byte) []byte {
	for _, tag := range slices.Sorted(maps.Keys(s)) {
		b = little.AppendUint16(b, tag)
		b = little.AppendUint16(b, uint16(len(s[tag])))
		b = append(b, s[tag]...)
	}
	return b
}

// parseSections reads b to its end. It returns nil if b is empty. nss/record.c does the same.
func parseSections(b []byte) (sections, error) {
	if len(b) == 0 {
		return nil, nil
	}
	s, last := sections{}, -1
	for len(b) > 0 {
		if len(b) < sectionHead {
			return nil, errRecord
		}
		tag, n := little.Uint16(b), sectionHead+int(little.Uint16(b[2:]))
		if int(tag) <= last || n > len(b) {
			return nil, errRecord
		}
		s[tag], last = bytes.Clone(b[sectionHead:n]), int(tag)
		b = b[n:]
	}
	return s, nil
}

// withMembers adds members to a JSON object that is not empty.
func withMembers(object []byte, members map[string]json.RawMessage) []byte {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		quoted, _ := json.Marshal(name) // a string always marshals
		open := object[:len(object)-1]
		object = slices.Concat(open, []byte{','}, quoted, []byte{':'}, members[name], []byte{'}'})
	}
	return object
}

// unknownMembers returns the members of an object that are not known. A name that differs from a
// known one only in case is damage, because package json would take it for that one.
func unknownMembers(object []byte, known []string) (map[string]json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(object, &all); err != nil {
		return nil, errRecord
	}
	for _, name := range known {
		delete(all, name)
	}
	for name := range all {
		if slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) }) {
			return nil, errRecord
		}
	}
	return all, nil
}

// isKnown reports whether this version writes records of this kind.
func isKnown(key []byte) bool {
	switch key[0] {
	case 'u', 'n', 'a', 'o':
		return true
	}
	return string(key) == "r" || string(key) == "g"+AdminsGroup
}

// known yields the records of a store that this version knows.
func (s *Snapshot) known() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for key, value := range s.db.All() {
			if len(key) > 0 && !isKnown(key) {
				continue
			}
			if !yield(key, value) {
				return
			}
		}
	}
}
