// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Names, ids and homes of accounts that nobody has signed in to yet, exactly
// as internal/account makes them.
#ifndef AAD_NAME_H
#define AAD_NAME_H

#include "record.h"

struct aad_name {
	char upn[AAD_MAX_NAME + 1];
	uint32_t upn_len, local_len;
	uint32_t account_len; // the account's name is that much of the UPN
};

// aad_name_parse takes a name of any ASCII case; false when it is not ours.
bool aad_name_parse(const struct aad_rules *r, const char *name, struct aad_name *n);

// aad_name_read is the same, and takes also a name of a listed domain whose
// short name no account may have.
bool aad_name_read(const struct aad_rules *r, const char *name, struct aad_name *n);

// aad_name_is holds for the one spelling that is the account's name.
bool aad_name_is(const struct aad_name *n, const char *name);

// aad_id is the id of attempt k.
uint32_t aad_id(const struct aad_rules *r, const struct aad_name *n, unsigned k);

enum { AAD_ATTEMPTS = 256 };

#endif
