/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "aad.h"
#include "answer.h"
#include "name.h"
#include "shared.h"
#include "store.h"

enum { DEFAULT_LOW = 1879048192, DEFAULT_HIGH = 2147483646 };

/* AAD_UNCERTAIN for any error. */
static enum aad_answer answer(enum aad_result r)
{
	switch (r) {
	case AAD_OK:
		return AAD_YES;
	case AAD_ABSENT:
		return AAD_NO;
	default:
		return AAD_UNCERTAIN;
	}
}

enum aad_answer aad_is_ours(const char *name, uint32_t *low, uint32_t *high)
{
	struct aad_acquired a;
	struct aad_name n;
	int foreign;

	*low = DEFAULT_LOW;
	*high = DEFAULT_HIGH;
	if (aad_acquire(&a) != AAD_OK)
		return AAD_UNCERTAIN;
	*low = a.store->rules.low;
	*high = a.store->rules.high;
	/*
	 * A name with our domain is ours, and the person is told why it has no short name. The same
	 * name without the domain is a local name.
	 */
	if (strchr(name, '@'))
		foreign = aad_name_read(&a.store->rules, name, &n);
	else
		foreign = aad_name_parse(&a.store->rules, name, &n);
	aad_release(&a);
	return foreign ? AAD_NO : AAD_YES;
}

/* aad_entry_by_name would not look for a short name where the rules no longer have short names. */
static enum aad_result find_name(const struct aad_store *s, const char *name)
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

	if (r != AAD_OK)
		return r;
	r = find_name(s, name);
	return r == AAD_ABSENT && aad_name_parse(&s->rules, name, &n) == 0 ? AAD_OK : r;
}

enum aad_answer aad_was_ours(const char *name, uint32_t uid)
{
	struct aad_acquired a;
	enum aad_result r;

	if (aad_acquire(&a) != AAD_OK)
		return AAD_UNCERTAIN;
	r = aad_had(a.store, name, uid);
	aad_release(&a);
	return answer(r);
}

int aad_store_exists(void)
{
	return aad_may_exist(AAD_STORE) || aad_may_exist(AAD_STORE ".previous");
}

/* Looks for the name as it is and, if that may be another spelling, for the right one. */
static enum aad_result find_spelt(const struct aad_store *s, const char *name)
{
	struct aad_name n;
	enum aad_result r = find_name(s, name);

	if (r != AAD_ABSENT || aad_name_parse(&s->rules, name, &n))
		return r;
	n.upn[n.account_len] = '\0';
	return find_name(s, n.upn);
}

enum aad_answer aad_is_stored(const char *name)
{
	struct aad_acquired a;
	enum aad_result r;

	if (aad_acquire(&a) != AAD_OK)
		return AAD_UNCERTAIN;
	r = find_spelt(a.store, name);
	aad_release(&a);
	return answer(r);
}

enum aad_answer aad_is_sign_in_service(const char *service)
{
	struct aad_acquired a;
	enum aad_result r;

	if (aad_acquire(&a) != AAD_OK)
		return AAD_UNCERTAIN;
	r = aad_rules_service(&a.store->rules, service);
	aad_release(&a);
	return answer(r);
}
