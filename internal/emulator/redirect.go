// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"net/url"
	"slices"
)

// A platform is the kind of client that a redirect address is registered for. It decides how a code
// that was sent there may be redeemed.
// https://learn.microsoft.com/entra/identity-platform/reply-url
type platform string

// These are the platforms, by their keys in the file.
const (
	spa          platform = "spa"
	publicClient platform = "public_client"
	web          platform = "web"
)

// app returns the kind of client that policies see.
func (p platform) app() string {
	if p == publicClient {
		return "mobile-and-desktop"
	}
	return "browser"
}

// addresses returns the addresses of one platform.
func (r Registration) addresses(p platform) []string {
	return map[platform][]string{spa: r.SPA, publicClient: r.PublicClient, web: r.Web}[p]
}

// platformOf finds the platform of a registered redirect address, or returns "".
func (r Registration) platformOf(address string) platform {
	for _, p := range []platform{spa, publicClient, web} {
		if slices.ContainsFunc(r.addresses(p), func(known string) bool {
			return sameAddress(known, address)
		}) {
			return p
		}
	}
	return ""
}

// sameAddress compares character by character, except the port of an address on loopback: programs
// there take any free port. RFC 8252, Section 7.3.
func sameAddress(known, asked string) bool {
	return known == asked || withoutPort(known) == withoutPort(asked)
}

// withoutPort removes the port from an address on loopback. It leaves any other address alone.
func withoutPort(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || !isLoopback(u.Hostname()) || u.User != nil {
		return address
	}
	u.Host = u.Hostname()
	return u.String()
}

func isLoopback(host string) bool { return host == "localhost" || host == "127.0.0.1" }

// addressProblem finds a redirect address that Entra ID would not register.
func (r Registration) addressProblem() (key, sentence string) {
	var seen []string
	for _, p := range []platform{spa, publicClient, web} {
		for _, address := range r.addresses(p) {
			at := "registration." + string(p)
			u, err := url.Parse(address)
			switch {
			case err != nil || u.Scheme == "" || u.Fragment != "" || len(address) > 256:
				return at, fmt.Sprintf("%q: a redirect address is absolute, has no fragment and "+
					"at most 256 characters", address)
			case p == publicClient && u.Scheme != "http":
			case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) ||
				u.Host == "":
				return at, fmt.Sprintf("%q: a redirect address is one of https, or of http on "+
					"localhost or 127.0.0.1", address)
			}
			if slices.ContainsFunc(seen, func(other string) bool {
				return sameAddress(other, address)
			}) {
				return at, fmt.Sprintf("%q: one address is registered once, for one platform",
					address)
			}
			seen = append(seen, address)
		}
	}
	return "", ""
}
