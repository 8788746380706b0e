// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// The store as a file, and the file's identity.
#ifndef AAD_STORE_H
#define AAD_STORE_H

#include "record.h"

// The path is compiled in: what is looked up in every process of the machine
// must not depend on anything a process can say.
#ifndef AAD_STORE
#define AAD_STORE "/var/lib/aad-login/accounts.cdb"
#endif

// A file that has been replaced has another identity.
struct aad_identity {
	uint64_t device, inode, size, mode;
	int64_t seconds, nanoseconds; // of the last change
};

// aad_store_over reads a store out of bytes that stay the caller's.
bool aad_store_over(const void *data, size_t size, struct aad_store *s);

// aad_store_open maps the file, or reads it when it could be cut short under a
// mapping; aad_store_close lets go of it.
AAD_RARE enum aad_result aad_store_open(const char *path, struct aad_store *s, struct aad_identity *identity);
void aad_store_close(struct aad_store *s);

// aad_store_is looks whether the file at path is the one with this identity.
AAD_RARE bool aad_store_is(const char *path, const struct aad_identity *identity);

// aad_store_mark is a number that changes in a store that has been replaced,
// the only byte of it that ever does.
uint8_t aad_store_mark(const struct aad_store *s);

#endif
