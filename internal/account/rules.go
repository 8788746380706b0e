// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"slices"
	"strings"

	"aadlogin/internal/config"
)

// Rules decide which names are ours and what a new account looks like. They are stored beside the
// accounts, where the name service reads them.
type Rules struct {
	TenantID        string   // GUID, lower case; part of every id
	Domains         []string // lower case; the first completes short names
	ShortNames      bool
	Low, High       uint32 // id range; Low is aad_users, Low+1 aad_admins
	Home            string // template: %u account, %l part before @, %d domain, %% a percent sign
	Shell           string
	PreAuthServices []string // executables answered for accounts not signed in yet
	SignInServices  []string // PAM services in which a code is shown; nil: of a version without this list

	laterFlags byte     // what a later version has
	later      sections // stored with the rules
}

// RulesFrom takes the rules from a configuration.
func RulesFrom(c *config.Config) Rules {
	return Rules{
		TenantID:        c.TenantID,
		Domains:         c.Domains,
		ShortNames:      c.ShortNames,
		Low:             c.Accounts.IDRange[0],
		High:            c.Accounts.IDRange[1],
		Home:            c.Accounts.Home,
		Shell:           c.Accounts.Shell,
		PreAuthServices: c.Accounts.PreAuthServices,
		SignInServices:  append([]string{}, c.SignIn.Services...),
	}
}

// Equal reports whether two sets of rules are the same in everything that this version knows.
func (r Rules) Equal(s Rules) bool {
	return r.TenantID == s.TenantID && r.ShortNames == s.ShortNames &&
		r.Low == s.Low && r.High == s.High &&
		r.Home == s.Home && r.Shell == s.Shell &&
		slices.Equal(r.Domains, s.Domains) && slices.Equal(r.PreAuthServices, s.PreAuthServices) &&
		(r.SignInServices == nil) == (s.SignInServices == nil) &&
		slices.Equal(r.SignInServices, s.SignInServices)
}

// check refuses rules that the C side would not read, or would read otherwise. Package config is
// stricter about what people may write.
func (r Rules) check() error {
	switch {
	case r.TenantID == "" || len(r.TenantID) > 64 || !plain(r.TenantID):
		return fmt.Errorf("tenant %q is no identifier", r.TenantID)
	case len(r.Domains) == 0 || len(r.Domains) > 1000:
		return fmt.Errorf("there are %d domains, not 1 to 1000", len(r.Domains))
	case r.Low < minID || r.High > maxID || r.High < r.Low || r.High-r.Low < reserved:
		return fmt.Errorf("id range %d to %d does not hold accounts", r.Low, r.High)
	case len(r.PreAuthServices) > 100 || len(r.SignInServices) > 100:
		return fmt.Errorf("there are %d and %d services, more than 100",
			len(r.PreAuthServices), len(r.SignInServices))
	case !isPath(r.Shell):
		return fmt.Errorf("shell %q is no absolute path", r.Shell)
	case !isPath(r.Home) || !isTemplate(r.Home) || len(expand(r.Home, longest)) > maxText:
		return fmt.Errorf("home %q is no template of absolute paths", r.Home)
	}
	for _, d := range r.Domains {
		if !validDomain(d) {
			return fmt.Errorf("domain %q is not a lower-case domain name", d)
		}
	}
	for _, s := range slices.Concat(r.PreAuthServices, r.SignInServices) {
		if s == "" || len(s) > 255 || !plain(s) || strings.Contains(s, "/") {
			return fmt.Errorf("service %q is not the name of a file", s)
		}
	}
	return nil
}

// longest is a name whose parts are all as long as any can be.
var longest = Name{
	Account: strings.Repeat("x", maxUPN),
	UPN:     strings.Repeat("x", maxUPN) + "@" + strings.Repeat("x", maxUPN),
}

// isPath reports whether s can stand in passwd(5) as a path.
func isPath(s string) bool {
	return strings.HasPrefix(s, "/") && len(s) <= maxText && plain(s)
}

// plain reports whether s cannot end a field or a line of passwd(5).
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f || c == ':' })
}

func validDomain(s string) bool {
	return s != "" && len(s) < maxUPN && only(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") &&
		strings.Trim(s, ".-") == s
}

// reservedID says who has an id that no account may have, or returns "".
func (r Rules) reservedID(id uint32) string {
	switch {
	case id < minID || id > maxID || id == 65534 || id == 65535:
		return "the system's"
	case r.IsGroup(id):
		return fmt.Sprintf("a group's: the first %d of the id range are", reserved)
	}
	return ""
}

// allocatable reports whether id can be an account's under these rules; the first ids of the range
// are groups.
func (r Rules) allocatable(id uint32) bool {
	return id >= r.Low && id <= r.High && !r.IsGroup(id)
}
