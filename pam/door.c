/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The entry points that libpam calls. They only sequence steps; door.h has the map. */
#define _GNU_SOURCE
#include <errno.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "door.h"
#include "../nss/store.h"

/* accounts.cdb as it was when this module was loaded: see store_ino in door.h. */
static struct stat store_at_load;

/*
 * Everything that runs at load time: the Makefile links with -init=aad_note_store, since
 * .init_array is of Go and asleep.
 */
void aad_note_store(void)
{
	aad_note_connection();
	if (stat(AAD_STORE, &store_at_load))
		memset(&store_at_load, 0, sizeof store_at_load);
}

/*
 * How the last authentication on this handle ended. PAM_SUCCESS: the account phase of the handle
 * need not ask again. A refusal for good: sudo's next attempt says so at once, and not with a new
 * code. PAM_USER_UNKNOWN: the name was not ours. A later authentication takes an earlier success
 * back.
 */
struct verdict {
	int code;
	char user[];
};

static const char verdict_key[] = "aad_login_verdict";

static void free_verdict(pam_handle_t *h, void *data, int status)
{
	(void)h, (void)status;
	free(data);
}

static void remember(pam_handle_t *h, const char *user, int code)
{
	struct verdict *v = user ? malloc(sizeof *v + strlen(user) + 1) : NULL;

	if (!v) {
		/* This is safe: the next phase asks again. */
		pam_set_data(h, verdict_key, NULL, NULL);
		return;
	}
	v->code = code;
	strcpy(v->user, user);
	if (pam_set_data(h, verdict_key, v, free_verdict) != PAM_SUCCESS)
		free(v);
}

/* NULL: nobody has authenticated on this handle, or the module could not remember it. */
static const struct verdict *last_verdict(pam_handle_t *h)
{
	const void *data = NULL;

	return pam_get_data(h, verdict_key, &data) == PAM_SUCCESS ? data : NULL;
}

static int remembered(pam_handle_t *h, const char *user, int code)
{
	const struct verdict *v = last_verdict(h);

	return v && v->code == code && strcmp(v->user, user) == 0;
}

static int fail_argument(struct aad_end *end, const struct aad_request *req, const char *argument,
    const char *problem)
{
	aad_failed(end, req, PAM_SERVICE_ERR, LOG_ERR, "configuration-error",
	    "argument", argument, "problem", problem, NULL);
	end->sentence = "Tell the administrator of this machine: sign-in is not configured "
	    "correctly; the system log says what is wrong.";
	return -1;
}

/*
 * An unknown or wrong module argument is an error at once. Otherwise somebody would notice it whom
 * it lets in, or keeps out, by accident.
 */
static int read_arguments(int argc, const char **argv, struct aad_request *req, struct aad_end *end)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "debug") == 0)
			req->debug = 1;
		else if (strncmp(argv[i], "config=/", 8) == 0)
			req->config = argv[i] + 7;
		else if (strncmp(argv[i], "config=", 7) == 0)
			return fail_argument(end, req, argv[i], "config= wants an absolute path");
		else
			return fail_argument(end, req, argv[i],
			    "unknown module argument; known are config=PATH and debug");
	}
	return 0;
}

static const char *item(pam_handle_t *h, int which)
{
	const void *value = NULL;

	return pam_get_item(h, which, &value) == PAM_SUCCESS ? value : NULL;
}

static const char *copy(const char *text, int *failed)
{
	char *own = text ? strdup(text) : NULL;

	*failed |= text && !own;
	return own;
}

/*
 * Gives the request items of its own: libpam frees an item that is set anew, and a host may do so
 * in its conversation. 0, or -1. The caller calls free_items in both cases.
 */
static int copy_items(pam_handle_t *h, struct aad_request *req)
{
	int failed = 0;

	req->user = copy(req->user, &failed);
	req->service = copy(item(h, PAM_SERVICE), &failed);
	req->rhost = copy(item(h, PAM_RHOST), &failed);
	return failed ? -1 : 0;
}

static void free_items(struct aad_request *req)
{
	free((char *)req->user);
	free((char *)req->service);
	free((char *)req->rhost);
}

static int64_t nanoseconds(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static void ask_worker(pam_handle_t *h, int argc, const char **argv, struct aad_request *req,
    struct aad_end *end)
{
	struct aad_worker worker;

	if (read_arguments(argc, argv, req, end))
		return;
	req->caller = getuid();
	req->holds_admins = aad_holds_admins(req);
	req->store_ino = store_at_load.st_ino;
	req->store_mtime = nanoseconds(&store_at_load.st_mtim);
	if (geteuid() != 0) {
		aad_failed(end, req, PAM_SYSTEM_ERR, LOG_ERR, "not-root", NULL);
		return;
	}
	if (aad_worker_start(req, &worker)) {
		aad_failed(end, req, PAM_SYSTEM_ERR, LOG_ERR, "worker-failed",
		    "step", "fork", "error", strerror(errno), NULL);
		return;
	}
	aad_relay(h, req, &worker, end);
	aad_worker_end(&worker);
}

/*
 * Checks the worker's result against the host: the handle must have the same name still, and a name
 * that the host knew under a uid before must have that uid still.
 */
static int same_user(pam_handle_t *h, const struct aad_request *before)
{
	struct aad_request now = { 0 };
	const char *user = item(h, PAM_USER);

	if (!user || strcmp(user, before->user) != 0)
		return 0;
	if (!before->known)
		return 1;
	return aad_check_user(h, &now) == PAM_SUCCESS && now.known && now.uid == before->uid;
}

/*
 * One attempt, from the question to the one line in the log. The account phase, which asks nobody
 * for anything, authorizes in every service. The caller calls free_items.
 */
static int attempt(pam_handle_t *h, int argc, const char **argv, struct aad_request *req)
{
	struct aad_end end = { .code = PAM_SYSTEM_ERR };

	aad_new_attempt(req);
	if (copy_items(h, req))
		aad_failed(&end, req, PAM_SYSTEM_ERR, LOG_ERR, "worker-failed",
		    "step", "copy the items", "error", strerror(ENOMEM), NULL);
	else if (req->phase == AAD_AUTHENTICATE && !aad_shows_code(req->service))
		aad_refuse_service(&end, req);
	else
		ask_worker(h, argc, argv, req, &end);
	if (end.code == PAM_SUCCESS && !same_user(h, req))
		aad_failed(&end, req, PAM_SYSTEM_ERR, LOG_ERR, "user-changed", NULL);
	if (end.sentence)
		pam_error(h, "%s\nCorrelation ID: %s", end.sentence, req->attempt);
	if (*end.line)
		pam_syslog(h, end.priority, "%s", end.line);
	if (*end.last)
		/* A client that hangs up here has been refused all the same. */
		aad_ask(h, end.last);
	return end.code;
}

/*
 * sshd asks again after every failure, and its client then falls back to a password prompt. That
 * helps after a mistake in the browser (PAM_AUTH_ERR): the next attempt has a new code. Any other
 * result would stay the same, and PAM_MAXTRIES is the one code by which sshd does not ask again.
 */
static int for_host(int ret)
{
	switch (ret) {
	case PAM_PERM_DENIED: case PAM_AUTHINFO_UNAVAIL: case PAM_SERVICE_ERR: case PAM_SYSTEM_ERR:
		return aad_in_sshd() ? PAM_MAXTRIES : ret;
	default:
		return ret;
	}
}

int pam_sm_authenticate(pam_handle_t *h, int flags, int argc, const char **argv)
{
	struct aad_request req = { .phase = AAD_AUTHENTICATE };
	int ret = aad_check_user(h, &req);

	(void)flags;	/* PAM_SILENT, too: sudo sets it, and the person must see the device code */
	if (ret != PAM_SUCCESS) {
		remember(h, req.user, ret);
		return ret;
	}
	if (remembered(h, req.user, PAM_PERM_DENIED))
		return for_host(PAM_PERM_DENIED);
	req.columns = aad_in_sshd() ? AAD_COLUMNS : aad_columns();
	req.connected = aad_connected();
	req.said = aad_said();
	ret = attempt(h, argc, argv, &req);
	if (ret == PAM_SUCCESS)
		aad_open_window(&req);
	remember(h, req.user, ret);
	free_items(&req);
	return for_host(ret);
}

int pam_sm_acct_mgmt(pam_handle_t *h, int flags, int argc, const char **argv)
{
	struct aad_request req = { .phase = AAD_ACCOUNT };
	int ret = aad_check_user(h, &req);

	(void)flags;
	if (ret == PAM_USER_UNKNOWN)
		return PAM_IGNORE;
	if (ret != PAM_SUCCESS)
		return ret;
	if (remembered(h, req.user, PAM_SUCCESS))
		return PAM_SUCCESS;
	if (aad_signed_in_elsewhere(&req, item(h, PAM_SERVICE)))
		return PAM_IGNORE;
	ret = attempt(h, argc, argv, &req);
	free_items(&req);
	return ret;
}

/*
 * There are no credentials to set, but the result decides whether the host goes on. After an
 * authentication on this handle, libpam walks through the stack as it did then, and every module
 * must succeed again. So the result is that of the authentication, even if the user is another one
 * by now (in sudo it is root). sshd's keyboard-interactive authenticates in another process, and
 * after a key, in cron and in at nobody has authenticated. There this call decides by itself. So a
 * name that is not ours is unknown here, too: a line with default=die takes PAM_IGNORE for a
 * refusal.
 */
int pam_sm_setcred(pam_handle_t *h, int flags, int argc, const char **argv)
{
	const struct verdict *v = last_verdict(h);
	struct aad_request req = { 0 };

	(void)flags, (void)argc, (void)argv;
	return v ? for_host(v->code) : aad_check_again(h, &req);
}

/*
 * Without this function, libpam complains about a line "password ... pam_aad.so", and ends it like
 * one whose module is missing.
 */
int pam_sm_chauthtok(pam_handle_t *h, int flags, int argc, const char **argv)
{
	struct aad_request req = { 0 };
	int ret = aad_check_user(h, &req);

	(void)argc, (void)argv;
	if (ret != PAM_SUCCESS)
		return ret == PAM_USER_UNKNOWN ? PAM_IGNORE : ret;
	if (!(flags & PAM_SILENT))
		pam_error(h, "Your password is kept by Entra ID, not by this machine. "
		    "Change it there, with a browser.");
	return PAM_PERM_DENIED;
}

int pam_sm_open_session(pam_handle_t *h, int flags, int argc, const char **argv)
{
	struct aad_request req = { 0 };

	(void)flags, (void)argc, (void)argv;
	if (aad_check_again(h, &req) != PAM_SUCCESS)
		return PAM_IGNORE;
	aad_session_begins(&req, item(h, PAM_RHOST));
	return PAM_SUCCESS;
}

int pam_sm_close_session(pam_handle_t *h, int flags, int argc, const char **argv)
{
	struct aad_request req = { 0 };

	(void)flags, (void)argc, (void)argv;
	if (aad_check_again(h, &req) != PAM_SUCCESS)
		return PAM_IGNORE;
	aad_session_ends(&req, item(h, PAM_RHOST));
	return PAM_SUCCESS;
}
