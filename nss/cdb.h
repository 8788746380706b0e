/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Constant databases (https://cr.yp.to/cdb/cdb.txt), read from bytes that may be hostile. Every
 * offset is checked against the size at each use.
 */
#ifndef AAD_CDB_H
#define AAD_CDB_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Each entry point that answers one question is flattened into one function, and rare paths stay
 * out of it. Calls would cost a lookup a tenth of its time.
 */
#define AAD_FLAT __attribute__((flatten))
#define AAD_RARE __attribute__((cold, noinline))

/* The result of a lookup. aad_status in entry.h turns it into a status of NSS. */
enum aad_result {
	AAD_OK,
	AAD_ABSENT,	/* not there */
	AAD_FOREIGN,	/* not there, and by its form it never will be */
	AAD_NO_STORE,	/* there has been none yet, so nobody has an account */
	AAD_DAMAGED,	/* the file is no store, or one of another format */
	AAD_SMALL,	/* the caller's buffer is too small */
	AAD_BUSY,	/* descriptors or memory ran out */
};

struct aad_bytes {
	const uint8_t *at;
	uint32_t len;
};

struct aad_cdb {
	const uint8_t *data;
	uint32_t size;
	uint32_t end;	/* of the records */
};

static inline uint16_t aad_u16(const uint8_t *p)
{
	uint16_t n;

	memcpy(&n, p, sizeof n);
	return le16toh(n);
}

static inline uint32_t aad_u32(const uint8_t *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof n);
	return le32toh(n);
}

enum { AAD_CDB_HEADER = 2048 };

/* A key in two parts, which need no joining: a byte for the kind of record, and the rest. */
struct aad_key {
	uint32_t hash;
	char kind;
	const char *rest;
	uint32_t len;	/* of the rest */
};

/*
 * aad_key_begin and aad_key_add take a key byte by byte. The rest belongs to the caller, and must
 * have the bytes that were added.
 */
static inline struct aad_key aad_key_begin(char kind, const char *rest)
{
	return (struct aad_key){ (5381 * 33) ^ (uint8_t)kind, kind, rest, 0 };
}

static inline void aad_key_add(struct aad_key *key, char c)
{
	key->hash = (key->hash * 33) ^ (uint8_t)c;
	key->len++;
}

static inline struct aad_key aad_key_of(char kind, const char *rest, uint32_t len)
{
	struct aad_key key = aad_key_begin(kind, rest);

	while (key.len < len)
		aad_key_add(&key, rest[key.len]);
	return key;
}

/* 0, or -1 if the bytes are no database. They stay the caller's. */
int aad_cdb_init(const void *data, size_t size, struct aad_cdb *db);

enum aad_result aad_cdb_get(const struct aad_cdb *db, const struct aad_key *key,
    struct aad_bytes *value);

/*
 * Reads the record at *pos, which is AAD_CDB_HEADER at first, and moves *pos behind it. 0, or -1 if
 * there is no whole record.
 */
int aad_cdb_next(const struct aad_cdb *db, uint32_t *pos, struct aad_bytes *key,
    struct aad_bytes *value);

#endif
