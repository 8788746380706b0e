// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import "time"

// setting is one key of the file and what takes its value.
type setting struct {
	key string
	set setter
}

// settings is every key there is, apart from the free ones below
// [accounts.groups], each with its check. The values go into c.
func (c *Config) settings() []setting {
	e, s, z, a := &c.Endpoints, &c.SignIn, &c.Authorization, &c.Accounts
	return []setting{
		{"tenant_id", text(&c.TenantID, tenant)},
		{"client_id", text(&c.ClientID, guidText)},
		{"domains", list(&c.Domains, domain)},
		{"short_names", boolean(&c.ShortNames)},
		{"cloud", text(&c.Cloud, oneOf("auto", "public", "usgovernment", "china"))},

		{"endpoints.authority", text(&e.Authority, optional(origin("https")))},
		{"endpoints.resource_manager", text(&e.ResourceManager, optional(origin("https")))},
		{"endpoints.metadata", text(&e.Metadata, optional(origin("http", "https")))},
		{"endpoints.ca_file", text(&e.CAFile, optional(absolutePath))},
		{"endpoints.proxy", text(&e.Proxy, optional(proxy))},

		{"sign_in.flow", text(&s.Flow, oneOf(DeviceCode, Browser))},
		{"sign_in.page", text(&s.Page, optional(page))},
		{"sign_in.answer", text(&s.Answer, oneOf(TokenAnswer, CodeAnswer))},
		{"sign_in.scope", text(&s.Scope, optional(ownScope))},
		{"sign_in.timeout", duration(&s.Timeout, 10*time.Second, 15*time.Minute)},
		{"sign_in.max_waiting", integer(&s.MaxWaiting, 1, 1024)},
		{"sign_in.qr", boolean(&s.QR)},
		{"sign_in.reuse_window", duration(&s.ReuseWindow, 0, 24*time.Hour)},
		{"sign_in.services", list(&s.Services, service)},
		{"sign_in.admin_services", list(&s.AdminServices, basename)},
		{"sign_in.reconnect_on_group_change", orAuto(&s.ReconnectOnGroupChange)},

		{"authorization.source",
			text(&z.Source, oneOf(CheckAccess, RoleAssignments, Permissions, AppRoles))},
		{"authorization.resource_id", text(&z.ResourceID, optional(resourceID))},
		{"authorization.managed_identity", text(&z.ManagedIdentity, optional(guidText))},
		{"authorization.grant_lifetime", duration(&z.GrantLifetime, 0, 30*24*time.Hour)},
		{"authorization.grant_covers_administrators", boolean(&z.GrantCoversAdministrators)},

		{"accounts.id_range", idRange(&a.IDRange)},
		{"accounts.home", text(&a.Home, home)},
		{"accounts.shell", text(&a.Shell, absolutePath)},
		{"accounts.pre_auth_services", list(&a.PreAuthServices, basename)},
		{"accounts.directory", text(&a.Directory, absolutePath)},
		{"accounts.allow_privileged_groups", boolean(&a.AllowPrivilegedGroups)},
	}
}

const groupsSection = "accounts.groups"

func section(key string) bool {
	switch key {
	case "endpoints", "sign_in", "authorization", "accounts", groupsSection:
		return true
	default:
		return false
	}
}
