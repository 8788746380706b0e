// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

#include "answer.h"
#include "entry.h"
#include "kept.h"

#include <errno.h>
#include <string.h>

// An enumeration belongs to its thread and holds nothing but its place: no
// descriptor, no mapping. A fork or a forgotten endpwent costs nothing.
struct enumeration {
	struct aad_cursor at;
	struct aad_identity file;
	unsigned groups; // of aad_users and aad_admins, given already
};

static __thread struct enumeration passwds, groups;

// place borrows the store where the enumeration left it.
static enum aad_result place(struct enumeration *n, struct aad_borrowed *b)
{
	enum aad_result r = aad_borrow(b);
	if (r != AAD_OK)
		return r;
	if (memcmp(b->file, &n->file, sizeof n->file) != 0)
		aad_resume(b->store, &n->at);
	n->file = *b->file;
	return AAD_OK;
}

enum nss_status _nss_aad_setpwent(int stayopen)
{
	(void)stayopen;
	passwds = (struct enumeration){0};
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_aad_endpwent(void)
{
	return _nss_aad_setpwent(0);
}

enum nss_status _nss_aad_getpwent_r(struct passwd *pwd, char *buf, size_t len, int *errnop)
{
	struct aad_borrowed b;
	struct aad_entry e;
	int saved = errno;
	enum aad_result r = place(&passwds, &b);
	if (r == AAD_OK) {
		struct aad_cursor next = passwds.at;
		r = aad_next_entry(b.store, &next, &e);
		if (r == AAD_OK)
			r = aad_passwd_fill(&e, pwd, buf, len);
		if (r != AAD_SMALL) // asked for again with a larger buffer
			passwds.at = next;
		aad_give_back(&b);
	}
	return aad_status(r, saved, errnop);
}

enum nss_status _nss_aad_setgrent(int stayopen)
{
	(void)stayopen;
	groups = (struct enumeration){0};
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_aad_endgrent(void)
{
	return _nss_aad_setgrent(0);
}

// next_group gives aad_users, aad_admins, and the private groups.
static enum aad_result next_group(const struct aad_store *s, struct enumeration *next, struct group *grp, char *buf,
                                  size_t len)
{
	struct aad_entry e;
	switch (next->groups) {
	case 0:
		next->groups++;
		return aad_users_group(s, grp, buf, len);
	case 1:
		next->groups++;
		return aad_admins_group(s, grp, buf, len);
	}
	enum aad_result r = aad_next_entry(s, &next->at, &e);
	return r == AAD_OK ? aad_group_fill(&e, grp, buf, len) : r;
}

enum nss_status _nss_aad_getgrent_r(struct group *grp, char *buf, size_t len, int *errnop)
{
	struct aad_borrowed b;
	int saved = errno;
	enum aad_result r = place(&groups, &b);
	if (r == AAD_OK) {
		struct enumeration next = groups;
		r = next_group(b.store, &next, grp, buf, len);
		if (r != AAD_SMALL)
			groups = next;
		aad_give_back(&b);
	}
	return aad_status(r, saved, errnop);
}
