// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

#include "ask.h"

#include "../../answer.h"
#include "../../preauth.h"
#include "../../store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 100 }; // of groups

static char roomy[1 << 20];

// ends holds for a string inside of the buffer.
static bool ends(const char *s, const char *buf, size_t len)
{
	return s >= buf && s < buf + len && memchr(s, '\0', (size_t)(buf + len - s)) != NULL;
}

static void check_passwd(const struct passwd *p, const char *buf, size_t len)
{
	assert(p->pw_uid >= AAD_MIN_ID && p->pw_uid != UINT32_MAX && p->pw_gid == p->pw_uid);
	assert(ends(p->pw_name, buf, len) && ends(p->pw_gecos, buf, len));
	assert(ends(p->pw_dir, buf, len) && ends(p->pw_shell, buf, len));
	assert(ends(p->pw_passwd, buf, len) && strcmp(p->pw_passwd, "*") == 0);
}

static void check_group(const struct group *g, const char *buf, size_t len)
{
	assert(g->gr_gid >= AAD_MIN_ID && g->gr_gid != UINT32_MAX);
	assert(ends(g->gr_name, buf, len) && ends(g->gr_passwd, buf, len) && strcmp(g->gr_passwd, "*") == 0);
	assert((uintptr_t)g->gr_mem % sizeof(char *) == 0);
	for (char **m = g->gr_mem; *m != NULL; m++)
		assert(ends(*m, buf, len));
}

// Each question is asked with the room of the query, in an allocation of its
// own, and if that is too small, which is no answer, with more than enough.
#define ASK(question, check)                                                   \
	do {                                                                   \
		size_t len = q->room;                                          \
		char *exact = malloc(len > 0 ? len : 1), *buf = exact;         \
		enum aad_result r = (question);                                \
		if (r == AAD_SMALL) {                                          \
			buf = roomy;                                           \
			len = sizeof roomy;                                    \
			r = (question);                                        \
			assert(r != AAD_SMALL);                                \
		}                                                              \
		if (r == AAD_OK) {                                             \
			check;                                                 \
			answers++;                                             \
		}                                                              \
		free(exact);                                                   \
	} while (0)

static unsigned ask_passwd(const struct aad_store *s, const struct query *q)
{
	unsigned answers = 0;
	struct passwd p;
	ASK(aad_passwd_by_name(s, q->name, &p, buf, len),
	    { check_passwd(&p, buf, len); assert(strcmp(p.pw_name, q->name) == 0); });
	ASK(aad_passwd_by_uid(s, q->uid, &p, buf, len),
	    { check_passwd(&p, buf, len); assert(p.pw_uid == q->uid); });
	return answers;
}

// ask_fresh asks as sshd, which this process is not.
static unsigned ask_fresh(const struct aad_store *s, const struct query *q)
{
	unsigned answers = 0;
	struct passwd p;
	struct aad_fresh f;
	if (aad_fresh(s, q->name, &f) != AAD_OK)
		return 0;
	assert(f.uid >= s->rules.low + AAD_RESERVED && f.uid <= s->rules.high);
	ASK(aad_fresh_passwd(&s->rules, &f, &p, buf, len),
	    { check_passwd(&p, buf, len); assert(strcmp(p.pw_name, q->name) == 0 && p.pw_uid == f.uid); });
	return answers;
}

static unsigned ask_group(const struct aad_store *s, const struct query *q, const char *name)
{
	unsigned answers = 0;
	struct group g;
	ASK(aad_group_by_name(s, name, &g, buf, len),
	    { check_group(&g, buf, len); assert(strcmp(g.gr_name, name) == 0); });
	return answers;
}

static unsigned ask_gid(const struct aad_store *s, const struct query *q, gid_t gid)
{
	unsigned answers = 0;
	struct group g;
	ASK(aad_group_by_gid(s, gid, &g, buf, len),
	    { check_group(&g, buf, len); assert(g.gr_gid == gid); });
	return answers;
}

static unsigned ask_initgroups(const struct aad_store *s, const struct query *q)
{
	long start = 0, size = 1;
	gid_t *groups = malloc(sizeof *groups);
	struct aad_gid_list list = {q->uid, &start, &size, &groups, LIMIT};
	enum aad_result r = aad_initgroups(s, q->name, &list);
	assert(r != AAD_SMALL && start >= 0 && start <= size && start <= LIMIT);
	for (long i = 0; i < start; i++)
		assert(groups[i] != 0 && groups[i] != q->uid);
	free(groups);
	return r == AAD_OK;
}

// enumerate also looks whether an enumeration that another file interrupts
// comes back to its place.
static unsigned enumerate(const struct aad_store *s, const struct query *q)
{
	unsigned answers = 0;
	struct aad_cursor c = {0, 0};
	struct aad_entry e;
	struct passwd p;
	struct group g;
	while (aad_next_entry(s, &c, &e) == AAD_OK) {
		assert(c.ordinal <= s->db.size / 8); // the head of a record
		ASK(aad_passwd_fill(&e, &p, buf, len), { check_passwd(&p, buf, len); assert(p.pw_uid == e.uid); });
		ASK(aad_group_fill(&e, &g, buf, len), { check_group(&g, buf, len); assert(g.gr_gid == e.uid); });
	}
	struct aad_cursor again = {0, c.ordinal};
	uint32_t passed = c.ordinal;
	aad_resume(s, &again);
	assert(again.ordinal == passed && again.pos <= c.pos);
	return answers;
}

unsigned ask(const uint8_t *data, size_t size, const struct query *q)
{
	struct aad_store s;
	if (!aad_store_over(data, size, &s))
		return 0;
	assert(s.rules.low >= AAD_MIN_ID && s.rules.high > s.rules.low && s.rules.high < UINT32_MAX);
	return 1 + ask_passwd(&s, q) + ask_fresh(&s, q) + ask_group(&s, q, q->name) + ask_group(&s, q, AAD_USERS) +
	       ask_group(&s, q, AAD_ADMINS) + ask_gid(&s, q, q->uid) + ask_gid(&s, q, s.rules.low) +
	       ask_gid(&s, q, s.rules.low + 1) + ask_initgroups(&s, q) + enumerate(&s, q);
}
