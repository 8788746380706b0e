// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strings"
)

// Show returns every setting as a file that says the same, one line each: key, value, and whether
// it is the default.
func (c *Config) Show() string {
	usual := defaults().lines()
	var b strings.Builder
	for i, line := range c.lines() {
		if i < len(usual) && line == usual[i] {
			line += " # default"
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// lines returns "key = value" in the order of settings.
func (c *Config) lines() []string {
	e, s, z, a := c.Endpoints, c.SignIn, c.Authorization, c.Accounts
	all := []string{
		"tenant_id = " + Spell(c.TenantID),
		"client_id = " + Spell(c.ClientID),
		"domains = " + Spell(c.Domains),
		"short_names = " + Spell(c.ShortNames),
		"cloud = " + Spell(c.Cloud),
		"endpoints.authority = " + Spell(e.Authority),
		"endpoints.resource_manager = " + Spell(e.ResourceManager),
		"endpoints.metadata = " + Spell(e.Metadata),
		"endpoints.ca_file = " + Spell(e.CAFile),
		"endpoints.proxy = " + Spell(e.Proxy),
		"sign_in.flow = " + Spell(s.Flow),
		"sign_in.page = " + Spell(s.Page),
		"sign_in.answer = " + Spell(s.Answer),
		"sign_in.scope = " + Spell(s.Scope),
		"sign_in.timeout = " + Spell(s.Timeout.String()),
		"sign_in.max_waiting = " + Spell(s.MaxWaiting),
		"sign_in.qr = " + Spell(s.QR),
		"sign_in.reuse_window = " + Spell(s.ReuseWindow.String()),
		"sign_in.services = " + Spell(s.Services),
		"sign_in.admin_services = " + Spell(s.AdminServices),
		"sign_in.reconnect_on_group_change = " + spellAuto(s.ReconnectOnGroupChange),
		"authorization.source = " + Spell(z.Source),
		"authorization.resource_id = " + Spell(z.ResourceID),
		"authorization.managed_identity = " + Spell(z.ManagedIdentity),
		"authorization.grant_lifetime = " + Spell(z.GrantLifetime.String()),
		"authorization.grant_covers_administrators = " + Spell(z.GrantCoversAdministrators),
		fmt.Sprintf("accounts.id_range = [%d, %d]", a.IDRange[0], a.IDRange[1]),
		"accounts.home = " + Spell(a.Home),
		"accounts.shell = " + Spell(a.Shell),
		"accounts.pre_auth_services = " + Spell(a.PreAuthServices),
		"accounts.directory = " + Spell(a.Directory),
		"accounts.allow_privileged_groups = " + Spell(a.AllowPrivilegedGroups),
	}
	var ids []string
	for id := range a.Groups {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		all = append(all, "accounts.groups."+Spell(id)+" = "+Spell(a.Groups[id]))
	}
	return all
}

func spellAuto(value string) string {
	if value == Auto {
		return Spell(value)
	}
	return value
}

// Spell returns a value as TOML. Checked values hold no control characters, so Go's quotes are
// TOML's.
func Spell(value any) string {
	switch v := value.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = fmt.Sprintf("%q", s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}
