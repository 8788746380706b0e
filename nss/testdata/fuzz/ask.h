/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Asks every question of bytes that may be anything. */
#ifndef ASK_H
#define ASK_H

#include <stddef.h>
#include <stdint.h>

struct query {
	const char *name;
	uint32_t uid;	/* also a gid */
};

/*
 * Aborts at an answer that no store may give: to another question, with one of the system's ids, or
 * with a string that does not end in the buffer. Returns the number of answers, 0 for bytes that
 * are no store. The sanitizers find accesses to other memory, so data should be an allocation of
 * exactly that size, at most ASK_MOST.
 */
enum { ASK_MOST = 1 << 16 };

unsigned ask(const uint8_t *data, size_t size, const struct query *q);

#endif
