// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/* The host's side of the socket: frames become conversation, log lines and at last a return code. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <security/pam_ext.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "door.h"

struct frame {
	uint8_t type;
	uint16_t length;
	char text[AAD_FRAME_MAX + 1];	/* always ends in NUL */
};

/* Where frames come from, and what ends the wait for them. */
struct source {
	int frames, client;
	int64_t deadline;
};

int64_t aad_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Exactly n bytes, or -1. What is queued already is read even after the deadline: it may say why it took so long. */
static int read_all(const struct source *from, void *to, size_t n)
{
	for (char *p = to; n > 0;) {
		int64_t left = from->deadline - aad_now();
		int ready = aad_wait(from->frames, from->client, left > 0 ? (int)left : 0);
		if (ready == 0)
			return errno = ETIMEDOUT, -1;
		ssize_t got = ready < 0 ? -1 : read(from->frames, p, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return errno = got && errno != ECONNRESET ? errno : EPIPE, -1;	/* it died before it had read a reply */
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int read_frame(const struct source *from, struct frame *f)
{
	uint8_t head[3];

	if (read_all(from, head, sizeof head))
		return -1;
	f->type = head[0];
	f->length = (uint16_t)(head[1] | head[2] << 8);
	if (f->length > AAD_FRAME_MAX)
		return errno = EPROTO, -1;
	if (read_all(from, f->text, f->length))
		return -1;
	f->text[f->length] = 0;
	return 0;
}

static uint32_t little_endian(const char *text)
{
	const uint8_t *b = (const uint8_t *)text;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void broken(struct aad_end *end, const struct aad_request *req, const struct aad_worker *worker)
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
		aad_read_crash(worker->words, &crash);
		aad_failed(end, req, PAM_SYSTEM_ERR, LOG_ERR, "worker-died", "error", crash.error, "stack", crash.stack, NULL);
		break;
	default:
		aad_failed(end, req, PAM_SYSTEM_ERR, LOG_ERR, "worker-failed", "error", strerror(cause), NULL);
	}
}

/* The codes a worker may end with. Anything else, the codes libpam uses for control among them, is a broken worker. */
static int is_result(int code)
{
	switch (code) {
	case PAM_SUCCESS: case PAM_AUTH_ERR: case PAM_PERM_DENIED: case PAM_AUTHINFO_UNAVAIL: case PAM_USER_UNKNOWN:
	case PAM_IGNORE: case PAM_CONV_ERR: case PAM_SERVICE_ERR: case PAM_SYSTEM_ERR:
		return 1;
	default:
		return 0;
	}
}

/* 0, or -1 if this is no result. Nobody is let in without a line that says so. */
static int read_result(const struct frame *f, struct aad_end *end)
{
	if (f->length < 1 || !is_result((unsigned char)f->text[0]))
		return errno = EPROTO, -1;
	end->code = (unsigned char)f->text[0];	/* its last words stay */
	end->priority = 0;
	*end->line = 0;
	end->sentence = NULL;
	if (f->length > 1) {
		end->priority = f->text[1] & LOG_PRIMASK;
		memcpy(end->line, f->text + 2, f->length - 1);	/* with the NUL */
	}
	if (!*end->line && end->code != PAM_USER_UNKNOWN && end->code != PAM_IGNORE)
		return errno = EPROTO, -1;
	return 0;
}

/* Has the worker said nothing for so long? If not, read_frame finds out what there is. */
static int is_silent(const struct source *from, int64_t until)
{
	int ready;

	do {
		int64_t left = until - aad_now();
		ready = aad_wait(from->frames, from->client, left > 0 ? (int)left : 0);
	} while (ready < 0 && errno == EINTR);
	return ready == 0;
}

/*
 * A prompt, and the one that follows it as long as ENTER comes before the browser: the client waits for the server then, and its own
 * patience may be shorter (ServerAliveInterval). Not after an ENTER that no person has pressed, who would not press the next either.
 */
static int ask(pam_handle_t *h, const struct source *from, const struct frame *f, const char *again)
{
	const char *text = f->text;
	int64_t asked, answered;
	int ret;

	do {
		asked = aad_now();
		if ((ret = aad_ask(h, text)) != PAM_SUCCESS)
			return ret;
		answered = aad_now();
		text = again;
	} while (*again && answered - asked >= AAD_AT_ONCE && answered + AAD_SILENCE < from->deadline &&
	    is_silent(from, answered + AAD_SILENCE));
	return ret;
}

/*
 * There is room for it: the worker asks again only when it has read the reply before. If it has ended meanwhile, for lack of time say, its
 * last frames say why, and nobody misses the reply.
 */
static int reply(int frames, enum aad_reply type, const char *text)
{
	size_t n = strlen(text);
	uint8_t head[] = { type, (uint8_t)n, (uint8_t)(n >> 8) };
	struct iovec parts[] = { { head, sizeof head }, { (char *)text, n } };
	const struct msghdr all = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent = sendmsg(frames, &all, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent == (ssize_t)(sizeof head + n) || (sent < 0 && (errno == EPIPE || errno == ECONNRESET)))
		return 0;
	return errno = sent < 0 ? errno : EPROTO, -1;
}

/* Sets *ret as aad_question does. -1: the worker is broken. */
static int question(pam_handle_t *h, const struct source *from, const struct frame *f, struct aad_person *person, int *ret)
{
	char *typed = NULL;
	int failed = 0;

	if (f->length < 1 || (uint8_t)f->text[0] > 1)
		return errno = EPROTO, -1;
	*ret = aad_question(h, f->text[0] ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, f->text + 1, person, &typed);
	if (*ret == PAM_SUCCESS)
		failed = reply(from->frames, AAD_TYPED, typed);
	else if (*ret == PAM_BUF_ERR)
		failed = reply(from->frames, AAD_TOO_LONG, "");
	int cause = errno;
	aad_wipe(&typed);
	return errno = cause, failed;
}

/* What a program has stored is no password of these accounts, and sshd would have it asked for the next code. */
static void not_asked(struct aad_end *end, const struct aad_request *req, int ret)
{
	if (ret != PAM_MAXTRIES || !aad_in_sshd())
		return aad_failed(end, req, PAM_CONV_ERR, LOG_NOTICE, "conversation-failed", NULL);
	aad_failed(end, req, PAM_MAXTRIES, LOG_NOTICE, "stored-password", NULL);
	end->sentence = "Your program answered by itself, with a password that it has stored. This account has none: let the "
	    "program use a key, or a connection that is open already (ControlMaster).";
}

static void follow(pam_handle_t *h, const struct aad_request *req, const struct aad_worker *worker, struct aad_end *end)
{
	struct frame f, again = { 0 };
	struct source from = { worker->frames, aad_client(req->rhost), aad_now() + AAD_FIRST_DEADLINE * 1000 };
	struct aad_person person = { 0 };
	int ret;

	*end->last = 0;
	for (;;) {
		if (read_frame(&from, &f))
			return broken(end, req, worker);
		switch (f.type) {
		case AAD_PROMPT:
			if ((ret = ask(h, &from, &f, again.text)) != PAM_SUCCESS)
				return not_asked(end, req, ret);
			break;
		case AAD_AGAIN:
			again = f;
			break;
		case AAD_ASK:
			if (question(h, &from, &f, &person, &ret))
				return broken(end, req, worker);
			if (ret != PAM_SUCCESS && ret != PAM_BUF_ERR)
				return not_asked(end, req, ret);
			break;
		case AAD_ERROR:
			pam_error(h, "%s", f.text);
			aad_keep_said(f.text);
			break;
		case AAD_LAST:
			if (f.length > AAD_LAST_MAX)
				return errno = EPROTO, broken(end, req, worker);
			memcpy(end->last, f.text, f.length + 1);
			break;
		case AAD_LOG:
			if (f.length > 1)
				pam_syslog(h, f.text[0] & LOG_PRIMASK, "%s", f.text + 1);
			break;
		case AAD_DEADLINE:
			if (f.length != 4 || little_endian(f.text) > INT_MAX / 1000)	/* poll(2) counts in an int */
				return errno = EPROTO, broken(end, req, worker);
			from.deadline = aad_now() + (int64_t)little_endian(f.text) * 1000;
			break;
		case AAD_RESULT:
			if (read_result(&f, end))
				return broken(end, req, worker);
			if (end->code == PAM_SUCCESS && aad_now() > from.deadline)	/* ENTER, an hour after the browser */
				return errno = ETIMEDOUT, broken(end, req, worker);
			if (end->code == PAM_SUCCESS)
				*end->last = 0;
			return;
		default:
			return errno = EPROTO, broken(end, req, worker);
		}
	}
}

void aad_relay(pam_handle_t *h, const struct aad_request *req, const struct aad_worker *worker, struct aad_end *end)
{
	struct sigaction before[AAD_DEADLY];

	aad_catch(req, before);
	follow(h, req, worker, end);
	aad_release(before);
}
