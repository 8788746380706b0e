// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/* The host's side of the pipe: frames become conversation, log lines and at last a return code. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "door.h"

struct frame {
	uint8_t type;
	uint16_t length;
	char text[AAD_FRAME_MAX + 1];	/* always ends in NUL */
};

static int64_t now(void)	/* milliseconds; a clock nobody can set */
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Exactly n bytes, or -1. What is queued already is read even after the deadline: it may say why it took so long. */
static int read_all(int fd, void *to, size_t n, int64_t deadline)
{
	for (char *p = to; n > 0;) {
		int64_t left = deadline - now();
		int ready = aad_wait(fd, left > 0 ? (int)left : 0);
		if (ready == 0)
			return errno = ETIMEDOUT, -1;
		ssize_t got = ready < 0 ? -1 : read(fd, p, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return errno = got ? errno : EPIPE, -1;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int read_frame(int fd, struct frame *f, int64_t deadline)
{
	uint8_t head[3];

	if (read_all(fd, head, sizeof head, deadline))
		return -1;
	f->type = head[0];
	f->length = (uint16_t)(head[1] | head[2] << 8);
	if (f->length > AAD_FRAME_MAX)
		return errno = EPROTO, -1;
	if (read_all(fd, f->text, f->length, deadline))
		return -1;
	f->text[f->length] = 0;
	return 0;
}

/*
 * With echo, because sshd's password authentication answers every prompt without echo by the password it was given: it would
 * "press ENTER" for a code that nobody has seen, and hold the connection until the code expires. A prompt with echo it
 * refuses at once. What is typed here is wiped and thrown away; only that the conversation came back matters.
 */
static int prompt(pam_handle_t *h, const char *text)
{
	char *typed = NULL;
	int ret = pam_prompt(h, PAM_PROMPT_ECHO_ON, &typed, "%s", text);

	if (typed) {
		explicit_bzero(typed, strlen(typed));
		free(typed);
	}
	return ret == PAM_SUCCESS ? PAM_SUCCESS : PAM_CONV_ERR;
}

static uint32_t little_endian(const char *text)
{
	const uint8_t *b = (const uint8_t *)text;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static int broken(pam_handle_t *h)
{
	int cause = errno;	/* a conversation has errors of its own */

	if (cause == ETIMEDOUT)
		pam_error(h, "The sign-in took too long and was given up. Try again.");
	pam_syslog(h, LOG_ERR, "worker-failed cause=\"%s\"", strerror(cause));
	return PAM_SYSTEM_ERR;
}

/* The codes a worker may end with. Anything else, the codes libpam uses for control among them, is a broken worker. */
static int known_result(int code)
{
	switch (code) {
	case PAM_SUCCESS: case PAM_AUTH_ERR: case PAM_PERM_DENIED: case PAM_AUTHINFO_UNAVAIL: case PAM_USER_UNKNOWN:
	case PAM_IGNORE: case PAM_CONV_ERR: case PAM_SERVICE_ERR: case PAM_SYSTEM_ERR:
		return code;
	default:
		return PAM_SYSTEM_ERR;
	}
}

int aad_relay(pam_handle_t *h, int frames)
{
	struct frame f;
	int64_t deadline = now() + AAD_FIRST_DEADLINE * 1000;

	for (;;) {
		if (read_frame(frames, &f, deadline))
			return errno == ECANCELED ? PAM_CONV_ERR : broken(h);
		switch (f.type) {
		case AAD_PROMPT:
			if (prompt(h, f.text) != PAM_SUCCESS)
				return PAM_CONV_ERR;
			break;
		case AAD_ERROR:
			pam_error(h, "%s", f.text);
			break;
		case AAD_LOG:
			if (f.length > 1)
				pam_syslog(h, f.text[0] & LOG_PRIMASK, "%s", f.text + 1);
			break;
		case AAD_DEADLINE:
			if (f.length != 4 || little_endian(f.text) > INT_MAX / 1000)	/* poll(2) counts in an int */
				return errno = EPROTO, broken(h);
			deadline = now() + (int64_t)little_endian(f.text) * 1000;
			break;
		case AAD_RESULT:
			if (f.length != 1)
				return errno = EPROTO, broken(h);
			if (f.text[0] == PAM_SUCCESS && now() > deadline)	/* ENTER, an hour after the browser */
				return errno = ETIMEDOUT, broken(h);
			return known_result((unsigned char)f.text[0]);
		default:
			return errno = EPROTO, broken(h);
		}
	}
}
