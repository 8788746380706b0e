// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

#include "cdb.h"

#include <endian.h>
#include <string.h>

enum { TABLES = 256, SLOT = 8 };

uint16_t aad_u16(const uint8_t *p)
{
	uint16_t n;
	memcpy(&n, p, sizeof n);
	return le16toh(n);
}

uint32_t aad_u32(const uint8_t *p)
{
	uint32_t n;
	memcpy(&n, p, sizeof n);
	return le32toh(n);
}

static uint32_t hash(const char *key, uint32_t len)
{
	uint32_t h = 5381;
	for (uint32_t i = 0; i < len; i++)
		h = (h * 33) ^ (uint8_t)key[i];
	return h;
}

// table reads pointer n of the header; false when it leaves the file.
static bool table(const struct aad_cdb *db, uint32_t n, uint32_t *pos, uint32_t *slots)
{
	*pos = aad_u32(db->data + n * 8);
	*slots = aad_u32(db->data + n * 8 + 4);
	return *pos >= AAD_CDB_HEADER && *pos + (uint64_t)*slots * SLOT <= db->size;
}

bool aad_cdb_over(const void *data, size_t size, struct aad_cdb *db)
{
	if (size < AAD_CDB_HEADER || size > UINT32_MAX)
		return false;
	*db = (struct aad_cdb){.data = data, .size = (uint32_t)size, .end = (uint32_t)size};
	for (uint32_t n = 0; n < TABLES; n++) {
		uint32_t pos, slots;
		if (!table(db, n, &pos, &slots))
			return false;
		if (pos < db->end)
			db->end = pos;
	}
	return true;
}

bool aad_cdb_next(const struct aad_cdb *db, uint32_t *pos, struct aad_bytes *key, struct aad_bytes *value)
{
	if (*pos < AAD_CDB_HEADER || (uint64_t)*pos + 8 > db->end)
		return false;
	uint32_t klen = aad_u32(db->data + *pos), vlen = aad_u32(db->data + *pos + 4);
	uint64_t next = (uint64_t)*pos + 8 + klen + vlen;
	if (next > db->end)
		return false;
	*key = (struct aad_bytes){db->data + *pos + 8, klen};
	*value = (struct aad_bytes){db->data + *pos + 8 + klen, vlen};
	*pos = (uint32_t)next;
	return true;
}

enum aad_result aad_cdb_get(const struct aad_cdb *db, const char *key, uint32_t len, struct aad_bytes *value)
{
	uint32_t h = hash(key, len), pos, slots;
	if (!table(db, h % TABLES, &pos, &slots))
		return AAD_DAMAGED;
	if (slots == 0)
		return AAD_ABSENT;
	// Every slot once at most, so that a table without an empty one ends too.
	for (uint32_t n = 0, i = (h >> 8) % slots; n < slots; n++, i = i + 1 == slots ? 0 : i + 1) {
		const uint8_t *slot = db->data + pos + (size_t)i * SLOT;
		uint32_t at = aad_u32(slot + 4);
		if (at == 0)
			return AAD_ABSENT;
		if (aad_u32(slot) != h)
			continue;
		struct aad_bytes k;
		if (!aad_cdb_next(db, &at, &k, value))
			return AAD_DAMAGED;
		if (k.len == len && memcmp(k.at, key, len) == 0)
			return AAD_OK;
	}
	return AAD_ABSENT;
}
