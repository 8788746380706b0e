/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The host's side of the socket: turns frames into conversation, log lines and finally a return
 * code.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <security/pam_ext.h>
#include <string.h>
#include <syslog.h>

#include "frame.h"

/* An attempt, as far as the relay is concerned. */
struct relay {
	pam_handle_t *h;
	const struct aad_request *req;
	struct aad_input in;
	struct aad_text again;	/* text of the next prompt, or empty */
	struct aad_person person;
	struct aad_end *end;
};

/* What has become of an attempt after a frame. BROKEN: the worker, with errno. */
enum state { OPEN, ENDED, BROKEN };

static enum state broken(int error)
{
	errno = error;
	return BROKEN;
}

static uint32_t little_endian(const char *text)
{
	const uint8_t *b = (const uint8_t *)text;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/*
 * The end of an attempt whose worker, or the wait for it, has failed with errno. What the worker
 * has left takes no room on the stack before.
 */
__attribute__((noinline))
static void fail_broken(struct aad_end *end, const struct aad_request *req, int errors)
{
	struct aad_crash crash;
	int cause = errno;

	switch (cause) {
	case ECANCELED:
		aad_failed(end, req, PAM_CONV_ERR, LOG_NOTICE, "interrupted", NULL);
		break;
	case ETIMEDOUT:
		aad_failed(end, req, PAM_SYSTEM_ERR, LOG_ERR, "time-out", NULL);
		end->sentence = "The sign-in took too long and was given up. Try again.";
		break;
	case EPIPE:
		aad_read_crash(errors, &crash);
		aad_failed(end, req, PAM_SYSTEM_ERR, LOG_ERR, "worker-died",
		    "error", crash.error, "stack", crash.stack, NULL);
		break;
	default:
		aad_failed(end, req, PAM_SYSTEM_ERR, LOG_ERR, "worker-failed",
		    "error", strerror(cause), NULL);
	}
}

/*
 * 1 for the codes that a worker may return. Any other code, also one that libpam uses for control,
 * is a broken worker.
 */
static int is_result(int code)
{
	switch (code) {
	case PAM_SUCCESS: case PAM_AUTH_ERR: case PAM_PERM_DENIED: case PAM_AUTHINFO_UNAVAIL:
	case PAM_USER_UNKNOWN: case PAM_IGNORE: case PAM_CONV_ERR: case PAM_SERVICE_ERR:
	case PAM_SYSTEM_ERR:
		return 1;
	default:
		return 0;
	}
}

/* 0, or -1 if this is no result. There is no success without a line that says so. */
static int read_result(const struct aad_text *f, struct aad_end *end)
{
	if (f->length < 1 || !is_result((unsigned char)f->text[0]))
		return -1;
	end->code = (unsigned char)f->text[0];	/* its last words stay */
	end->priority = 0;
	*end->line = 0;
	end->sentence = NULL;
	if (f->length > 1) {
		end->priority = f->text[1] & LOG_PRIMASK;
		memcpy(end->line, f->text + 2, f->length - 1);	/* with the NUL */
	}
	return *end->line || end->code == PAM_USER_UNKNOWN || end->code == PAM_IGNORE ? 0 : -1;
}

/*
 * Shows a prompt, and repeats it as long as ENTER comes before the browser. The client waits for
 * the server then, and its own time-out may be shorter (ServerAliveInterval). There is no
 * repetition after an ENTER that no person has pressed: nobody would press the next one either.
 */
static int ask(pam_handle_t *h, const struct aad_input *in, const char *text, const char *again)
{
	int64_t asked, answered;
	int ret;

	do {
		asked = aad_now();
		ret = aad_ask(h, text);
		if (ret != PAM_SUCCESS)
			return ret;
		answered = aad_now();
		text = again;
	} while (*again && answered - asked >= AAD_AT_ONCE &&
	    answered + AAD_SILENCE < in->deadline && aad_is_silent(in, answered + AAD_SILENCE));
	return ret;
}

/*
 * The end of an attempt without an answer. These accounts have no password that a program could
 * store, and sshd would ask such a program for the next code.
 */
static enum state fail_unasked(struct relay *r, int ret)
{
	if (ret != PAM_MAXTRIES || !aad_in_sshd()) {
		aad_failed(r->end, r->req, PAM_CONV_ERR, LOG_NOTICE, "conversation-failed", NULL);
		return ENDED;
	}
	aad_failed(r->end, r->req, PAM_MAXTRIES, LOG_NOTICE, "stored-password", NULL);
	r->end->sentence = "Your program answered by itself, with a password that it has stored. "
	    "This account has none: let the program use a key, or a connection that is open "
	    "already (ControlMaster).";
	return ENDED;
}

static enum state question(struct relay *r, const struct aad_text *f)
{
	char *typed = NULL;
	int ret, style, failed = 0, error;

	if (f->length < 1 || (uint8_t)f->text[0] > 1)
		return broken(EPROTO);
	style = f->text[0] ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF;
	ret = aad_question(r->h, style, f->text + 1, &r->person, &typed);
	if (ret == PAM_SUCCESS)
		failed = aad_reply(r->in.frames, AAD_TYPED, typed);
	else if (ret == PAM_BUF_ERR)
		failed = aad_reply(r->in.frames, AAD_TOO_LONG, "");
	error = errno;
	aad_wipe(&typed);
	if (failed)
		return broken(error);
	return ret == PAM_SUCCESS || ret == PAM_BUF_ERR ? OPEN : fail_unasked(r, ret);
}

static enum state set_deadline(struct relay *r, const struct aad_text *f)
{
	if (f->length != 4 || little_endian(f->text) > INT_MAX / 1000)	/* poll(2) takes an int */
		return broken(EPROTO);
	r->in.deadline = aad_now() + (int64_t)little_endian(f->text) * 1000;
	return OPEN;
}

static enum state keep_last_words(struct relay *r, const struct aad_text *f)
{
	if (f->length > AAD_LAST_MAX)
		return broken(EPROTO);
	memcpy(r->end->last, f->text, f->length + 1);
	return OPEN;
}

static enum state end(struct relay *r, const struct aad_text *f)
{
	if (read_result(f, r->end))
		return broken(EPROTO);
	if (r->end->code != PAM_SUCCESS)
		return ENDED;
	if (aad_now() > r->in.deadline)	/* ENTER, an hour after the browser */
		return broken(ETIMEDOUT);
	*r->end->last = 0;
	return ENDED;
}

static enum state handle(struct relay *r, const struct aad_text *f)
{
	int ret;

	switch (f->type) {
	case AAD_PROMPT:
		ret = ask(r->h, &r->in, f->text, r->again.text);
		return ret == PAM_SUCCESS ? OPEN : fail_unasked(r, ret);
	case AAD_AGAIN:
		r->again = *f;
		return OPEN;
	case AAD_ASK:
		return question(r, f);
	case AAD_ERROR:
		pam_error(r->h, "%s", f->text);
		aad_keep_said(f->text);
		return OPEN;
	case AAD_LAST:
		return keep_last_words(r, f);
	case AAD_LOG:
		if (f->length > 1)
			pam_syslog(r->h, f->text[0] & LOG_PRIMASK, "%s", f->text + 1);
		return OPEN;
	case AAD_DEADLINE:
		return set_deadline(r, f);
	case AAD_RESULT:
		return end(r, f);
	default:
		return broken(EPROTO);
	}
}

/*
 * Handles frames until the attempt has ended. The frames have a stack frame of their own, so that
 * what is called before and after it has room on a host's small stack, too.
 */
__attribute__((noinline))
static enum state follow(pam_handle_t *h, const struct aad_request *req,
    const struct aad_worker *worker, struct aad_end *end)
{
	struct relay r = { .h = h, .req = req, .end = end };
	struct aad_text f;
	enum state state = OPEN;

	r.in.frames = worker->frames;
	r.in.client = aad_client(req->rhost);
	r.in.deadline = aad_now() + AAD_FIRST_DEADLINE * 1000;
	while (state == OPEN)
		state = aad_read_frame(&r.in, &f) ? BROKEN : handle(&r, &f);
	return state;
}

void aad_relay(pam_handle_t *h, const struct aad_request *req, const struct aad_worker *worker,
    struct aad_end *end)
{
	struct sigaction before[AAD_DEADLY];

	aad_catch_signals(req, before);
	*end->last = 0;
	if (follow(h, req, worker, end) == BROKEN)
		fail_broken(end, req, worker->errors);
	aad_restore_signals(before);
}
