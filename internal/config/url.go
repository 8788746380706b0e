// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// origin is a URL of scheme and host only (RFC 6454, Section 4). A path is
// refused rather than dropped: the programs add their own, with the tenant.
func origin(schemes ...string) func(string) (string, *problem) {
	example := schemes[0] + "://host.example"
	return func(s string) (string, *problem) {
		u, p := bareURL(s)
		if p != nil {
			return "", p
		}
		if !slices.Contains(schemes, u.Scheme) {
			return "", wrong(quote(s)+" is not "+strings.Join(schemes, " or "),
				"write it as "+example)
		}
		return u.Scheme + "://" + strings.ToLower(u.Host), nil
	}
}

// proxy must name its port: the defaults of programs differ (80, 1080, 3128).
func proxy(s string) (string, *problem) {
	const fix = "write it as http://host:port"
	u, p := bareURL(s)
	switch {
	case p != nil:
		return "", p
	case u.Scheme != "http" && u.Scheme != "https":
		return "", wrong(quote(s)+" is not http or https", fix)
	case u.Port() == "":
		return "", wrong(quote(s)+" has no port", fix)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func bareURL(s string) (*url.URL, *problem) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Opaque != "" || !host(u):
		return nil, wrong(quote(s)+" is not a URL",
			"write scheme and host, such as https://host.example")
	case u.User != nil:
		return nil, wrong("the URL holds a user name or password",
			"leave it out: this file is no place for secrets")
	case strings.Trim(u.Path, "/") != "" || strings.ContainsAny(s, "?#"):
		return nil, wrong(quote(s)+" is more than scheme and host",
			"leave out everything after the host and port")
	}
	return u, nil
}

// host says whether u's host is one that can be dialled; url.Parse lets much
// else pass.
func host(u *url.URL) bool {
	port := u.Port()
	n, err := strconv.ParseUint(port, 10, 16)
	if port == "" {
		if strings.HasSuffix(u.Host, ":") {
			return false
		}
	} else if err != nil || n == 0 {
		return false
	}
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune(".-:", r))
	}
	return u.Hostname() != "" && !strings.ContainsFunc(u.Hostname(), odd)
}
