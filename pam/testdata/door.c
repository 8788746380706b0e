/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The entry points, in a host whose conversation sets an item of the handle.
 *
 *	door ITEM PHASE RESULT
 *
 * ITEM is "user", "service" or "rhost", or "none". PHASE is "auth" or "account". RESULT is the
 * worker's PAM return code, or -1 for a worker that has died. The program prints the return code of
 * the phase, that of the account phase after it with whether it has asked a worker, and then the
 * lines of the log.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../door.c"

static char *items[16];	/* as libpam has them: an item that is set anew is freed */
static int changes, result, workers;
static char log_lines[2048];

int pam_set_item(pam_handle_t *h, int which, const void *value)
{
	(void)h;
	free(items[which]);
	items[which] = value ? strdup(value) : NULL;
	return PAM_SUCCESS;
}

int pam_get_item(const pam_handle_t *h, int which, const void **value)
{
	(void)h;
	*value = items[which];
	return PAM_SUCCESS;
}

static void *data;

int pam_set_data(pam_handle_t *h, const char *key, void *value,
    void (*end)(pam_handle_t *, void *, int))
{
	(void)h, (void)key, (void)end;
	free(data);
	data = value;
	return PAM_SUCCESS;
}

int pam_get_data(const pam_handle_t *h, const char *key, const void **value)
{
	(void)h, (void)key;
	*value = data;
	return data ? PAM_SUCCESS : PAM_NO_MODULE_DATA;
}

int pam_prompt(pam_handle_t *h, int style, char **response, const char *format, ...)
{
	(void)h, (void)style, (void)response, (void)format;
	return PAM_SUCCESS;
}

void pam_syslog(const pam_handle_t *h, int priority, const char *format, ...)
{
	size_t n = strlen(log_lines);
	va_list args;

	(void)h, (void)priority;
	va_start(args, format);
	vsnprintf(log_lines + n, sizeof log_lines - n, format, args);
	va_end(args);
	strcat(log_lines, "\n");
}

/* A host that does not know the name, as before the first sign-in. */
int aad_check_user(pam_handle_t *h, struct aad_request *req)
{
	(void)h;
	req->user = items[PAM_USER];
	return PAM_SUCCESS;
}

int aad_check_again(pam_handle_t *h, struct aad_request *req)
{
	return aad_check_user(h, req);
}

int aad_worker_start(const struct aad_request *req, struct aad_worker *w)
{
	(void)req, (void)w;
	workers++;
	return 0;
}

void aad_worker_end(struct aad_worker *w)
{
	(void)w;
}

void aad_relay(pam_handle_t *h, const struct aad_request *req, const struct aad_worker *w,
    struct aad_end *end)
{
	(void)w;
	if (changes)
		pam_set_item(h, changes, "bob@contoso.com");
	if (result < 0) {
		aad_failed(end, req, PAM_SYSTEM_ERR, LOG_ERR, "worker-died", NULL);
		return;
	}
	*end = (struct aad_end){ .code = result, .line = "the worker's line" };
}

int aad_ask(pam_handle_t *h, const char *text)
{
	(void)h, (void)text;
	return PAM_SUCCESS;
}

int aad_shows_code(const char *service)
{
	return strcmp(service, "sudo") == 0;
}

void aad_refuse_service(struct aad_end *end, const struct aad_request *req)
{
	aad_denied(end, req, PAM_AUTH_ERR, "service-not-listed");
}

int aad_signed_in_elsewhere(const struct aad_request *req, const char *service)
{
	(void)req, (void)service;
	return 0;
}

int aad_holds_admins(const struct aad_request *req)
{
	(void)req;
	return 0;
}

int aad_in_sshd(void)
{
	return 0;
}

uint16_t aad_columns(void)
{
	return 0;
}

uint32_t aad_connected(void)
{
	return 0;
}

const char *aad_said(void)
{
	return NULL;
}

void aad_note_connection(void)
{
}

void aad_new_attempt(struct aad_request *req)
{
	strcpy(req->attempt, "an-attempt");
}

void aad_open_window(const struct aad_request *req)
{
	(void)req;
}

void aad_session_begins(const struct aad_request *req, const char *rhost)
{
	(void)req, (void)rhost;
}

void aad_session_ends(const struct aad_request *req, const char *rhost)
{
	(void)req, (void)rhost;
}

static int item_of(const char *name)
{
	if (strcmp(name, "user") == 0)
		return PAM_USER;
	if (strcmp(name, "service") == 0)
		return PAM_SERVICE;
	return strcmp(name, "rhost") == 0 ? PAM_RHOST : 0;
}

int main(int argc, char **argv)
{
	static char byte;
	pam_handle_t *h = (pam_handle_t *)&byte;
	int code, before;

	if (argc != 4)
		return 2;
	pam_set_item(h, PAM_USER, "alice@contoso.com");
	pam_set_item(h, PAM_SERVICE, "sudo");
	pam_set_item(h, PAM_RHOST, "198.51.100.7");
	changes = item_of(argv[1]);
	result = atoi(argv[3]);
	if (strcmp(argv[2], "auth") == 0)
		code = pam_sm_authenticate(h, 0, 0, NULL);
	else
		code = pam_sm_acct_mgmt(h, 0, 0, NULL);
	printf("%d\n", code);
	before = workers;
	changes = 0;
	result = PAM_PERM_DENIED;
	code = pam_sm_acct_mgmt(h, 0, 0, NULL);
	printf("%d%s\n", code, workers > before ? " asked" : "");
	fputs(log_lines, stdout);
	for (size_t i = 0; i < sizeof items / sizeof *items; i++)
		free(items[i]);
	free(data);
	return 0;
}
