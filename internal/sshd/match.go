// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package sshd

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Match is OpenSSH's match_pattern(): * stands for any characters, ? for any single one. Nothing
// else is special.
func Match(pattern, s string) bool {
	star, resume := -1, 0 // the last *, and where the text behind it was tried last
	i, p := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			resume++
			p, i = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// A Version is the version of an sshd, as far as its patterns differ.
type Version struct{ Major, Minor int }

// versionText is compiled on first use, because a worker reads no version.
var versionText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`OpenSSH_(\d{1,4})\.(\d{1,4})`)
})

// VersionIn finds the version in the output of "sshd -V". An older sshd does not know -V, and names
// its version in the error. The zero Version is older than all others.
func VersionIn(said string) (v Version) {
	if found := versionText().FindStringSubmatch(said); found != nil {
		v.Major, _ = strconv.Atoi(found[1])
		v.Minor, _ = strconv.Atoi(found[2])
	}
	return v
}

// Before reports whether v is older than major.minor.
func (v Version) Before(major, minor int) bool {
	return v.Major < major || v.Major == major && v.Minor < minor
}

// Cut splits a pattern of AllowUsers or DenyUsers into USER and HOST. It splits at the first @, and
// for OpenSSH 9.9 and later at the last. So a pattern with a single @ never matches a name with an
// @.
func (v Version) Cut(pattern string) (user, hosts string, both bool) {
	at := strings.IndexByte(pattern, '@')
	if !v.Before(9, 9) {
		at = strings.LastIndexByte(pattern, '@')
	}
	if at < 0 {
		return pattern, "", false
	}
	return pattern[:at], pattern[at+1:], true
}

// A From says from which hosts a pattern matches.
type From string

const (
	Nowhere    From = "nowhere"
	Everywhere From = "everywhere"
	// Any other value is a list of hosts, as written.
)

// User is match_user() for a person whose address is not known yet. It returns from where pattern
// matches name.
func (v Version) User(pattern, name string) From {
	user, hosts, both := v.Cut(pattern)
	switch {
	case !Match(user, name):
		return Nowhere
	case !both:
		return Everywhere
	}
	return from(hosts)
}

// from judges a list of hosts. A list that consists only of exceptions never matches.
func from(hosts string) From {
	everywhere, somewhere, excepts := false, false, false
	for host := range strings.SplitSeq(hosts, ",") {
		switch {
		case strings.HasPrefix(host, "!"):
			excepts = true
		case host != "" && strings.Trim(host, "*") == "":
			everywhere = true
		default:
			somewhere = true
		}
	}
	switch {
	case everywhere && !excepts:
		return Everywhere
	case everywhere || somewhere:
		return From(hosts)
	}
	return Nowhere
}
