/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stdlib.h>

#include "answer.h"
#include "preauth.h"

/*
 * The one allocation of the library. glibc's contract says who frees: the array is glibc's, from
 * malloc, and the module enlarges it. 0, or -1.
 */
static int grow(struct aad_gid_list *list)
{
	long size = *list->size > 0 ? 2 * *list->size : 16;
	gid_t *groups;

	if (list->limit > 0 && size > list->limit)
		size = list->limit;
	groups = realloc(*list->groups, (size_t)size * sizeof *groups);
	if (!groups)
		return -1;
	*list->groups = groups;
	*list->size = size;
	return 0;
}

static enum aad_result add(struct aad_gid_list *list, gid_t gid)
{
	/* 0 is in no entry that the writer makes, and would be root's group. */
	if (gid < 1 || gid == list->skip || (list->limit > 0 && *list->start >= list->limit))
		return AAD_OK;
	for (long i = 0; i < *list->start; i++)
		if ((*list->groups)[i] == gid)
			return AAD_OK;
	if (*list->start >= *list->size && grow(list))
		return AAD_BUSY;
	(*list->groups)[(*list->start)++] = gid;
	return AAD_OK;
}

/* aad_users, so that "AllowGroups aad_users" lets the first sign-in begin. */
static enum aad_result add_before_sign_in(const struct aad_store *s, const char *user,
    struct aad_gid_list *list)
{
	struct aad_new_account a;
	enum aad_result r = aad_preauth(s, user, &a);

	if (r == AAD_OK && a.uid != list->skip)
		return AAD_ABSENT;
	return r == AAD_OK ? add(list, s->rules.low) : r;
}

/*
 * glibc asks every service for the groups of a name, whichever service had its entry. The primary
 * gid tells which one: the gid of an account of ours is its uid. A local account of the same name
 * must not get our groups.
 */
enum aad_result aad_initgroups(const struct aad_store *s, const char *user,
    struct aad_gid_list *list)
{
	struct aad_entry e;
	enum aad_result r = aad_entry_by_name(s, user, &e);

	if (r == AAD_ABSENT)
		return add_before_sign_in(s, user, list);
	if (r == AAD_OK && (e.retired || e.uid != list->skip))
		return AAD_ABSENT;
	for (uint32_t i = 0; r == AAD_OK && i < e.ngroups; i++)
		r = add(list, aad_u32(e.groups + 4 * i));
	return r;
}
