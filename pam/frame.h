/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Reading and writing the frames of door.h, in the host. */
#ifndef AAD_FRAME_H
#define AAD_FRAME_H

#include "door.h"

/* A frame that was read. */
struct aad_text {
	uint8_t type;
	uint16_t length;
	char text[AAD_FRAME_MAX + 1];	/* always ends in NUL */
};

/* Where frames come from, and what ends the wait for them. */
struct aad_input {
	int frames, client;
	int64_t deadline;
};

/* 0, or -1 with errno: ETIMEDOUT, EPIPE, EPROTO, ECANCELED as from aad_wait, or another one. */
int aad_read_frame(const struct aad_input *, struct aad_text *);

/* 1 if the worker sends nothing until then. Otherwise aad_read_frame finds out what there is. */
int aad_is_silent(const struct aad_input *, int64_t until);

/*
 * Sends a reply. The socket has room for it, since the worker asks again only after it has read the
 * reply before. If the worker has ended meanwhile, because of the time for instance, its last
 * frames say why, and nobody needs the reply. 0, or -1 with errno.
 */
int aad_reply(int frames, enum aad_reply, const char *text);

#endif
