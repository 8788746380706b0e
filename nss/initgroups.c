// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

#include "answer.h"
#include "preauth.h"

#include <stdlib.h>

// grow is the one place that allocates, because glibc's contract says who
// frees: the array is glibc's, from malloc, and the module enlarges it.
static bool grow(struct aad_gid_list *list)
{
	long size = *list->size > 0 ? 2 * *list->size : 16;
	if (list->limit > 0 && size > list->limit)
		size = list->limit;
	gid_t *groups = realloc(*list->groups, (size_t)size * sizeof *groups);
	if (groups == NULL)
		return false;
	*list->groups = groups;
	*list->size = size;
	return true;
}

static enum aad_result add(struct aad_gid_list *list, gid_t gid)
{
	// 0 is in no entry the writer makes, and would be root's.
	if (gid < 1 || gid == list->skip || (list->limit > 0 && *list->start >= list->limit))
		return AAD_OK;
	for (long i = 0; i < *list->start; i++)
		if ((*list->groups)[i] == gid)
			return AAD_OK;
	if (*list->start >= *list->size && !grow(list))
		return AAD_BUSY;
	(*list->groups)[(*list->start)++] = gid;
	return AAD_OK;
}

// glibc asks every service for the groups of a name, whoever answered its
// entry. The primary gid says who did: ours is the uid. A local account of the
// same name must not be given our groups.
enum aad_result aad_initgroups(const struct aad_store *s, const char *user, struct aad_gid_list *list)
{
	struct aad_entry e;
	struct aad_fresh f;
	enum aad_result r = aad_entry_by_name(s, user, &e);
	if (r == AAD_ABSENT) {
		// So that AllowGroups aad_users lets the first sign-in begin.
		r = aad_preauth(s, user, &f);
		if (r == AAD_OK && f.uid != list->skip)
			return AAD_ABSENT;
		return r == AAD_OK ? add(list, s->rules.low) : r;
	}
	if (r == AAD_OK && (e.retired || e.uid != list->skip))
		return AAD_ABSENT;
	for (uint32_t i = 0; r == AAD_OK && i < e.ngroups; i++)
		r = add(list, aad_u32(e.groups + 4 * i));
	return r;
}
