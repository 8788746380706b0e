// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Is this name ours? Decided here, in C, at once, so that a local user never waits for, pays for or depends on anything
 * of this module: not its configuration, not the network, and for ids below 1000 not even its store.
 */
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "door.h"
#include "../nss/aad.h"
#include "../nss/record.h"

/* Compiled in, as the store's path is (nss/store.h). */
#ifndef AAD_PASSWD
#define AAD_PASSWD "/etc/passwd"
#endif

enum { ENTRY_MAX = 1 << 20 };

/* An entry point of libnss_aad (nss/), linked into this module too; glibc has no header for what a name service exports. */
enum nss_status _nss_aad_getpwnam_r(const char *, struct passwd *, char *, size_t, int *);

typedef int lookup(const char *name, struct passwd *, char *buffer, size_t, struct passwd **found);

enum answer { ABSENT, ANSWERED, UNCERTAIN };

/* What the lookup says of the name. UNCERTAIN: it could not be asked. */
static enum answer uid_of(lookup *ask, const char *name, uint32_t *uid)
{
	struct passwd entry, *found = NULL;
	int error = ERANGE;

	for (size_t size = 1024; error == ERANGE && size <= ENTRY_MAX; size *= 4) {
		char *buffer = malloc(size);
		if (!buffer)
			return UNCERTAIN;
		error = ask(name, &entry, buffer, size, &found);
		if (error == 0 && found)
			*uid = entry.pw_uid;
		free(buffer);
	}
	return error ? UNCERTAIN : found ? ANSWERED : ABSENT;
}

/* The answer libnss_aad would give in this very process, from the same code, linked into this module. */
static int ours_r(const char *name, struct passwd *entry, char *buffer, size_t size, struct passwd **found)
{
	int error = 0;
	enum nss_status status = _nss_aad_getpwnam_r(name, entry, buffer, size, &error);

	*found = status == NSS_STATUS_SUCCESS ? entry : NULL;
	return status == NSS_STATUS_SUCCESS || status == NSS_STATUS_NOTFOUND ? 0 : error ? error : EIO;
}

/*
 * A host may be behind: nscd and its like go on answering for an account that has been removed or renamed, or has another uid now.
 * So what counts is whether it ever was ours; the worker then finds out what is so today, and refuses with its sentence. To call
 * it a local user would let a key in unasked. For the same reason all is ours that might be while the store cannot be read:
 * which names and ids are, the worker reads in the configuration, and passes on who has neither.
 */
static int may_be_ours(const struct aad_request *req)
{
	uint32_t own;

	if (uid_of(ours_r, req->user, &own) == ANSWERED && own == req->uid)
		return 1;
	switch (aad_was_ours(req->user, req->uid)) {
	case AAD_CLAIM_OURS:
		return 1;
	case AAD_CLAIM_FOREIGN:
		return 0;
	default:
		return aad_store_exists();
	}
}

/* In this order: hardly anybody's name is looked up in a file. */
static int ours_by_uid(const struct aad_request *req)
{
	if (req->uid < AAD_MIN_ID)	/* root and the system's: decided without a look at anything of ours */
		return 0;
	return may_be_ours(req) && !aad_local_line(AAD_PASSWD, req->user, req->uid);
}

/*
 * Local names always win. What the host's getpwnam(3) answers is what the session gets, so the name is ours only if it is or was
 * with that uid, and a line of /etc/passwd that says just what the host does wins over every record. A name the host doesn't know
 * at all may still be ours to refuse with a reason (upper case, nsswitch.conf without aad); without a store to say which domains
 * are ours, every name with an @ may be.
 */
int aad_claim_user(pam_handle_t *h, struct aad_request *req)
{
	uint32_t low, high;
	int ret = pam_get_user(h, &req->user, NULL);

	if (ret != PAM_SUCCESS)
		return ret;
	if (!req->user || !*req->user)
		return PAM_USER_UNKNOWN;
	req->known = uid_of(getpwnam_r, req->user, &req->uid) == ANSWERED;
	if (req->known)
		return ours_by_uid(req) ? PAM_SUCCESS : PAM_USER_UNKNOWN;
	switch (aad_claims(req->user, &low, &high)) {
	case AAD_CLAIM_OURS:
		return PAM_SUCCESS;
	case AAD_CLAIM_NO_STORE:
		return strchr(req->user, '@') ? PAM_SUCCESS : PAM_USER_UNKNOWN;
	default:
		return PAM_USER_UNKNOWN;
	}
}

/* In doubt it does: that only ever refuses who is no administrator. */
int aad_holds_admins(const struct aad_request *req)
{
	uint32_t low, high;
	int n, held = 0;
	gid_t *groups;

	if (getuid() == 0 || (req->known && req->uid != getuid()) || (n = getgroups(0, NULL)) <= 0)
		return 0;
	if (aad_claims(req->user, &low, &high) == AAD_CLAIM_NO_STORE || !(groups = calloc((size_t)n, sizeof *groups)))
		return 1;
	n = getgroups(n, groups);
	for (int i = 0; i < n; i++)
		held |= groups[i] == low + 1;
	free(groups);
	return n < 0 || held;
}
