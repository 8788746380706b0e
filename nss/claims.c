// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

#include "aad.h"
#include "name.h"
#include "store.h"

enum { DEFAULT_LOW = 1879048192, DEFAULT_HIGH = 2147483646 };

enum aad_claim aad_claims(const char *name, uint32_t *low, uint32_t *high)
{
	struct aad_store s;
	struct aad_name n;
	*low = DEFAULT_LOW;
	*high = DEFAULT_HIGH;
	if (aad_store_open(AAD_STORE, &s, NULL) != AAD_OK)
		return AAD_CLAIM_NO_STORE;
	*low = s.rules.low;
	*high = s.rules.high;
	enum aad_claim claim = aad_name_parse(&s.rules, name, &n) ? AAD_CLAIM_OURS : AAD_CLAIM_FOREIGN;
	aad_store_close(&s);
	return claim;
}
