// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"net/url"
	"strings"
)

// The ways in.
const (
	DeviceCode = "device-code"
	Browser    = "browser"
)

// What the sign-in page gives to be pasted: the ID token, or the authorization code.
const (
	TokenAnswer = "token"
	CodeAnswer  = "code"
)

const (
	maxPage = 120 // it is a part of an address that people copy from a terminal
	pageFix = `write it as it is registered, such as "https://signin.contoso.com/"`
)

// page checks the address of the sign-in page. The page gives Entra ID its own address as its
// browser has it, and Entra ID compares that with the registration byte by byte. So an address that
// a browser would write in another way is refused.
func page(s string) (string, *problem) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Opaque != "" || !host(u) || u.Scheme != "https" && u.Scheme != "http":
		return "", wrong(quote(s)+" is not the address of a page", pageFix)
	case u.User != nil:
		return "", wrong("the address holds a user name or password",
			"leave it out: this file is no place for secrets")
	case strings.ContainsAny(s, "?#"):
		return "", wrong(quote(s)+" has a query or a fragment",
			"leave out everything from the ? or # on")
	case u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1":
		return "", wrong(quote(s)+" is not https",
			"publish the page with https: a browser lets it compute nothing otherwise")
	case u.Path == "":
		return "", wrong(quote(s)+" has no path", `end it with a slash, as browsers do: "`+s+`/"`)
	case len(s) > maxPage:
		return "", wrong(quote(s)+" is longer than 120 characters",
			"publish the page at a shorter address")
	case !isPagePath(u.EscapedPath()) || defaultPort(u):
		return "", wrong(quote(s)+" is not how a browser writes it",
			`leave out the usual port, "." and "..", and use letters, digits and -._~ between the slashes`)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host) + u.Path, nil
}

func defaultPort(u *url.URL) bool {
	return u.Scheme == "https" && u.Port() == "443" ||
		u.Scheme == "http" && u.Port() == "80" ||
		strings.HasPrefix(u.Port(), "0")
}

// isPagePath reports whether a browser would keep every segment of the path.
func isPagePath(path string) bool {
	for segment := range strings.SplitSeq(path[1:], "/") {
		if strings.Trim(segment, letters+digits+"-._~") != "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// pageless refuses a flow without its page.
func (c *Config) pageless() *Error {
	if c.SignIn.Flow == Browser && c.SignIn.Page == "" {
		return wrong(`is missing; sign_in.flow "`+Browser+`" needs it`,
			"set it to the address of your sign-in page; "+
				"aadctl setup writes that page").at("sign_in.page", 0)
	}
	return nil
}

// pastedToken makes the source "permissions" use the code: with it, the access token that the
// source needs comes to this machine and to nobody else.
func (c *Config) pastedToken(written map[string]int) *Error {
	if c.Authorization.Source != Permissions || c.SignIn.Answer != TokenAnswer {
		return nil
	}
	if written["sign_in.answer"] != 0 {
		return wrong(`"`+TokenAnswer+`" is no answer for authorization.source "`+Permissions+
			`", which needs an access token as well`,
			`set it to "`+CodeAnswer+`"`).at("sign_in.answer", 0)
	}
	c.SignIn.Answer = CodeAnswer
	return nil
}
