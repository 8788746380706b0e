// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Constant databases (https://cr.yp.to/cdb/cdb.txt), read from bytes that may
// be hostile. Every offset is checked against the size at each use.
#ifndef AAD_CDB_H
#define AAD_CDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What a lookup can come to; aad_status in entry.h makes NSS statuses of it.
enum aad_result {
	AAD_OK,
	AAD_ABSENT,  // not there
	AAD_DAMAGED, // the store is not one, or of another format
	AAD_SMALL,   // the caller's buffer is
	AAD_BUSY,    // descriptors or memory ran out
};

struct aad_bytes {
	const uint8_t *at;
	uint32_t len;
};

struct aad_cdb {
	const uint8_t *data;
	uint32_t size;
	uint32_t end; // of the records
};

uint16_t aad_u16(const uint8_t *p);
uint32_t aad_u32(const uint8_t *p);

enum { AAD_CDB_HEADER = 2048 };

bool aad_cdb_over(const void *data, size_t size, struct aad_cdb *db);
enum aad_result aad_cdb_get(const struct aad_cdb *db, const char *key, uint32_t len, struct aad_bytes *value);

// aad_cdb_next reads the record at *pos, first AAD_CDB_HEADER, and moves on.
bool aad_cdb_next(const struct aad_cdb *db, uint32_t *pos, struct aad_bytes *key, struct aad_bytes *value);

#endif
