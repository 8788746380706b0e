/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The store as a file, and the file's identity. */
#ifndef AAD_STORE_H
#define AAD_STORE_H

#include "record.h"

/*
 * The path is compiled in: a lookup in any process of the machine must not depend on anything that
 * the process can set.
 */
#ifndef AAD_STORE
#define AAD_STORE "/var/lib/aad-login/accounts.cdb"
#endif

/* A replaced file has another identity. */
struct aad_identity {
	uint64_t device, inode, size, mode;
	int64_t seconds, nanoseconds;	/* of the last change */
};

/* 0, or -1 if the bytes are no store. They stay the caller's. */
int aad_store_init(const void *data, size_t size, struct aad_store *s);

/*
 * aad_store_open maps the file, or copies it if it could be cut short under a mapping.
 * aad_store_close unmaps it.
 */
AAD_RARE enum aad_result aad_store_open(const char *path, struct aad_store *s,
    struct aad_identity *identity);
void aad_store_close(struct aad_store *s);

/* 1 in doubt. With the system calls of any lookup: a sandbox may have taken all others away. */
AAD_RARE int aad_may_exist(const char *path);

/* 1 if the file at path has this identity. */
AAD_RARE int aad_store_is(const char *path, const struct aad_identity *identity);

/* Returns the one byte of a store that ever changes. It does when the store has been replaced. */
uint8_t aad_store_mark(const struct aad_store *s);

#endif
