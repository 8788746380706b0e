/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "name.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Refuses what could be a path, an option, a field or a line. */
static int is_valid_local(const char *s, uint32_t len)
{
	if (len == 0 || !is_letter_or_digit(s[0]))
		return 0;
	for (uint32_t i = 1; i < len; i++)
		if (!is_letter_or_digit(s[i]) && (s[i] == '\0' || !strchr(".-'!#^~", s[i])))
			return 0;
	return 1;
}

static int is_word(const char *s, uint32_t len, const char *word)
{
	return strlen(word) == len && memcmp(s, word, len) == 0;
}

/*
 * Refuses short names that are ids or names of groups: an account's private group has its name, and
 * sudoers, sshd and polkit give permissions by the names of groups. internal/account/name.go has
 * the same list.
 */
static int is_valid_short(const char *s, uint32_t len)
{
	static const char *const group[] = {
		AAD_USERS, AAD_ADMINS, "root", "adm", "systemd-journal", "sudo", "wheel", "admin",
		"staff", "disk", "kmem", "shadow", "docker", "lxd", "incus", "incus-admin",
		"libvirt", "microk8s",
	};
	uint32_t digits = 0;

	for (size_t i = 0; i < sizeof group / sizeof *group; i++)
		if (is_word(s, len, group[i]))
			return 0;
	while (digits < len && s[digits] >= '0' && s[digits] <= '9')
		digits++;
	return digits < len;
}

static int is_listed(const struct aad_rules *r, const char *domain)
{
	const char *d = r->domain;

	for (unsigned i = 0; i < r->domains; i++, d = aad_next_string(d))
		if (strcmp(d, domain) == 0)
			return 1;
	return 0;
}

/* Appends the first domain to a short name. 0, or -1 if there are no short names or it is long. */
static int complete(const struct aad_rules *r, struct aad_name *n)
{
	size_t len = strlen(r->domain);

	if (!r->short_names || n->local_len + 1 + len > AAD_MAX_NAME)
		return -1;
	n->upn[n->local_len] = '@';
	memcpy(n->upn + n->local_len + 1, r->domain, len + 1);
	n->upn_len = n->local_len + 1 + (uint32_t)len;
	return 0;
}

int aad_name_parse(const struct aad_rules *r, const char *name, struct aad_name *n)
{
	if (aad_name_read(r, name, n))
		return -1;
	return n->account_len == n->upn_len || is_valid_short(n->upn, n->local_len) ? 0 : -1;
}

int aad_name_read(const struct aad_rules *r, const char *name, struct aad_name *n)
{
	size_t len = strnlen(name, AAD_MAX_NAME + 1);
	const char *at, *domain;

	if (len > AAD_MAX_NAME)
		return -1;
	for (size_t i = 0; i <= len; i++)
		n->upn[i] = lower(name[i]);
	at = strchr(n->upn, '@');
	n->upn_len = (uint32_t)len;
	n->local_len = at ? (uint32_t)(at - n->upn) : n->upn_len;
	if (!is_valid_local(n->upn, n->local_len) || (!at && complete(r, n)))
		return -1;
	domain = n->upn + n->local_len + 1;
	n->account_len = n->upn_len;
	if (r->short_names && strcmp(domain, r->domain) == 0)
		n->account_len = n->local_len;
	return is_listed(r, domain) ? 0 : -1;
}

int aad_name_is(const struct aad_name *n, const char *name)
{
	return strlen(name) == n->account_len && memcmp(n->upn, name, n->account_len) == 0;
}
