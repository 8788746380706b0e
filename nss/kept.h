// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// The store between calls: kept open, so that a lookup is no system call.
#ifndef AAD_KEPT_H
#define AAD_KEPT_H

#include "store.h"

// aad_borrowed is the store for the length of one call.
struct aad_borrowed {
	const struct aad_store *store;
	const struct aad_identity *file;
	struct aad_store own; // when the kept one could not be had
	struct aad_identity own_file;
};

// aad_borrow gives the store as it is now, or as it was within the last
// second. It never waits: what cannot be shared at once is opened for this call
// alone. After AAD_OK, and only then, aad_give_back must follow.
enum aad_result aad_borrow(struct aad_borrowed *b);
void aad_give_back(struct aad_borrowed *b);

#endif
