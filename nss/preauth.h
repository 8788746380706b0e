// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// The answer before the first sign-in.
#ifndef AAD_PREAUTH_H
#define AAD_PREAUTH_H

#include "name.h"

#include <pwd.h>

struct aad_fresh {
	struct aad_name name;
	uint32_t uid;
};

// aad_fresh is the account that a first sign-in would store. The caller knows
// that nobody has or had the name.
enum aad_result aad_fresh(const struct aad_store *s, const char *name, struct aad_fresh *f);

// aad_preauth is aad_fresh for those who may hear it, AAD_ABSENT for others.
AAD_RARE enum aad_result aad_preauth(const struct aad_store *s, const char *name, struct aad_fresh *f);

enum aad_result aad_fresh_passwd(const struct aad_rules *r, const struct aad_fresh *f, struct passwd *pwd, char *buf, size_t len);

#endif
