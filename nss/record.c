// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

#include "record.h"

#include <string.h>

enum {
	RULES_HEAD = 20,
	RULES_SHORT_NAMES = 1,
	SECTION_HEAD = 4,
	ENTRY_HEAD = 16,
	ENTRY_RETIRED = 1,
	MAX_ID = UINT32_MAX - 1, // the last is no id to the kernel
};

const char *aad_next_string(const char *s)
{
	return s + strlen(s) + 1;
}

// strings steps over n strings; NULL when one does not end before end.
static const char *strings(const char *s, const char *end, unsigned n)
{
	while (n-- > 0) {
		const char *nul = memchr(s, '\0', (size_t)(end - s));
		if (nul == NULL)
			return NULL;
		s = nul + 1;
	}
	return s;
}

// next_section reads the one at s->at and steps behind it; false at the end, and
// for one that does not fit or whose tag is not higher than the last.
static bool next_section(struct aad_bytes *s, int *tag, struct aad_bytes *content)
{
	if (s->len < SECTION_HEAD || aad_u16(s->at) <= *tag || s->len - SECTION_HEAD < aad_u16(s->at + 2))
		return false;
	*tag = aad_u16(s->at);
	*content = (struct aad_bytes){s->at + SECTION_HEAD, aad_u16(s->at + 2)};
	s->at += SECTION_HEAD + content->len;
	s->len -= SECTION_HEAD + content->len;
	return true;
}

// sections reads them from begin to the end of the record.
static bool sections(struct aad_bytes record, const void *begin, struct aad_bytes *all)
{
	struct aad_bytes content, rest;
	const uint8_t *at = begin;
	rest = *all = (struct aad_bytes){at, record.len - (uint32_t)(at - record.at)};
	for (int tag = -1; rest.len > 0;)
		if (!next_section(&rest, &tag, &content))
			return false;
	return true;
}

bool aad_rules_section(const struct aad_rules *r, uint16_t tag, struct aad_bytes *content)
{
	struct aad_bytes all = r->sections;
	for (int at = -1; next_section(&all, &at, content);)
		if (at == tag)
			return true;
	return false;
}

enum aad_result aad_rules_service(const struct aad_rules *r, const char *service)
{
	struct aad_bytes list;
	if (!aad_rules_section(r, AAD_SIGN_IN_SERVICES, &list))
		return AAD_FOREIGN;
	const char *s = (const char *)list.at, *end = s + list.len;
	for (const char *nul; s < end; s = nul + 1) {
		nul = memchr(s, '\0', (size_t)(end - s));
		if (nul == NULL)
			return AAD_DAMAGED;
		if (strcmp(s, service) == 0)
			return AAD_OK;
	}
	return AAD_ABSENT;
}

bool aad_rules_parse(struct aad_bytes record, struct aad_rules *r)
{
	const uint8_t *p = record.at;
	if (record.len < RULES_HEAD || memcmp(p, "aad", 3) != 0 || p[3] != AAD_FORMAT)
		return false;
	*r = (struct aad_rules){
		.short_names = p[5] & RULES_SHORT_NAMES,
		.domains = aad_u16(p + 6),
		.services = aad_u16(p + 8),
		.low = aad_u32(p + 12),
		.high = aad_u32(p + 16),
	};
	if (r->domains == 0 || r->low < AAD_MIN_ID || r->high > MAX_ID ||
	    r->high < r->low || r->high - r->low < AAD_RESERVED)
		return false;
	r->tenant = (const char *)p + RULES_HEAD;
	const char *end = (const char *)p + record.len;
	const char *behind = strings(r->tenant, end, 3u + r->domains + r->services);
	if (behind == NULL)
		return false;
	r->home = aad_next_string(r->tenant);
	r->shell = aad_next_string(r->home);
	r->domain = aad_next_string(r->shell);
	r->service = strings(r->domain, end, r->domains);
	return sections(record, behind, &r->sections);
}

bool aad_entry_parse(struct aad_bytes record, struct aad_entry *e)
{
	const uint8_t *p = record.at;
	if (record.len < ENTRY_HEAD)
		return false;
	uint16_t flags = aad_u16(p + 4);
	*e = (struct aad_entry){
		.uid = aad_u32(p),
		.retired = flags & ENTRY_RETIRED,
		.ngroups = aad_u16(p + 6),
		.groups = p + ENTRY_HEAD,
		.name = aad_u16(p + 8),
		.gecos = aad_u16(p + 10),
		.home = aad_u16(p + 12),
		.shell = aad_u16(p + 14),
	};
	e->len = e->name + 3u + e->gecos + 1u + e->home + 1u + e->shell + 1u;
	if (e->uid < AAD_MIN_ID || e->uid > MAX_ID || e->ngroups == 0 ||
	    record.len < ENTRY_HEAD + 4u * e->ngroups + e->len)
		return false;
	const char *t = e->text = (const char *)p + ENTRY_HEAD + 4u * e->ngroups;
	const char *gecos = t + e->name + 3, *home = gecos + e->gecos + 1, *shell = home + e->home + 1;
	struct aad_bytes unknown;
	return sections(record, t + e->len, &unknown) && memchr(t, '\0', e->name + 1u) == t + e->name &&
	       memcmp(t + e->name, "\0*", 3) == 0 && home[-1] == '\0' && shell[-1] == '\0' && t[e->len - 1] == '\0';
}

bool aad_members_parse(struct aad_bytes record, struct aad_members *m)
{
	if (record.len < 4)
		return false;
	*m = (struct aad_members){
		.count = aad_u32(record.at),
		.text = (const char *)record.at + 4,
		.len = record.len - 4,
	};
	const char *behind = m->count > m->len ? NULL : strings(m->text, m->text + m->len, m->count);
	if (behind == NULL)
		return false;
	m->len = (uint32_t)(behind - m->text);
	struct aad_bytes unknown;
	return sections(record, behind, &unknown);
}

// find is one lookup; what answers must be what was asked for, so that a
// damaged store does not turn one account into another.
static enum aad_result find(const struct aad_store *s, const struct aad_key *key, struct aad_entry *e)
{
	struct aad_bytes record;
	enum aad_result r = aad_cdb_get(&s->db, key, &record);
	if (r == AAD_OK && !aad_entry_parse(record, e))
		return AAD_DAMAGED;
	return r;
}

enum aad_result aad_entry_by_name(const struct aad_store *s, const char *name, struct aad_entry *e)
{
	struct aad_key key = aad_key_begin('n', name);
	bool ours = s->rules.short_names;
	for (; name[key.len] != '\0'; aad_key_add(&key, name[key.len])) {
		if (key.len == AAD_MAX_NAME)
			return AAD_FOREIGN;
		ours |= name[key.len] == '@';
	}
	if (!ours)
		return AAD_FOREIGN;
	enum aad_result r = find(s, &key, e);
	if (r == AAD_OK && (e->name != key.len || memcmp(e->text, name, key.len) != 0))
		return AAD_DAMAGED;
	return r;
}

enum aad_result aad_entry_by_uid(const struct aad_store *s, uint32_t uid, struct aad_entry *e)
{
	char digits[8];
	if (uid < AAD_MIN_ID)
		return AAD_ABSENT;
	for (unsigned i = 0; i < sizeof digits; i++)
		digits[i] = "0123456789abcdef"[uid >> (28 - 4 * i) & 15];
	struct aad_key key = aad_key_of('u', digits, sizeof digits);
	enum aad_result r = find(s, &key, e);
	return r == AAD_OK && e->uid != uid ? AAD_DAMAGED : r;
}
