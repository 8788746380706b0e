/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The store, open between calls and shared by all threads, so that a lookup is no system call. */
#ifndef AAD_SHARED_H
#define AAD_SHARED_H

#include "store.h"

/* The store for the length of one call. */
struct aad_acquired {
	const struct aad_store *store;
	const struct aad_identity *file;
	struct aad_store own;		/* when the shared store could not be had */
	struct aad_identity own_file;
};

/*
 * Acquires the store as it is now, or as it was within the last second. aad_acquire never waits:
 * when the shared store is not available at once, it opens the store for this call only. After
 * AAD_OK, and only then, the caller must call aad_release.
 */
enum aad_result aad_acquire(struct aad_acquired *a);
void aad_release(struct aad_acquired *a);

#endif
