/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The part of every entry point around its answer. */
#ifndef AAD_ENTRY_H
#define AAD_ENTRY_H

#include <nss.h>

#include "store.h"

/*
 * Returns glibc's status for a result, restores errno as it was when the call began, and sets
 * *errnop, which may be errno itself, on an error.
 */
enum nss_status aad_status(enum aad_result r, int saved, int *errnop);

#endif
