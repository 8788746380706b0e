// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strings"

	"aadlogin/internal/guid"
)

// The checks of single values. Each returns the value in the one spelling that
// the rest of the program compares with.

// optional lets a key be empty, which means what leaving it out means.
func optional(parse func(string) (string, *problem)) func(string) (string, *problem) {
	return func(s string) (string, *problem) {
		if s == "" {
			return "", nil
		}
		return parse(s)
	}
}

func oneOf(words ...string) func(string) (string, *problem) {
	return func(s string) (string, *problem) {
		if !slices.Contains(words, s) {
			return "", wrong(quote(s)+" is not a choice", "use one of "+strings.Join(words, ", "))
		}
		return s, nil
	}
}

func guidText(s string) (string, *problem) {
	const zero = "00000000-0000-0000-0000-000000000000"
	lower := strings.ToLower(s)
	if !guid.Is(lower) {
		return "", wrong(quote(s)+" is not a GUID",
			"copy the ID from the Entra admin center: 32 hexadecimal digits in groups of 8-4-4-4-12")
	}
	if lower == zero {
		return "", wrong("is still the placeholder "+zero,
			"copy the ID from the Entra admin center")
	}
	return lower, nil
}

// tenant is a GUID other than that of personal Microsoft accounts: anybody can
// open one of those, so being in that "tenant" proves nothing.
func tenant(s string) (string, *problem) {
	id, p := guidText(s)
	if id == guid.Consumers {
		return "", wrong("is the tenant of personal Microsoft accounts, which anybody may open",
			"use the ID of your organisation's tenant")
	}
	return id, p
}

// domain is a DNS name (RFC 1123, Section 2.1) of at least two labels, the last
// not a number, so that no IP address passes. A user name has at most 113 bytes,
// two of them before the domain.
func domain(s string) (string, *problem) {
	const fix = `write it as in user names after the @, such as "contoso.com"; international names in their xn-- form`
	lower := strings.ToLower(s)
	labels := strings.Split(lower, ".")
	ok := len(lower) <= 111 && len(labels) >= 2 &&
		strings.Trim(labels[len(labels)-1], "0123456789") != ""
	for _, label := range labels {
		ok = ok && isLabel(label)
	}
	if !ok {
		return "", wrong(quote(s)+" is not a domain name", fix)
	}
	return lower, nil
}

// basename is the name of an executable or of a PAM service.
func basename(s string) (string, *problem) {
	if !isPlainName(s) {
		return "", wrong(quote(s)+" is not a plain file name",
			`leave out the directory: "sshd", not "/usr/sbin/sshd"`)
	}
	return s, nil
}

// service is the name of a PAM service, which libpam makes lower case.
func service(s string) (string, *problem) {
	if !isPlainName(s) {
		return "", wrong(quote(s)+" is not the name of a PAM service",
			`write it as the file in /etc/pam.d is called: "cockpit"`)
	}
	return strings.ToLower(s), nil
}

// groupName is what groupadd accepts by default.
func groupName(s string) (string, *problem) {
	if !isGroupName(s) {
		return "", wrong(quote(s)+" is not a group name",
			"use lower-case letters, digits, _ and -, at most 32")
	}
	return s, nil
}

// resourceID is an ARM resource id. It becomes part of a URL's path, so nothing
// that a URL gives a meaning may be in it.
func resourceID(s string) (string, *problem) {
	if !armResource().MatchString(s) {
		return "", wrong(quote(s)+" is not a resource id",
			"copy it from the portal's JSON view: "+
				"/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/virtualMachines/…")
	}
	return s, nil
}

// absolutePath is a path without "..", "//" or a final slash, and without what
// would break a line of passwd(5).
func absolutePath(s string) (string, *problem) {
	if p := passwdField(s); p != nil {
		return "", p
	}
	if !clean(s) {
		return "", wrong(quote(s)+" is not a plain absolute path",
			`start it with / and leave out "..", "//" and a final /`)
	}
	return s, nil
}

func passwdField(s string) *problem {
	const most = 255
	bad := func(r rune) bool { return r < ' ' || r == ':' || r == 0x7f }
	switch {
	case len(s) > most:
		return wrong(fmt.Sprintf("is %d bytes long", len(s)), fmt.Sprintf("use at most %d", most))
	case strings.ContainsFunc(s, bad):
		return wrong(quote(s)+" holds a colon or a control character", "leave those out")
	default:
		return nil
	}
}
