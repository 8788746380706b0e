/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "ask.h"

#include "../../answer.h"
#include "../../preauth.h"
#include "../../store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 100 };	/* of groups */

/* Large enough for the longest list of members in ASK_MOST bytes. */
static _Alignas(max_align_t) char roomy[16 * ASK_MOST];

/* 1 for a string inside of the buffer. */
static int ends(const char *s, const char *buf, size_t len)
{
	return s >= buf && s < buf + len && memchr(s, '\0', (size_t)(buf + len - s)) != NULL;
}

/* Returns the length of the buffer up to the end of a string. */
static size_t end_of(const char *s, const char *buf)
{
	return (size_t)(s - buf) + strlen(s) + 1;
}

/* Returns the length of the answer in the buffer. */
static size_t check_passwd(const struct passwd *p, const char *buf, size_t len)
{
	assert(p->pw_uid >= AAD_MIN_ID && p->pw_uid != UINT32_MAX && p->pw_gid == p->pw_uid);
	assert(ends(p->pw_name, buf, len) && ends(p->pw_gecos, buf, len));
	assert(ends(p->pw_dir, buf, len) && ends(p->pw_shell, buf, len));
	assert(ends(p->pw_passwd, buf, len) && strcmp(p->pw_passwd, "*") == 0);
	return end_of(p->pw_shell, buf);
}

static size_t check_group(const struct group *g, const char *buf, size_t len)
{
	const char *last;

	assert(g->gr_gid >= AAD_MIN_ID && g->gr_gid != UINT32_MAX);
	assert(ends(g->gr_name, buf, len) && ends(g->gr_passwd, buf, len) &&
	    strcmp(g->gr_passwd, "*") == 0);
	assert((uintptr_t)g->gr_mem % sizeof(char *) == 0);
	last = g->gr_passwd;
	for (char **m = g->gr_mem; *m != NULL; last = *m++)
		assert(ends(*m, buf, len));
	return end_of(last, buf);
}

/*
 * Asks each question with more room than any answer takes. Then asks again with an allocation of
 * exactly the length of the answer, and of one byte less, which must be too small. (The exact
 * length may be too small, too, if a damaged text ends early.)
 */
#define ASK(question, check, taken) \
	do { \
		char *buf = roomy; \
		size_t most, len = sizeof roomy; \
		enum aad_result r = (question); \
		assert(r != AAD_SMALL); \
		if (r != AAD_OK) \
			break; \
		answers++; \
		most = (taken); \
		assert(check); \
		for (len = most - 1; len <= most; len++) { \
			buf = malloc(len); \
			r = (question); \
			assert(r == AAD_SMALL || (r == AAD_OK && len == most)); \
			free(buf); \
		} \
	} while (0)

static unsigned ask_passwd(const struct aad_store *s, const struct query *q)
{
	unsigned answers = 0;
	struct passwd p;

	ASK(aad_passwd_by_name(s, q->name, &p, buf, len), strcmp(p.pw_name, q->name) == 0,
	    check_passwd(&p, buf, len));
	ASK(aad_passwd_by_uid(s, q->uid, &p, buf, len), p.pw_uid == q->uid,
	    check_passwd(&p, buf, len));
	return answers;
}

/* Asks as sshd does, which this process is not. */
static unsigned ask_new_account(const struct aad_store *s, const struct query *q)
{
	unsigned answers = 0;
	struct passwd p;
	struct aad_new_account f;

	if (aad_new_account(s, q->name, &f) != AAD_OK)
		return 0;
	assert(f.uid >= s->rules.low + AAD_RESERVED && f.uid <= s->rules.high);
	ASK(aad_new_account_passwd(&s->rules, &f, &p, buf, len),
	    strcmp(p.pw_name, q->name) == 0 && p.pw_uid == f.uid, check_passwd(&p, buf, len));
	return answers;
}

static unsigned ask_group(const struct aad_store *s, const char *name)
{
	unsigned answers = 0;
	struct group g;

	ASK(aad_group_by_name(s, name, &g, buf, len), strcmp(g.gr_name, name) == 0,
	    check_group(&g, buf, len));
	return answers;
}

static unsigned ask_gid(const struct aad_store *s, gid_t gid)
{
	unsigned answers = 0;
	struct group g;

	ASK(aad_group_by_gid(s, gid, &g, buf, len), g.gr_gid == gid, check_group(&g, buf, len));
	return answers;
}

/* Passes the primary group of the name's entry. With another one there are no groups. */
static unsigned ask_initgroups(const struct aad_store *s, const struct query *q)
{
	struct aad_entry e;
	gid_t primary = aad_entry_by_name(s, q->name, &e) == AAD_OK ? e.uid : q->uid;
	long start = 0, size = 1;
	gid_t *groups = malloc(sizeof *groups);
	struct aad_gid_list list = { primary, &start, &size, &groups, LIMIT };
	enum aad_result r = aad_initgroups(s, q->name, &list);

	assert(r != AAD_SMALL && start >= 0 && start <= size && start <= LIMIT);
	for (long i = 0; i < start; i++)
		assert(groups[i] != 0 && groups[i] != primary);
	free(groups);
	return r == AAD_OK;
}

/* Also checks that an enumeration which another file interrupts comes back to its position. */
static unsigned enumerate(const struct aad_store *s)
{
	unsigned answers = 0;
	struct aad_cursor c = { 0 }, again = { 0 };
	struct aad_entry e;
	struct passwd p;
	struct group g;

	while (aad_next_entry(s, &c, &e) == AAD_OK) {
		assert(c.ordinal <= s->db.size / 8);	/* the head of a record */
		ASK(aad_passwd_fill(&e, &p, buf, len), p.pw_uid == e.uid,
		    check_passwd(&p, buf, len));
		ASK(aad_group_fill(&e, &g, buf, len), g.gr_gid == e.uid, check_group(&g, buf, len));
	}
	again.ordinal = c.ordinal;
	aad_resume(s, &again);
	assert(again.ordinal == c.ordinal && again.pos <= c.pos);
	return answers;
}

unsigned ask(const uint8_t *data, size_t size, const struct query *q)
{
	struct aad_store s;

	if (aad_store_init(data, size, &s))
		return 0;
	assert(s.rules.low >= AAD_MIN_ID && s.rules.low < s.rules.high);
	assert(s.rules.high < UINT32_MAX);
	return 1 + ask_passwd(&s, q) + ask_new_account(&s, q) + ask_group(&s, q->name) +
	    ask_group(&s, AAD_USERS) + ask_group(&s, AAD_ADMINS) + ask_gid(&s, q->uid) +
	    ask_gid(&s, s.rules.low) + ask_gid(&s, s.rules.low + 1) + ask_initgroups(&s, q) +
	    enumerate(&s) + (aad_had(&s, q->name, q->uid) == AAD_OK);
}
