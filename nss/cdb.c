/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "cdb.h"

enum { TABLES = 256, SLOT = 8 };

/* Reads pointer n of the header. 0, or -1 if the table is not within the file. */
static int table(const struct aad_cdb *db, uint32_t n, uint32_t *pos, uint32_t *slots)
{
	*pos = aad_u32(db->data + n * 8);
	*slots = aad_u32(db->data + n * 8 + 4);
	return *pos >= AAD_CDB_HEADER && *pos + (uint64_t)*slots * SLOT <= db->size ? 0 : -1;
}

int aad_cdb_init(const void *data, size_t size, struct aad_cdb *db)
{
	uint32_t pos, slots;

	if (size < AAD_CDB_HEADER || size > UINT32_MAX)
		return -1;
	*db = (struct aad_cdb){ .data = data, .size = (uint32_t)size, .end = (uint32_t)size };
	for (uint32_t n = 0; n < TABLES; n++) {
		if (table(db, n, &pos, &slots))
			return -1;
		if (pos < db->end)
			db->end = pos;
	}
	return 0;
}

int aad_cdb_next(const struct aad_cdb *db, uint32_t *pos, struct aad_bytes *key,
    struct aad_bytes *value)
{
	uint32_t klen, vlen;
	uint64_t next;

	if (*pos < AAD_CDB_HEADER || (uint64_t)*pos + 8 > db->end)
		return -1;
	klen = aad_u32(db->data + *pos);
	vlen = aad_u32(db->data + *pos + 4);
	next = (uint64_t)*pos + 8 + klen + vlen;
	if (next > db->end)
		return -1;
	*key = (struct aad_bytes){ db->data + *pos + 8, klen };
	*value = (struct aad_bytes){ db->data + *pos + 8 + klen, vlen };
	*pos = (uint32_t)next;
	return 0;
}

static int is_equal(struct aad_bytes k, const struct aad_key *key)
{
	return k.len == key->len + 1 && k.at[0] == (uint8_t)key->kind &&
	    memcmp(k.at + 1, key->rest, key->len) == 0;
}

enum aad_result aad_cdb_get(const struct aad_cdb *db, const struct aad_key *key,
    struct aad_bytes *value)
{
	uint32_t pos, slots, i;

	if (table(db, key->hash % TABLES, &pos, &slots))
		return AAD_DAMAGED;
	if (slots == 0)
		return AAD_ABSENT;
	i = (key->hash >> 8) % slots;
	/* Each slot once at most, so that the loop ends in a table without an empty slot, too. */
	for (uint32_t n = 0; n < slots; n++, i = i + 1 == slots ? 0 : i + 1) {
		const uint8_t *slot = db->data + pos + (size_t)i * SLOT;
		uint32_t at = aad_u32(slot + 4);
		uintptr_t record = (uintptr_t)db->data + at;
		struct aad_bytes k;

		if (at == 0)
			return AAD_ABSENT;
		if (aad_u32(slot) != key->hash)
			continue;
		/*
		 * A record is a few cache lines, and in a large store none of them is cached yet. A
		 * prefetch outside of the file does nothing.
		 */
		__builtin_prefetch((const void *)(record + 64));
		__builtin_prefetch((const void *)(record + 128));
		if (aad_cdb_next(db, &at, &k, value))
			return AAD_DAMAGED;
		if (is_equal(k, key))
			return AAD_OK;
	}
	return AAD_ABSENT;
}
