/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The answer before the first sign-in. */
#ifndef AAD_PREAUTH_H
#define AAD_PREAUTH_H

#include <pwd.h>

#include "name.h"

struct aad_new_account {
	struct aad_name name;
	uint32_t uid;
};

/*
 * Computes the account that a first sign-in would store. The caller knows that no account has or
 * had the name.
 */
enum aad_result aad_new_account(const struct aad_store *s, const char *name,
    struct aad_new_account *a);

/* aad_new_account for callers that may know of such accounts. AAD_ABSENT for all others. */
AAD_RARE enum aad_result aad_preauth(const struct aad_store *s, const char *name,
    struct aad_new_account *a);

enum aad_result aad_new_account_passwd(const struct aad_rules *r, const struct aad_new_account *a,
    struct passwd *pwd, char *buf, size_t len);

#endif
