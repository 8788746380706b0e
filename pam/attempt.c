/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The correlation id of an attempt, which every log line of the attempt has. */
#include <stdio.h>
#include <sys/random.h>

#include "door.h"

/*
 * The form is that of Microsoft's correlation ids (RFC 9562, Section 5.4). Without random bytes a
 * sign-in is only harder to find.
 */
void aad_new_attempt(struct aad_request *req)
{
	unsigned char b[16] = { 0 };

	(void)!getrandom(b, sizeof b, GRND_NONBLOCK);
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	for (size_t i = 0, at = 0; i < sizeof b; i++)
		at += (size_t)sprintf(req->attempt + at, "%s%02x",
		    i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
}
