/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "name.h"

static uint64_t fnv1a64(uint64_t h, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * 0x100000001b3;
	return h;
}

/* MurmurHash3's finaliser. */
static uint64_t mix64(uint64_t h)
{
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
	return h ^ (h >> 33);
}

uint32_t aad_id(const struct aad_rules *r, const struct aad_name *n, unsigned k)
{
	char digits[10], *p = digits + sizeof digits;
	uint64_t h = 0xcbf29ce484222325, room = (uint64_t)r->high - r->low - AAD_RESERVED + 1;

	do
		*--p = (char)('0' + k % 10);
	while ((k /= 10) > 0);
	h = fnv1a64(h, r->tenant, strlen(r->tenant) + 1);
	h = fnv1a64(h, n->upn, n->upn_len + 1);
	h = fnv1a64(h, p, (size_t)(digits + sizeof digits - p));
	return r->low + AAD_RESERVED + (uint32_t)(mix64(h) % room);
}
