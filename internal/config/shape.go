// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"regexp"
	"strings"
	"sync"
)

// The shapes of words. A worker reads the configuration in every sign-in, so
// what is in every configuration is compared byte by byte: compiling regular
// expressions for it took most of the worker's start. Those that few
// configurations need are compiled when they are needed.

const (
	lowers  = "abcdefghijklmnopqrstuvwxyz"
	uppers  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	letters = lowers + uppers
)

// spelt says whether s has 1 to most bytes, the first of them one of first and
// the others of rest.
func spelt(s, first, rest string, most int) bool {
	return s != "" && len(s) <= most && strings.IndexByte(first, s[0]) >= 0 &&
		strings.Trim(s[1:], rest) == ""
}

// isLabel: a part of a domain name, in lower case.
func isLabel(s string) bool {
	return spelt(s, lowers+digits, lowers+digits+"-", 63) && s[len(s)-1] != '-'
}

func isPlainName(s string) bool { return spelt(s, letters+digits+"_", letters+digits+"._-", 64) }

func isGroupName(s string) bool { return spelt(s, lowers+"_", lowers+digits+"_-", 32) }

func isScopeName(s string) bool { return spelt(s, letters+digits+"_", letters+digits+"._-", 120) }

func isBareKey(s string) bool { return s != "" && strings.Trim(s, letters+digits+"_-") == "" }

// identifierURI is the resource of a scope as an identifier URI of the scheme
// api, which may have segments behind its host.
var identifierURI = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^api://[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,127}){0,2}$`)
})

var armResource = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(
		`(?i)^/subscriptions/[0-9a-f-]{36}/resourceGroups/NAME/providers/NAME(/NAME/NAME){1,4}$`,
		"NAME", `[\p{L}\p{N}_()-][\p{L}\p{N}._()-]{0,89}`))
})
