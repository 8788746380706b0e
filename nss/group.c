/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "answer.h"

/*
 * The array of members comes first, where it can be aligned, then the name, the password and the
 * members' names.
 */
static enum aad_result fill(const char *name, uint32_t name_len, gid_t gid,
    const struct aad_members *m, struct group *grp, char *buf, size_t len)
{
	size_t pad = -(uintptr_t)buf % sizeof(char *);
	uint64_t array = ((uint64_t)m->count + 1) * sizeof(char *);
	char **members, *text, *member;

	if (len < pad + array + name_len + 3 + m->len)
		return AAD_SMALL;
	members = (char **)(void *)(buf + pad);
	text = buf + pad + array;
	member = text + name_len + 3;
	memcpy(text, name, name_len);
	memcpy(text + name_len, "\0*", 3);
	memcpy(member, m->text, m->len);
	for (uint32_t i = 0; i < m->count; i++, member += strlen(member) + 1)
		members[i] = member;
	members[m->count] = NULL;
	*grp = (struct group){
		.gr_name = text,
		.gr_passwd = text + name_len + 1,
		.gr_gid = gid,
		.gr_mem = members,
	};
	return AAD_OK;
}

static const struct aad_members nobody = { 0, "", 0 };

/* A private group has the one member whose primary group it is, and lists none. */
enum aad_result aad_group_fill(const struct aad_entry *e, struct group *grp,
    char *buf, size_t len)
{
	if (e->retired)
		return AAD_ABSENT;
	return fill(e->text, e->name_len, e->uid, &nobody, grp, buf, len);
}

/*
 * Every account is a member of aad_users, by initgroups. The group lists none: every ls -l would
 * copy a million names.
 */
enum aad_result aad_users_group(const struct aad_store *s, struct group *grp,
    char *buf, size_t len)
{
	return fill(AAD_USERS, sizeof AAD_USERS - 1, s->rules.low, &nobody, grp, buf, len);
}

enum aad_result aad_admins_group(const struct aad_store *s, struct group *grp,
    char *buf, size_t len)
{
	struct aad_key key = aad_key_of('g', AAD_ADMINS, sizeof AAD_ADMINS - 1);
	struct aad_bytes record;
	struct aad_members m;

	if (aad_cdb_get(&s->db, &key, &record) != AAD_OK || aad_members_parse(record, &m))
		return AAD_DAMAGED;
	return fill(AAD_ADMINS, sizeof AAD_ADMINS - 1, s->rules.low + 1, &m, grp, buf, len);
}

enum aad_result aad_group_by_name(const struct aad_store *s, const char *name, struct group *grp,
    char *buf, size_t len)
{
	struct aad_entry e;
	enum aad_result r;

	if (strcmp(name, AAD_USERS) == 0)
		return aad_users_group(s, grp, buf, len);
	if (strcmp(name, AAD_ADMINS) == 0)
		return aad_admins_group(s, grp, buf, len);
	r = aad_entry_by_name(s, name, &e);
	return r == AAD_OK ? aad_group_fill(&e, grp, buf, len) : r;
}

enum aad_result aad_group_by_gid(const struct aad_store *s, gid_t gid, struct group *grp,
    char *buf, size_t len)
{
	struct aad_entry e;
	enum aad_result r;

	if (gid == s->rules.low)
		return aad_users_group(s, grp, buf, len);
	if (gid == s->rules.low + 1)
		return aad_admins_group(s, grp, buf, len);
	r = aad_entry_by_uid(s, gid, &e);
	return r == AAD_OK ? aad_group_fill(&e, grp, buf, len) : r;
}
