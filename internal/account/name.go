// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"aadlogin/internal/config"
)

// maxUPN is Entra's limit for a UPN. Entra also limits the part before the @ to 64 bytes, but old
// directories hold longer ones.
const maxUPN = 113

// ErrForeign is returned for a name that is not of an accepted domain.
var ErrForeign = errors.New("account: not a name of an accepted domain")

// SpellingError is returned for a name that is ours in another spelling. The name is refused rather
// than corrected: OpenSSH 10.1 compares the name typed with the entry's, and rewriting it has been
// an impersonation bug (CVE-2024-9313).
type SpellingError struct {
	Right string // the account's one name
}

func (e *SpellingError) Error() string {
	return fmt.Sprintf("account: the account is spelled %q", e.Right)
}

// ShortNameError is returned for a name of an accepted domain whose account would get a short name
// that no account may have. It is ErrForeign, too, because the name service does not answer for
// this name.
type ShortNameError struct {
	Short   string
	Problem string // "is the name of a group of rights"
}

func (e *ShortNameError) Error() string {
	return fmt.Sprintf("account: %q %s, and cannot be a short name", e.Short, e.Problem)
}

// Is makes the error count as ErrForeign.
func (e *ShortNameError) Is(target error) bool { return target == ErrForeign }

// Name is the name of an account that may exist.
type Name struct {
	Account string // as typed, listed and stored: the UPN, or its local part for a short name
	UPN     string // lower case
}

// Local is the part before the @.
func (n Name) Local() string { local, _, _ := strings.Cut(n.UPN, "@"); return local }

// Domain is the part behind the @.
func (n Name) Domain() string { _, domain, _ := strings.Cut(n.UPN, "@"); return domain }

// Name checks a name as it was typed. It returns ErrForeign, *ShortNameError or *SpellingError for
// a name that no account can have.
func (r Rules) Name(typed string) (Name, error) {
	n, err := r.parse(lower(typed))
	if err == nil && n.Account != typed {
		return Name{}, &SpellingError{Right: n.Account}
	}
	return n, err
}

// FromUPN returns the name of the account of a UPN, which a token may carry in any case.
func (r Rules) FromUPN(upn string) (Name, error) {
	if !strings.Contains(upn, "@") {
		return Name{}, ErrForeign
	}
	return r.parse(lower(upn))
}

// parse accepts lower-case names only. nss/name.c does the same.
func (r Rules) parse(name string) (Name, error) {
	if len(r.Domains) == 0 {
		return Name{}, ErrForeign
	}
	local, domain, full := strings.Cut(name, "@")
	if !full {
		domain = r.Domains[0]
	}
	n := Name{Account: name, UPN: local + "@" + domain}
	if r.ShortNames && domain == r.Domains[0] {
		n.Account = local
	}
	switch {
	case !full && !r.ShortNames,
		len(n.UPN) > maxUPN,
		!slices.Contains(r.Domains, domain),
		!validLocal(local):
		return Name{}, ErrForeign
	case n.Account == local && shortProblem(local) != "":
		return Name{}, &ShortNameError{local, shortProblem(local)}
	}
	return n, nil
}

const localFirst = "abcdefghijklmnopqrstuvwxyz0123456789_"

// validLocal keeps out what could be read as a path, an option, a field or another line. It accepts
// ASCII only: look-alikes of other scripts are not names here.
func validLocal(s string) bool {
	return s != "" && strings.IndexByte(localFirst, s[0]) >= 0 && only(s, localFirst+".-'!#^~")
}

func only(s, set string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return !strings.ContainsRune(set, c) })
}

// shortProblem says why s cannot be a short name, or returns "". A number is none, because chown(1)
// looks for a name first. The name of a group is none, because an account's private group has the
// account's name, and sudoers, sshd and polkit give permissions by the names of groups. Package
// signin compares with groups and users that exist; these need not exist yet.
func shortProblem(s string) string {
	switch {
	case only(s, "0123456789"):
		return "is a number"
	case slices.Contains(groupNames, s):
		return "is the name of a group of rights"
	}
	return ""
}

// groupNames are no short names. nss/name.c has the same list.
var groupNames = slices.Concat([]string{UsersGroup, AdminsGroup, "root", "adm", "systemd-journal"},
	config.PrivilegedGroups())

// validName reports whether the store may hold a name, whatever the domains are.
func validName(s string) bool {
	local, domain, full := strings.Cut(s, "@")
	return len(s) <= maxUPN && validLocal(local) &&
		(full && validDomain(domain) || !full && shortProblem(local) == "")
}

// lower changes ASCII letters only: the Kelvin sign does not become a k.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
