// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// A distribution is this one, as os-release(5) describes it.
type distribution struct{ id, version, pretty string }

func (h host) distribution() (distribution, error) {
	for _, name := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		text, err := readSome(h.path(name))
		if err == nil {
			return parseOSRelease(text), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return distribution{}, err
		}
	}
	// Before version 7, Red Hat and CentOS have only this line.
	text, err := readSome(h.path("/etc/redhat-release"))
	if err != nil {
		return distribution{}, nil
	}
	return parseRedHatRelease(text), nil
}

func parseOSRelease(text []byte) (d distribution) {
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = printable(unquote(value))
		switch key {
		case "ID":
			d.id = value
		case "VERSION_ID":
			d.version = value
		case "PRETTY_NAME":
			d.pretty = value
		}
	}
	return d
}

// unquote removes the shell's quotes. The values that are read here contain no other shell syntax.
func unquote(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

func parseRedHatRelease(text []byte) distribution {
	line := printable(strings.TrimSpace(string(text)))
	d := distribution{id: "rhel", pretty: line}
	if strings.HasPrefix(line, "CentOS") {
		d.id = "centos"
	}
	if _, after, ok := strings.Cut(line, " release "); ok {
		d.version, _, _ = strings.Cut(after, " ")
	}
	return d
}

// supported are the versions that the packages are made for. With year, the month counts in
// comparisons (20.04). Otherwise only the number before the dot counts.
var supported = map[string]struct {
	name        string
	first, last string
	year        bool
}{
	"debian":        {"Debian", "11", "13", false},
	"ubuntu":        {"Ubuntu", "20.04", "26.04", true},
	"rhel":          {"Red Hat Enterprise Linux", "8", "10", false},
	"almalinux":     {"AlmaLinux", "8", "10", false},
	"rocky":         {"Rocky Linux", "8", "10", false},
	"ol":            {"Oracle Linux", "8", "10", false},
	"sles":          {"SUSE Linux Enterprise Server", "15", "16", false},
	"sles_sap":      {"SUSE Linux Enterprise Server for SAP", "15", "16", false},
	"opensuse-leap": {"openSUSE Leap", "15", "16", false},
	"azurelinux":    {"Azure Linux", "3", "3", false},
}

// instead has the advice for distributions that are out of support or have another name. Some of
// them were supported by the preview.
var instead = map[string]string{
	"centos": "CentOS has come to its end; AlmaLinux, Rocky Linux and Red Hat Enterprise Linux " +
		"8 to 10 take its place.",
	"opensuse": "openSUSE before Leap 15 has come to its end; move to Leap 15 or 16.",
	"mariner":  "CBL-Mariner has come to its end; move to Azure Linux 3.",
}

const everything = "Supported are Debian 11 to 13, Ubuntu 20.04 to 26.04, Red Hat Enterprise " +
	"Linux, AlmaLinux, Rocky Linux and Oracle Linux 8 to 10, SUSE Linux Enterprise Server and " +
	"openSUSE Leap 15 and 16, and Azure Linux 3."

// judge returns the name of a supported distribution. For another one, the error says what to use
// instead.
func (d distribution) judge() (string, error) {
	found := cmp.Or(d.pretty, strings.TrimSpace(d.id+" "+d.version),
		"a system without /etc/os-release")
	no := func(why string) error {
		return &failure{exitUnsupported, found + " is not supported.",
			why + " Nothing has been changed."}
	}
	s, known := supported[d.id]
	if !known {
		return "", no(cmp.Or(instead[d.id], fmt.Sprintf("It calls itself ID=%q VERSION_ID=%q. %s",
			d.id, d.version, everything)))
	}
	version, ok := number(d.version, s.year)
	first, _ := number(s.first, s.year)
	last, _ := number(s.last, s.year)
	switch {
	case !ok:
		return "", no(fmt.Sprintf("It gives no version that can be read (VERSION_ID=%q). %s",
			d.version, everything))
	case version < first:
		return "", no(fmt.Sprintf("It has come to its end, and its glibc, PAM or sshd are too "+
			"old for the package; move to %s %s to %s.", s.name, s.first, s.last))
	case version > last:
		return "", no(fmt.Sprintf("This version of the extension knows %s up to %s; see whether "+
			"there is a newer one.", s.name, s.last))
	}
	return found, nil
}

// number returns 12 for "12" and "12.4", and with year 2404 for "24.04".
func number(version string, year bool) (int, bool) {
	major, minor, _ := strings.Cut(version, ".")
	n, err := strconv.ParseUint(major, 10, 16)
	if err != nil || !year {
		return int(n), err == nil
	}
	month, err := strconv.ParseUint(minor, 10, 16)
	return int(n*100 + month), err == nil && len(minor) == 2
}

// rpm reports whether the distribution's packages are RPMs.
func (d distribution) rpm() bool { return d.id != "debian" && d.id != "ubuntu" }
