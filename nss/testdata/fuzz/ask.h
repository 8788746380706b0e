// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Every question that there is, put to bytes that may be anything.
#ifndef ASK_H
#define ASK_H

#include <stddef.h>
#include <stdint.h>

struct query {
	const char *name;
	uint32_t uid; // also a gid
};

// ask aborts at an answer that no store may give: to another question, with an
// id of the system's, or with a string that does not end in the buffer. It
// returns how many answers there were, 0 for what is no store. Reading or
// writing elsewhere is for the sanitizers to see, so data should be an
// allocation of just that size; it may be of up to ASK_MOST.
enum { ASK_MOST = 1 << 16 };

unsigned ask(const uint8_t *data, size_t size, const struct query *q);

#endif
