// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

#include "aad.h"
#include "answer.h"
#include "kept.h"
#include "name.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

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
	// Whoever types the domain is one of ours, and is told why they have no short name; without it, it is a local name.
	bool ours = strchr(name, '@') ? aad_name_read(&b.store->rules, name, &n) : aad_name_parse(&b.store->rules, name, &n);
	enum aad_claim claim = ours ? AAD_CLAIM_OURS : AAD_CLAIM_FOREIGN;
	aad_give_back(&b);
	return claim;
}

// named: aad_entry_by_name would not look for a short name where the rules have
// none any more.
static enum aad_result named(const struct aad_store *s, const char *name)
{
	struct aad_bytes record;
	struct aad_key key = aad_key_of('n', name, (uint32_t)strnlen(name, AAD_MAX_NAME + 1));
	return key.len > AAD_MAX_NAME ? AAD_ABSENT : aad_cdb_get(&s->db, &key, &record);
}

enum aad_result aad_had(const struct aad_store *s, const char *name, uint32_t uid)
{
	struct aad_entry e;
	struct aad_name n;
	enum aad_result r = aad_entry_by_uid(s, uid, &e);
	if (r == AAD_OK)
		r = named(s, name);
	else
		return r;
	return r == AAD_ABSENT && aad_name_parse(&s->rules, name, &n) ? AAD_OK : r;
}

enum aad_claim aad_was_ours(const char *name, uint32_t uid)
{
	struct aad_borrowed b;
	if (aad_borrow(&b) != AAD_OK)
		return AAD_CLAIM_NO_STORE;
	enum aad_result r = aad_had(b.store, name, uid);
	aad_give_back(&b);
	return r == AAD_OK ? AAD_CLAIM_OURS : r == AAD_ABSENT ? AAD_CLAIM_FOREIGN : AAD_CLAIM_NO_STORE;
}

// In doubt there is one.
bool aad_store_exists(void)
{
	return access(AAD_STORE, F_OK) == 0 || errno != ENOENT || access(AAD_STORE ".previous", F_OK) == 0 || errno != ENOENT;
}

// find_spelt looks for the name as it is and, if that could be another spelling, for the right one.
static enum aad_result find_spelt(const struct aad_store *s, const char *name)
{
	struct aad_name n;
	enum aad_result r = named(s, name);
	if (r != AAD_ABSENT || !aad_name_parse(&s->rules, name, &n))
		return r;
	n.upn[n.account_len] = '\0';
	return named(s, n.upn);
}

enum aad_answer aad_is_stored(const char *name)
{
	struct aad_borrowed b;
	if (aad_borrow(&b) != AAD_OK)
		return AAD_UNCERTAIN;
	enum aad_result r = find_spelt(b.store, name);
	aad_give_back(&b);
	return r == AAD_OK ? AAD_YES : r == AAD_ABSENT ? AAD_NO : AAD_UNCERTAIN;
}

enum aad_answer aad_is_sign_in_service(const char *service)
{
	struct aad_borrowed b;
	if (aad_borrow(&b) != AAD_OK)
		return AAD_UNCERTAIN;
	enum aad_result r = aad_rules_service(&b.store->rules, service);
	aad_give_back(&b);
	return r == AAD_OK ? AAD_YES : r == AAD_ABSENT ? AAD_NO : AAD_UNCERTAIN;
}
