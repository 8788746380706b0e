/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "answer.h"
#include "entry.h"
#include "shared.h"

/*
 * "NSS Modules Interface" in the glibc manual has the pairs of status and error. The services of
 * glibc set no error at the end of an enumeration and for a name that nobody has, and programs that
 * set errno to 0 before a call look at it afterwards (libsemanage). A store that does not exist is
 * an inactive service, which the manual wants to have no entries rather than to be unavailable.
 */
enum nss_status aad_status(enum aad_result r, int saved, int *errnop)
{
	errno = saved;
	switch (r) {
	case AAD_OK:
		return NSS_STATUS_SUCCESS;
	case AAD_ABSENT:
	case AAD_FOREIGN:
	case AAD_NO_STORE:
		return NSS_STATUS_NOTFOUND;
	case AAD_SMALL:
		*errnop = ERANGE;
		return NSS_STATUS_TRYAGAIN;
	case AAD_BUSY:
		*errnop = EAGAIN;
		return NSS_STATUS_TRYAGAIN;
	case AAD_DAMAGED:
		break;
	}
	*errnop = ENOENT;
	return NSS_STATUS_UNAVAIL;
}

AAD_FLAT enum nss_status _nss_aad_getpwnam_r(const char *name, struct passwd *pwd,
    char *buf, size_t len, int *errnop)
{
	struct aad_acquired a;
	int saved = errno;
	enum aad_result r = aad_acquire(&a);

	if (r == AAD_OK) {
		r = aad_passwd_by_name(a.store, name, pwd, buf, len);
		aad_release(&a);
	}
	return aad_status(r, saved, errnop);
}

AAD_FLAT enum nss_status _nss_aad_getpwuid_r(uid_t uid, struct passwd *pwd,
    char *buf, size_t len, int *errnop)
{
	struct aad_acquired a;
	int saved = errno;
	enum aad_result r = uid < AAD_MIN_ID ? AAD_ABSENT : aad_acquire(&a);

	if (r == AAD_OK) {
		r = aad_passwd_by_uid(a.store, uid, pwd, buf, len);
		aad_release(&a);
	}
	return aad_status(r, saved, errnop);
}

AAD_FLAT enum nss_status _nss_aad_getgrnam_r(const char *name, struct group *grp,
    char *buf, size_t len, int *errnop)
{
	struct aad_acquired a;
	int saved = errno;
	enum aad_result r = aad_acquire(&a);

	if (r == AAD_OK) {
		r = aad_group_by_name(a.store, name, grp, buf, len);
		aad_release(&a);
	}
	return aad_status(r, saved, errnop);
}

AAD_FLAT enum nss_status _nss_aad_getgrgid_r(gid_t gid, struct group *grp,
    char *buf, size_t len, int *errnop)
{
	struct aad_acquired a;
	int saved = errno;
	enum aad_result r = gid < AAD_MIN_ID ? AAD_ABSENT : aad_acquire(&a);

	if (r == AAD_OK) {
		r = aad_group_by_gid(a.store, gid, grp, buf, len);
		aad_release(&a);
	}
	return aad_status(r, saved, errnop);
}

AAD_FLAT enum nss_status _nss_aad_initgroups_dyn(const char *user, gid_t group,
    long *start, long *size, gid_t **groups, long limit, int *errnop)
{
	struct aad_acquired a;
	struct aad_gid_list list = { group, start, size, groups, limit };
	int saved = errno;
	enum aad_result r = aad_acquire(&a);

	if (r == AAD_OK) {
		r = aad_initgroups(a.store, user, &list);
		aad_release(&a);
	}
	return aad_status(r, saved, errnop);
}
