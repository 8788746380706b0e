/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "record.h"

enum {
	RULES_HEAD = 20,
	RULES_SHORT_NAMES = 1,
	SECTION_HEAD = 4,
	ENTRY_HEAD = 16,
	ENTRY_RETIRED = 1,
	MAX_ID = UINT32_MAX - 1,	/* for the kernel the highest number is no id */
};

const char *aad_next_string(const char *s)
{
	return s + strlen(s) + 1;
}

/* Steps over n strings. NULL if one of them does not end before end. */
static const char *skip_strings(const char *s, const char *end, unsigned n)
{
	while (n-- > 0) {
		const char *nul = memchr(s, '\0', (size_t)(end - s));

		if (!nul)
			return NULL;
		s = nul + 1;
	}
	return s;
}

/*
 * Reads the section at s->at and steps behind it. 0, or -1 at the end, and for a section that does
 * not fit or whose tag is not higher than the last one.
 */
static int next_section(struct aad_bytes *s, int *tag, struct aad_bytes *content)
{
	if (s->len < SECTION_HEAD || aad_u16(s->at) <= *tag ||
	    s->len - SECTION_HEAD < aad_u16(s->at + 2))
		return -1;
	*tag = aad_u16(s->at);
	*content = (struct aad_bytes){ s->at + SECTION_HEAD, aad_u16(s->at + 2) };
	s->at += SECTION_HEAD + content->len;
	s->len -= SECTION_HEAD + content->len;
	return 0;
}

/* Reads the sections from begin to the end of the record. 0, or -1 if they do not fill it. */
static int read_sections(struct aad_bytes record, const void *begin, struct aad_bytes *all)
{
	const uint8_t *at = begin;
	struct aad_bytes content, rest;

	rest = *all = (struct aad_bytes){ at, record.len - (uint32_t)(at - record.at) };
	for (int tag = -1; rest.len > 0;)
		if (next_section(&rest, &tag, &content))
			return -1;
	return 0;
}

int aad_rules_section(const struct aad_rules *r, uint16_t tag, struct aad_bytes *content)
{
	struct aad_bytes all = r->sections;

	for (int at = -1; next_section(&all, &at, content) == 0;)
		if (at == tag)
			return 0;
	return -1;
}

enum aad_result aad_rules_service(const struct aad_rules *r, const char *service)
{
	struct aad_bytes list;
	const char *s, *end, *nul;

	if (aad_rules_section(r, AAD_SIGN_IN_SERVICES, &list))
		return AAD_FOREIGN;
	end = (const char *)list.at + list.len;
	for (s = (const char *)list.at; s < end; s = nul + 1) {
		nul = memchr(s, '\0', (size_t)(end - s));
		if (!nul)
			return AAD_DAMAGED;
		if (strcmp(s, service) == 0)
			return AAD_OK;
	}
	return AAD_ABSENT;
}

int aad_rules_parse(struct aad_bytes record, struct aad_rules *r)
{
	const uint8_t *p = record.at;
	const char *end = (const char *)p + record.len, *behind;

	if (record.len < RULES_HEAD || memcmp(p, "aad", 3) != 0 || p[3] != AAD_FORMAT)
		return -1;
	*r = (struct aad_rules){
		.short_names = p[5] & RULES_SHORT_NAMES,
		.domains = aad_u16(p + 6),
		.services = aad_u16(p + 8),
		.low = aad_u32(p + 12),
		.high = aad_u32(p + 16),
	};
	if (r->domains == 0 || r->low < AAD_MIN_ID || r->high > MAX_ID ||
	    r->high < r->low || r->high - r->low < AAD_RESERVED)
		return -1;
	r->tenant = (const char *)p + RULES_HEAD;
	behind = skip_strings(r->tenant, end, 3u + r->domains + r->services);
	if (!behind)
		return -1;
	r->home = aad_next_string(r->tenant);
	r->shell = aad_next_string(r->home);
	r->domain = aad_next_string(r->shell);
	r->service = skip_strings(r->domain, end, r->domains);
	return read_sections(record, behind, &r->sections);
}

/* Do the texts of an entry end where their lengths say? All of e->text is in the record. */
static int is_well_formed(const struct aad_entry *e)
{
	const char *text = e->text, *gecos = text + e->name_len + 3;
	const char *home = gecos + e->gecos_len + 1, *shell = home + e->home_len + 1;

	return memchr(text, '\0', e->name_len + 1u) == text + e->name_len &&
	    memcmp(text + e->name_len, "\0*", 3) == 0 &&
	    home[-1] == '\0' && shell[-1] == '\0' && text[e->len - 1] == '\0';
}

int aad_entry_parse(struct aad_bytes record, struct aad_entry *e)
{
	const uint8_t *p = record.at;
	struct aad_bytes unknown;

	if (record.len < ENTRY_HEAD)
		return -1;
	*e = (struct aad_entry){
		.uid = aad_u32(p),
		.retired = aad_u16(p + 4) & ENTRY_RETIRED,
		.ngroups = aad_u16(p + 6),
		.groups = p + ENTRY_HEAD,
		.name_len = aad_u16(p + 8),
		.gecos_len = aad_u16(p + 10),
		.home_len = aad_u16(p + 12),
		.shell_len = aad_u16(p + 14),
	};
	e->len = e->name_len + 3u + e->gecos_len + 1u + e->home_len + 1u + e->shell_len + 1u;
	if (e->uid < AAD_MIN_ID || e->uid > MAX_ID || e->ngroups == 0 ||
	    record.len < ENTRY_HEAD + 4u * e->ngroups + e->len)
		return -1;
	e->text = (const char *)p + ENTRY_HEAD + 4u * e->ngroups;
	if (read_sections(record, e->text + e->len, &unknown))
		return -1;
	return is_well_formed(e) ? 0 : -1;
}

int aad_members_parse(struct aad_bytes record, struct aad_members *m)
{
	struct aad_bytes unknown;
	const char *behind;

	if (record.len < 4)
		return -1;
	*m = (struct aad_members){
		.count = aad_u32(record.at),
		.text = (const char *)record.at + 4,
		.len = record.len - 4,
	};
	if (m->count > m->len)
		return -1;
	behind = skip_strings(m->text, m->text + m->len, m->count);
	if (!behind)
		return -1;
	m->len = (uint32_t)(behind - m->text);
	return read_sections(record, behind, &unknown);
}

/*
 * One lookup. Its callers check that the answer is what was asked for, so that a damaged store does
 * not turn one account into another.
 */
static enum aad_result find(const struct aad_store *s, const struct aad_key *key,
    struct aad_entry *e)
{
	struct aad_bytes record;
	enum aad_result r = aad_cdb_get(&s->db, key, &record);

	return r == AAD_OK && aad_entry_parse(record, e) ? AAD_DAMAGED : r;
}

enum aad_result aad_entry_by_name(const struct aad_store *s, const char *name,
    struct aad_entry *e)
{
	struct aad_key key = aad_key_begin('n', name);
	int may_be_ours = s->rules.short_names;
	enum aad_result r;

	for (; name[key.len] != '\0'; aad_key_add(&key, name[key.len])) {
		if (key.len == AAD_MAX_NAME)
			return AAD_FOREIGN;
		may_be_ours |= name[key.len] == '@';
	}
	if (!may_be_ours)
		return AAD_FOREIGN;
	r = find(s, &key, e);
	if (r == AAD_OK && (e->name_len != key.len || memcmp(e->text, name, key.len) != 0))
		return AAD_DAMAGED;
	return r;
}

enum aad_result aad_entry_by_uid(const struct aad_store *s, uint32_t uid, struct aad_entry *e)
{
	char digits[8];
	struct aad_key key;
	enum aad_result r;

	if (uid < AAD_MIN_ID)
		return AAD_ABSENT;
	for (unsigned i = 0; i < sizeof digits; i++)
		digits[i] = "0123456789abcdef"[uid >> (28 - 4 * i) & 15];
	key = aad_key_of('u', digits, sizeof digits);
	r = find(s, &key, e);
	return r == AAD_OK && e->uid != uid ? AAD_DAMAGED : r;
}
