/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

int64_t aad_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Returns -1, with this errno. */
static int fail(int error)
{
	errno = error;
	return -1;
}

/*
 * Reads exactly n bytes. 0, or -1 with errno. Queued bytes are read even after the deadline: they
 * may say why it took so long.
 */
static int read_all(const struct aad_input *in, void *to, size_t n)
{
	for (char *p = to; n > 0;) {
		int64_t left = in->deadline - aad_now();
		int ready = aad_wait(in->frames, in->client, left > 0 ? (int)left : 0);
		ssize_t got;

		if (ready == 0)
			return fail(ETIMEDOUT);
		got = ready < 0 ? -1 : read(in->frames, p, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0 || (got < 0 && errno == ECONNRESET))	/* with a reply unread */
			return fail(EPIPE);
		if (got < 0)
			return -1;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

int aad_read_frame(const struct aad_input *in, struct aad_text *f)
{
	uint8_t head[3];

	if (read_all(in, head, sizeof head))
		return -1;
	f->type = head[0];
	f->length = (uint16_t)(head[1] | head[2] << 8);
	if (f->length > AAD_FRAME_MAX)
		return fail(EPROTO);
	if (read_all(in, f->text, f->length))
		return -1;
	f->text[f->length] = 0;
	return 0;
}

int aad_is_silent(const struct aad_input *in, int64_t until)
{
	int ready;

	do {
		int64_t left = until - aad_now();

		ready = aad_wait(in->frames, in->client, left > 0 ? (int)left : 0);
	} while (ready < 0 && errno == EINTR);
	return ready == 0;
}

int aad_reply(int frames, enum aad_reply type, const char *text)
{
	size_t n = strlen(text);
	uint8_t head[] = { type, (uint8_t)n, (uint8_t)(n >> 8) };
	struct iovec parts[] = { { head, sizeof head }, { (char *)text, n } };
	const struct msghdr all = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent = sendmsg(frames, &all, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent == (ssize_t)(sizeof head + n))
		return 0;
	if (sent < 0)
		return errno == EPIPE || errno == ECONNRESET ? 0 : -1;
	return fail(EPROTO);
}
