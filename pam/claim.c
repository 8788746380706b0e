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
#include <sys/stat.h>
#include <unistd.h>

#include "door.h"
#include "../nss/aad.h"
#include "../nss/store.h"

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
 * A host that knows the name while our store is there and cannot be read: nscd remembers, or the store was damaged a moment
 * ago. Then what looks like ours is ours, for the worker to refuse: to call it a local user would let a key in unasked.
 */
static int looks_like_ours(const struct aad_request *req)
{
	struct stat there;
	uint32_t low, high;

	aad_claims(req->user, &low, &high);
	return stat(AAD_STORE, &there) == 0 && ((req->uid >= low && req->uid <= high) || strchr(req->user, '@'));
}

static int ours_by_uid(const struct aad_request *req)
{
	uint32_t own;

	if (req->uid < AAD_MIN_ID)	/* root and the system's: decided without a look at anything of ours */
		return 0;
	switch (uid_of(ours_r, req->user, &own)) {
	case ANSWERED:
		return own == req->uid;
	case ABSENT:
		return 0;
	default:
		return looks_like_ours(req);
	}
}

/*
 * Local names always win. What the host's getpwnam(3) answers is what the session gets, so the name is ours only if our
 * own answer has the same uid. A name the host doesn't know at all may still be ours to refuse with a reason (upper
 * case, nsswitch.conf without aad); without a store to say which domains are ours, every name with an @ may be.
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
