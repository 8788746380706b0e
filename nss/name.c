// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

#include "name.h"

#include <string.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// valid_local keeps out what could be a path, an option, a field or a line.
static bool valid_local(const char *s, uint32_t len)
{
	if (len == 0 || !letter_or_digit(s[0]))
		return false;
	for (uint32_t i = 1; i < len; i++)
		if (!letter_or_digit(s[i]) && (s[i] == '\0' || strchr(".-'!#^~", s[i]) == NULL))
			return false;
	return true;
}

static bool spells(const char *s, uint32_t len, const char *word)
{
	return strlen(word) == len && memcmp(s, word, len) == 0;
}

// valid_short keeps a short name apart from ids and from groups: an account's
// private group has its name, and sudoers, sshd and polkit grant rights by the
// names of groups. internal/account/name.go has the same list.
static bool valid_short(const char *s, uint32_t len)
{
	static const char *const group[] = {
		AAD_USERS, AAD_ADMINS, "root", "adm", "systemd-journal", "sudo", "wheel", "admin", "staff", "disk",
		"kmem", "shadow", "docker", "lxd", "incus", "incus-admin", "libvirt", "microk8s",
	};
	for (size_t i = 0; i < sizeof group / sizeof *group; i++)
		if (spells(s, len, group[i]))
			return false;
	uint32_t digits = 0;
	while (digits < len && s[digits] >= '0' && s[digits] <= '9')
		digits++;
	return digits < len;
}

static bool listed(const struct aad_rules *r, const char *domain)
{
	const char *d = r->domain;
	for (unsigned i = 0; i < r->domains; i++, d = aad_next_string(d))
		if (strcmp(d, domain) == 0)
			return true;
	return false;
}

// complete appends the first domain to a short name.
static bool complete(const struct aad_rules *r, struct aad_name *n)
{
	size_t len = strlen(r->domain);
	if (!r->short_names || n->local_len + 1 + len > AAD_MAX_NAME)
		return false;
	n->upn[n->local_len] = '@';
	memcpy(n->upn + n->local_len + 1, r->domain, len + 1);
	n->upn_len = n->local_len + 1 + (uint32_t)len;
	return true;
}

bool aad_name_parse(const struct aad_rules *r, const char *name, struct aad_name *n)
{
	return aad_name_read(r, name, n) && (n->account_len == n->upn_len || valid_short(n->upn, n->local_len));
}

bool aad_name_read(const struct aad_rules *r, const char *name, struct aad_name *n)
{
	size_t len = strnlen(name, AAD_MAX_NAME + 1);
	if (len > AAD_MAX_NAME)
		return false;
	for (size_t i = 0; i <= len; i++)
		n->upn[i] = lower(name[i]);
	const char *at = strchr(n->upn, '@');
	n->upn_len = (uint32_t)len;
	n->local_len = at == NULL ? n->upn_len : (uint32_t)(at - n->upn);
	if (!valid_local(n->upn, n->local_len) || (at == NULL && !complete(r, n)))
		return false;
	const char *domain = n->upn + n->local_len + 1;
	bool is_short = r->short_names && strcmp(domain, r->domain) == 0;
	n->account_len = is_short ? n->local_len : n->upn_len;
	return listed(r, domain);
}

bool aad_name_is(const struct aad_name *n, const char *name)
{
	return strlen(name) == n->account_len && memcmp(n->upn, name, n->account_len) == 0;
}
