// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

#include "aad.h"
#include "kept.h"
#include "name.h"

enum { DEFAULT_LOW = 1879048192, DEFAULT_HIGH = 2147483646 };

enum aad_claim aad_claims(const char *name, uint32_t *low, uint32_t *high)
{
	struct aad_borrowed b;
	struct aad_name n;
	*low = DEFAULT_LOW;
	*high = DEFAULT_HIGH;
	if (aad_borrow(&b) != AAD_OK)
		return AAD_CLAIM_NO_STORE;
	*low = b.store->rules.low;
	*high = b.store->rules.high;
	enum aad_claim claim = aad_name_parse(&b.store->rules, name, &n) ? AAD_CLAIM_OURS : AAD_CLAIM_FOREIGN;
	aad_give_back(&b);
	return claim;
}
