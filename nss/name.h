/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Names, ids and homes of accounts before their first sign-in, as internal/account makes them. */
#ifndef AAD_NAME_H
#define AAD_NAME_H

#include "record.h"

struct aad_name {
	char upn[AAD_MAX_NAME + 1];
	uint32_t upn_len, local_len;
	uint32_t account_len;	/* the account's name is the first account_len bytes of the UPN */
};

/* Takes a name in any ASCII case. 0, or -1 if it is no name of ours. */
int aad_name_parse(const struct aad_rules *r, const char *name, struct aad_name *n);

/* Also accepts a name of a listed domain whose short name no account may have. */
int aad_name_read(const struct aad_rules *r, const char *name, struct aad_name *n);

/* 1 for the one spelling that is the account's name. */
int aad_name_is(const struct aad_name *n, const char *name);

/* Returns the id of attempt k. */
uint32_t aad_id(const struct aad_rules *r, const struct aad_name *n, unsigned k);

enum { AAD_ATTEMPTS = 256 };

#endif
