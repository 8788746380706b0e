/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <string.h>

#include "answer.h"
#include "entry.h"
#include "shared.h"

/*
 * An enumeration belongs to the process, as getpwent_r(3) says: it may go on in another thread.
 * glibc holds a lock of its own around each call. A caller without one may get entries twice or
 * not at all, since an enumeration holds only its position: no descriptor and no mapping. So
 * neither a fork nor a forgotten endpwent costs anything.
 */
struct enumeration {
	struct aad_cursor at;
	struct aad_identity file;
	unsigned groups;	/* of aad_users and aad_admins, returned already */
};

static struct enumeration passwds, groups;

/* Acquires the store, with the enumeration at its position in it. */
static enum aad_result resume(struct enumeration *n, struct aad_acquired *a)
{
	enum aad_result r = aad_acquire(a);

	if (r != AAD_OK)
		return r;
	if (memcmp(a->file, &n->file, sizeof n->file) != 0)
		aad_resume(a->store, &n->at);
	n->file = *a->file;
	return AAD_OK;
}

enum nss_status _nss_aad_setpwent(int stayopen)
{
	(void)stayopen;
	passwds = (struct enumeration){ 0 };
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_aad_endpwent(void)
{
	return _nss_aad_setpwent(0);
}

enum nss_status _nss_aad_getpwent_r(struct passwd *pwd, char *buf, size_t len, int *errnop)
{
	struct aad_acquired a;
	struct aad_cursor next;
	struct aad_entry e;
	int saved = errno;
	enum aad_result r = resume(&passwds, &a);

	if (r == AAD_OK) {
		next = passwds.at;
		r = aad_next_entry(a.store, &next, &e);
		if (r == AAD_OK)
			r = aad_passwd_fill(&e, pwd, buf, len);
		if (r != AAD_SMALL)	/* glibc asks again with a larger buffer */
			passwds.at = next;
		aad_release(&a);
	}
	return aad_status(r, saved, errnop);
}

enum nss_status _nss_aad_setgrent(int stayopen)
{
	(void)stayopen;
	groups = (struct enumeration){ 0 };
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_aad_endgrent(void)
{
	return _nss_aad_setgrent(0);
}

/* Returns aad_users, aad_admins, and then the private groups. */
static enum aad_result next_group(const struct aad_store *s, struct enumeration *next,
    struct group *grp, char *buf, size_t len)
{
	struct aad_entry e;
	enum aad_result r;

	switch (next->groups) {
	case 0:
		next->groups++;
		return aad_users_group(s, grp, buf, len);
	case 1:
		next->groups++;
		return aad_admins_group(s, grp, buf, len);
	}
	r = aad_next_entry(s, &next->at, &e);
	return r == AAD_OK ? aad_group_fill(&e, grp, buf, len) : r;
}

enum nss_status _nss_aad_getgrent_r(struct group *grp, char *buf, size_t len, int *errnop)
{
	struct aad_acquired a;
	struct enumeration next;
	int saved = errno;
	enum aad_result r = resume(&groups, &a);

	if (r == AAD_OK) {
		next = groups;
		r = next_group(a.store, &next, grp, buf, len);
		if (r != AAD_SMALL)
			groups = next;
		aad_release(&a);
	}
	return aad_status(r, saved, errnop);
}
