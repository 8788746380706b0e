/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Is this name ours? The answer comes in C and at once, so that a local user never waits for
 * anything of this module, and never depends on it: neither on its configuration nor on the
 * network, nor, for ids below 1000 and lines of /etc/passwd, on its store.
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

/*
 * An entry point of libnss_aad (nss/), linked into this module, too. glibc has no header for the
 * entry points of a name service.
 */
enum nss_status _nss_aad_getpwnam_r(const char *, struct passwd *, char *, size_t, int *);

typedef int lookup(const char *name, struct passwd *, char *buffer, size_t, struct passwd **found);

/* Sets *uid if the lookup finds the name. AAD_UNCERTAIN: it could not be asked. */
static enum aad_answer look_up_uid(lookup *ask, const char *name, uint32_t *uid)
{
	struct passwd entry, *found = NULL;
	int error = ERANGE;

	for (size_t size = 1024; error == ERANGE && size <= ENTRY_MAX; size *= 4) {
		char *buffer = malloc(size);
		if (!buffer)
			return AAD_UNCERTAIN;
		error = ask(name, &entry, buffer, size, &found);
		if (error == 0 && found)
			*uid = entry.pw_uid;
		free(buffer);
	}
	return error ? AAD_UNCERTAIN : found ? AAD_YES : AAD_NO;
}

/* The answer of libnss_aad in this very process, from the same code, linked into this module. */
static int own_getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
    struct passwd **found)
{
	int error = 0;
	enum nss_status status = _nss_aad_getpwnam_r(name, entry, buffer, size, &error);

	*found = status == NSS_STATUS_SUCCESS ? entry : NULL;
	if (status == NSS_STATUS_SUCCESS || status == NSS_STATUS_NOTFOUND)
		return 0;
	return error ? error : EIO;
}

/*
 * The host's answer may be out of date: nscd and others go on answering for an account that has
 * been removed or renamed, or has another uid now. So the name is ours if it ever was. The worker
 * then finds out whether it is today, and refuses with a sentence. If the name counted as local, a
 * key would be let in without authorization. For the same reason everything that may be ours is
 * ours while the store cannot be read. The worker reads the rules in the configuration, and passes
 * on users who match neither by name nor by id.
 */
static int may_be_ours(const struct aad_request *req)
{
	uint32_t own;

	if (look_up_uid(own_getpwnam_r, req->user, &own) == AAD_YES && own == req->uid)
		return 1;
	switch (aad_was_ours(req->user, req->uid)) {
	case AAD_YES:
		return 1;
	case AAD_NO:
		return 0;
	default:
		return aad_store_exists();
	}
}

/* In this order, since most users are local ones, whose sudo then opens no store. */
static int is_ours_by_uid(const struct aad_request *req)
{
	/* Root and the system's users: the store does not matter. */
	if (req->uid < AAD_MIN_ID)
		return 0;
	return !aad_has_local_line(AAD_PASSWD, req->user, req->uid) && may_be_ours(req);
}

/*
 * Local names always win. The session gets what the host's getpwnam(3) returns, so the name is ours
 * only if it has or had that uid, and a line of /etc/passwd with the same name and uid wins over
 * every record. A name that the host does not know may still be ours, and is refused with a reason
 * (upper case, nsswitch.conf without aad). Without a store nothing tells which domains are ours, so
 * every name with an @ may be.
 */
static int check(struct aad_request *req)
{
	uint32_t low, high;

	req->known = look_up_uid(getpwnam_r, req->user, &req->uid) == AAD_YES;
	if (req->known)
		return is_ours_by_uid(req) ? PAM_SUCCESS : PAM_USER_UNKNOWN;
	switch (aad_is_ours(req->user, &low, &high)) {
	case AAD_YES:
		return PAM_SUCCESS;
	case AAD_UNCERTAIN:
		return strchr(req->user, '@') ? PAM_SUCCESS : PAM_USER_UNKNOWN;
	default:
		return PAM_USER_UNKNOWN;
	}
}

/* The user of this handle who was not ours when aad_check_user was called last. */
static const char foreign_key[] = "aad_login_foreign";

static void free_name(pam_handle_t *h, void *name, int status)
{
	(void)h, (void)status;
	free(name);
}

/* Without the note, aad_check_again asks once more. */
static void note_foreign(pam_handle_t *h, const char *user)
{
	char *name = malloc(strlen(user) + 1);

	if (!name)
		return;
	strcpy(name, user);
	if (pam_set_data(h, foreign_key, name, free_name) != PAM_SUCCESS)
		free(name);
}

static int is_foreign(pam_handle_t *h)
{
	const void *foreign = NULL, *user = NULL;

	return pam_get_data(h, foreign_key, &foreign) == PAM_SUCCESS && foreign &&
	    pam_get_item(h, PAM_USER, &user) == PAM_SUCCESS && user &&
	    strcmp(user, foreign) == 0;
}

int aad_check_user(pam_handle_t *h, struct aad_request *req)
{
	int ret = pam_get_user(h, &req->user, NULL);

	/* The host has no name yet, and calls again. Any other code would refuse local users. */
	if (ret == PAM_CONV_AGAIN)
		return PAM_INCOMPLETE;
	if (ret != PAM_SUCCESS)
		return ret;
	if (!req->user || !*req->user)
		return PAM_USER_UNKNOWN;
	ret = check(req);
	if (ret == PAM_USER_UNKNOWN)
		note_foreign(h, req->user);
	else if (is_foreign(h))
		pam_set_data(h, foreign_key, NULL, NULL);
	return ret;
}

int aad_check_again(pam_handle_t *h, struct aad_request *req)
{
	return is_foreign(h) ? PAM_USER_UNKNOWN : aad_check_user(h, req);
}

/* 1 in doubt: that can only refuse somebody who is no administrator. */
int aad_holds_admins(const struct aad_request *req)
{
	uint32_t low, high;
	int n, held = 0;
	gid_t *groups;

	if (getuid() == 0 || (req->known && req->uid != getuid()) || (n = getgroups(0, NULL)) <= 0)
		return 0;
	if (aad_is_ours(req->user, &low, &high) == AAD_UNCERTAIN)
		return 1;
	groups = calloc((size_t)n, sizeof *groups);
	if (!groups)
		return 1;
	n = getgroups(n, groups);
	for (int i = 0; i < n; i++)
		held |= groups[i] == low + 1;
	free(groups);
	return n < 0 || held;
}
