// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"maps"
	"slices"
)

func (r Rules) record() []byte {
	flags := r.laterFlags
	if r.ShortNames {
		flags |= rulesShortNames
	}
	b := []byte{'a', 'a', 'd', Format, 0, flags}
	b = little.AppendUint16(b, uint16(len(r.Domains)))
	b = little.AppendUint16(b, uint16(len(r.PreAuthServices)))
	b = little.AppendUint16(b, 0)
	b = little.AppendUint32(b, r.Low)
	b = little.AppendUint32(b, r.High)
	b = appendStrings(b, r.TenantID, r.Home, r.Shell)
	b = appendStrings(b, slices.Concat(r.Domains, r.PreAuthServices)...)
	return r.sections().append(b)
}

// The sections of the rules, by tag.
const signInServices = 1

func (r Rules) sections() sections {
	s := maps.Clone(r.later)
	if r.SignInServices != nil {
		if s == nil {
			s = sections{}
		}
		s[signInServices] = appendStrings(nil, r.SignInServices...)
	}
	return s
}

// takeSections reads the sections that this version knows, and keeps the others.
func (r *Rules) takeSections(s sections) error {
	if list, there := s[signInServices]; there {
		names, rest, ok := cutStrings(list, bytes.Count(list, []byte{0}))
		if !ok || len(rest) > 0 {
			return errRecord
		}
		r.SignInServices = append([]string{}, names...)
		delete(s, signInServices)
	}
	r.later = s
	return nil
}

// parseRules reads a rules record. format is the store's format if the record is one at all, so
// that the caller can tell a store of another version.
func parseRules(b []byte) (r Rules, format byte, err error) {
	if len(b) < 4 || string(b[:3]) != "aad" {
		return r, 0, errRecord
	}
	if format = b[3]; format != Format || len(b) < rulesHead {
		return r, format, errRecord
	}
	domains, services := int(little.Uint16(b[6:])), int(little.Uint16(b[8:]))
	r.ShortNames = b[5]&rulesShortNames != 0
	r.Low, r.High = little.Uint32(b[12:]), little.Uint32(b[16:])
	r.laterFlags = b[5] &^ rulesShortNames
	fields, rest, ok := cutStrings(b[rulesHead:], 3+domains+services)
	if !ok {
		return Rules{}, format, errRecord
	}
	all, err := parseSections(rest)
	if err == nil {
		err = r.takeSections(all)
	}
	if err != nil {
		return Rules{}, format, err
	}
	r.TenantID, r.Home, r.Shell = fields[0], fields[1], fields[2]
	r.Domains, r.PreAuthServices = fields[3:3+domains], fields[3+domains:3+domains+services]
	if r.check() != nil {
		return Rules{}, format, errRecord
	}
	return r, format, nil
}

// cutStrings takes n strings, each with its NUL, from the beginning of b.
func cutStrings(b []byte, n int) (list []string, rest []byte, ok bool) {
	for range n {
		s, behind, found := bytes.Cut(b, []byte{0})
		if !found {
			return nil, nil, false
		}
		list, b = append(list, string(s)), behind
	}
	return list, b, true
}
