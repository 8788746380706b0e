/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The fuzz target of libFuzzer and AFL++. An input is a store and a query:
 *
 *	0     the store
 *	then  the name to look up, n bytes
 *	then  u32 the uid to look up
 *	then  u8 n
 *
 * The query comes last because every offset in a store counts from its beginning.
 */
#include "ask.h"

#include <stdlib.h>
#include <string.h>

enum { TAIL = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *tail;
	struct query q;
	size_t n;
	char *name;
	uint8_t *store;

	if (size < TAIL || size > ASK_MOST)
		return 0;
	size -= TAIL;
	tail = data + size;
	n = tail[4] < size ? tail[4] : size;
	size -= n;
	memcpy(&q.uid, tail, sizeof q.uid);
	name = malloc(n + 1);
	memcpy(name, data + size, n);
	name[n] = '\0';
	q.name = name;
	store = malloc(size);	/* so that the byte after it is no memory */
	memcpy(store, data, size);
	ask(store, size, &q);
	free(store);
	free(name);
	return 0;
}
