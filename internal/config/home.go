// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"path"
	"strings"
)

func clean(p string) bool { return path.IsAbs(p) && path.Clean(p) == p && p != "/" }

// home is a template of home directories. Its first directory is fixed:
// with "/%l" the person etc@contoso.com would live in /etc.
func home(s string) (string, *problem) {
	const fix = `use %u (account name), %l (part before the @), %d (domain) and %%, such as "/home/%u"`
	if p := passwdField(s); p != nil {
		return "", p
	}
	plain, ok := strip(s)
	switch {
	case !ok:
		return "", wrong(quote(s)+" holds a % that means nothing", fix)
	case !clean(plain):
		return "", wrong(quote(s)+" is not a plain absolute path",
			`start it with / and leave out "..", "//" and a final /`)
	case !strings.Contains(plain, "\x00u") && !strings.Contains(plain, "\x00l"):
		return "", wrong(quote(s)+" is one directory for everybody", fix)
	case strings.Contains(strings.SplitN(plain, "/", 3)[1], "\x00"):
		return "", wrong(quote(s)+" puts homes beside the system's directories",
			`use a directory of their own, such as "/home/%u"`)
	}
	return s, nil
}

// strip marks the placeholders with a NUL, which no path holds, so that the
// rest can be looked at without counting percent signs.
func strip(template string) (marked string, ok bool) {
	ok = true
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		if template[i] != '%' {
			b.WriteByte(template[i])
			continue
		}
		if i++; i == len(template) {
			return "", false
		}
		switch verb := template[i]; verb {
		case '%':
			b.WriteByte('%')
		case 'u', 'l', 'd':
			b.WriteByte(0)
			b.WriteByte(verb)
		default:
			ok = false
		}
	}
	return b.String(), ok
}

// sharedHome refuses a template that could give one home to two people of
// different domains: alice of each domain with "%l", and with "%l.%d" also
// alice.b of c.com and alice of b.c.com. A / or @ between the two is in neither.
func sharedHome(template string, domains int) *problem {
	marked, _ := strip(template)
	if domains < 2 {
		return nil
	}
	for _, unique := range []string{"\x00u", "\x00l@\x00d", "\x00l/\x00d", "\x00d/\x00l"} {
		if strings.Contains(marked, unique) {
			return nil
		}
	}
	return wrong(quote(template)+" can be one directory for people of two domains",
		`with several domains use %u, %l@%d or %d/%l`)
}
