// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// The fuzz target of libFuzzer and AFL++: a store and a query, in one input.
//
//	0     the store
//	then  the name asked for, n bytes
//	then  u32 the uid asked for
//	then  u8 n
//
// The query is last because every offset in a store counts from its beginning.
#include "ask.h"

#include <stdlib.h>
#include <string.h>

enum { TAIL = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < TAIL || size > ASK_MOST)
		return 0;
	size -= TAIL;
	const uint8_t *tail = data + size;
	size_t n = tail[4] < size ? tail[4] : size;
	size -= n;
	struct query q;
	memcpy(&q.uid, tail, sizeof q.uid);
	char *name = malloc(n + 1);
	memcpy(name, data + size, n);
	name[n] = '\0';
	q.name = name;
	uint8_t *store = malloc(size); // so that the byte behind it is no memory
	memcpy(store, data, size);
	ask(store, size, &q);
	free(store);
	free(name);
	return 0;
}
