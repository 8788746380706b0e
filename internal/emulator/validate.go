// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// problem checks what TOML's grammar and types cannot express. It returns the first wrong key and a
// sentence, or an empty sentence.
func (d *Directory) problem() (key, sentence string) {
	for _, check := range []func() (string, string){
		d.tenantProblem, d.principalProblem, d.memberProblem, d.roleProblem,
		d.assignmentProblem, d.denyProblem, d.faultProblem,
		d.settingProblem, d.registrationProblem, d.policyProblem,
	} {
		if key, sentence := check(); sentence != "" {
			return key, sentence
		}
	}
	return "", ""
}

func (d *Directory) tenantProblem() (key, sentence string) {
	id := d.Machine.ResourceID
	switch {
	case !isGUID(d.TenantID):
		return "tenant_id", notGUID(d.TenantID)
	case slices.ContainsFunc(slices.Collect(maps.Values(d.Elsewhere)),
		func(id string) bool { return !isGUID(id) }):
		return "elsewhere", "give each domain the GUID of its tenant"
	case !isGUID(d.ClientID):
		return "client_id", notGUID(d.ClientID)
	case d.Interval < 0:
		return "interval", "give a number of seconds above 0"
	case d.ExpiresIn < 0:
		return "expires_in", "give a number of seconds above 0"
	case d.CodeLength != 0 && (d.CodeLength < 64 || d.CodeLength > 1<<16):
		return "code_length", "an authorization code has between 64 and 65536 characters"
	case d.PageSize < 0:
		return "page_size", "give a number of entries above 0"
	case id != "" && !strings.HasPrefix(strings.ToLower(id), "/subscriptions/"):
		return "machine.resource_id", "an Azure resource id begins with /subscriptions/"
	}
	return "", ""
}

// principalProblem finds names and object ids that are missing or used twice.
func (d *Directory) principalProblem() (key, sentence string) {
	seen := make(map[string]string)
	index := make(map[string]int)
	table := map[string]string{"User": "user", "Group": "group", "ServicePrincipal": "identity"}
	for _, p := range d.principals() {
		at := fmt.Sprintf("%s[%d]", table[p.kind], index[p.kind])
		index[p.kind]++
		if p.name == "" {
			return at + ".name", "a name is needed"
		}
		if !isGUID(p.oid) {
			return at + ".oid", notGUID(p.oid)
		}
		for _, k := range []string{p.name, p.oid} {
			k = strings.ToLower(k)
			if other := seen[k]; other != "" {
				return at, fmt.Sprintf("%q is used by %s already", k, other)
			}
			seen[k] = at
		}
	}
	return "", ""
}

func (d *Directory) memberProblem() (key, sentence string) {
	for i, g := range d.Groups {
		if who := d.unknown(g.Members); who != "" {
			return fmt.Sprintf("group[%d].members", i), noPrincipal(who)
		}
	}
	return "", ""
}

func (d *Directory) roleProblem() (key, sentence string) {
	for i, r := range d.Roles {
		if !isGUID(r.ID) {
			return fmt.Sprintf("role[%d].id", i), notGUID(r.ID)
		}
		if r.Name == "" {
			return fmt.Sprintf("role[%d].name", i), "a name is needed"
		}
	}
	return "", ""
}

func (d *Directory) assignmentProblem() (key, sentence string) {
	for i, a := range d.Assignments {
		at := fmt.Sprintf("assignment[%d].", i)
		if who := d.unknown([]string{a.Principal}); who != "" || a.Principal == "" {
			return at + "principal", noPrincipal(a.Principal)
		}
		if _, ok := d.role(a.Role); !ok {
			return at + "role",
				fmt.Sprintf("there is no role %q: define it in [[role]], or use a built-in one's "+
					"name or id", a.Role)
		}
		if !strings.HasPrefix(a.Scope, "/") {
			return at + "scope", "a scope begins with /"
		}
	}
	return "", ""
}

func (d *Directory) denyProblem() (key, sentence string) {
	for i, y := range d.Denies {
		at := fmt.Sprintf("deny[%d].", i)
		if len(y.Principals) == 0 {
			return at + "principals", `say who, or "everyone"`
		}
		if who := d.unknown(y.Principals); who != "" {
			return at + "principals", noPrincipal(who)
		}
		if who := d.unknown(y.Exclude); who != "" {
			return at + "exclude", noPrincipal(who)
		}
		if !strings.HasPrefix(y.Scope, "/") {
			return at + "scope", "a scope begins with /"
		}
	}
	return "", ""
}

func (d *Directory) faultProblem() (key, sentence string) {
	for i, f := range d.Faults {
		if key, sentence := f.problem(); sentence != "" {
			return fmt.Sprintf("fault[%d].%s", i, key), sentence
		}
	}
	return "", ""
}

// unknown returns the first key that names no principal.
func (d *Directory) unknown(keys []string) string {
	i := slices.IndexFunc(keys, func(k string) bool {
		_, ok := d.principal(k)
		return !ok && k != everyone && !isGUID(k) // ARM keeps assignments of deleted principals
	})
	if i < 0 {
		return ""
	}
	return keys[i]
}

func noPrincipal(who string) string {
	return fmt.Sprintf("there is no user, group or identity %q", who)
}

func notGUID(s string) string {
	return fmt.Sprintf("%q is not a GUID such as 00001111-aaaa-2222-bbbb-3333cccc4444", s)
}

// isGUID reports whether s is written 8-4-4-4-12 in hexadecimal digits.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return false
		}
	}
	return true
}
