/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Checks every entry point against glibc's contract: a buffer of any length and alignment, a status
 * and its errno, and nothing else touched.
 *
 *	contract LIBRARY found NAME ID        an account, with buffers of all lengths
 *	contract LIBRARY fresh NAME ID        an account before its first sign-in
 *	contract LIBRARY absent NAME ID       no account of ours
 *	contract LIBRARY unavailable NAME ID  a damaged store
 *	contract LIBRARY none NAME ID         no store
 */
#include "host.h"

#include <netdb.h>
#include <stdint.h>
#include <sys/mman.h>

enum { BEFORE = 4242, ALIGN = sizeof(char *), ROOM = 4096, CANARY = 0x5a };

static const char *name;
static uint32_t id;
static struct passwd pw;
static struct group gr;

static enum nss_status pwnam(char *buf, size_t len, int *e)
{
	return aad.pwnam(name, &pw, buf, len, e);
}

static enum nss_status pwuid(char *buf, size_t len, int *e)
{
	return aad.pwuid(id, &pw, buf, len, e);
}

static enum nss_status grnam(char *buf, size_t len, int *e)
{
	return aad.grnam(name, &gr, buf, len, e);
}

static enum nss_status grgid(char *buf, size_t len, int *e)
{
	return aad.grgid(id, &gr, buf, len, e);
}

static enum nss_status users(char *buf, size_t len, int *e)
{
	return aad.grnam("aad_users", &gr, buf, len, e);
}

static enum nss_status admins(char *buf, size_t len, int *e)
{
	return aad.grnam("aad_admins", &gr, buf, len, e);
}

static enum nss_status pwent(char *buf, size_t len, int *e)
{
	aad.setpw(0);
	return aad.pwent(&pw, buf, len, e);
}

static enum nss_status grent(char *buf, size_t len, int *e)
{
	aad.setgr(0);
	return aad.grent(&gr, buf, len, e);
}

static enum nss_status init(char *buf, size_t len, int *e)
{
	long start = 0, size = 1;
	gid_t *list = malloc(sizeof *list);
	enum nss_status s;

	(void)buf, (void)len;
	s = aad.init(name, id, &start, &size, &list, -1, e);
	free(list);
	return s;
}

static const struct query {
	const char *what;
	int group, named;	/* answers a struct group; asks about NAME or ID */
	enum nss_status (*ask)(char *buf, size_t len, int *errnop);
} queries[] = {
	{ "getpwnam_r", 0, 1, pwnam },
	{ "getpwuid_r", 0, 1, pwuid },
	{ "getpwent_r", 0, 0, pwent },
	{ "getgrnam_r", 1, 1, grnam },
	{ "getgrgid_r", 1, 1, grgid },
	{ "getgrnam_r aad_users", 1, 0, users },
	{ "getgrnam_r aad_admins", 1, 0, admins },
	{ "getgrent_r", 1, 0, grent },
};
/* It has a list of its own, and no buffer. */
static const struct query groups = { "initgroups_dyn", 0, 1, init };
enum { QUERIES = sizeof queries / sizeof *queries };

/* Asks twice, since errnop is the address of errno or any other one. */
static enum nss_status expect(const struct query *q, char *buf, size_t len,
    enum nss_status want, int why)
{
	int after = why == 0 ? BEFORE : why, other = BEFORE;
	enum nss_status s;

	h_errno = errno = BEFORE;
	s = q->ask(buf, len, &other);
	CHECK(s == want && other == after, "%s: %zu bytes: status %d, *errnop %d, want %d, %d",
	    q->what, len, s, other, want, after);
	CHECK(errno == BEFORE, "%s: %zu bytes: errno is %d, and errnop is not its address", q->what,
	    len, errno);
	s = q->ask(buf, len, &errno);
	CHECK(s == want && errno == after, "%s: %zu bytes: status %d, errno %d, want %d, %d",
	    q->what, len, s, errno, want, after);
	CHECK(h_errno == BEFORE, "%s: %zu bytes: h_errno is %d", q->what, len, h_errno);
	return s;
}

static int within(const char *s, const char *buf, size_t len)
{
	return s >= buf && s < buf + len && memchr(s, '\0', (size_t)(buf + len - s)) != NULL;
}

/* Checks that the whole answer is in the buffer. */
static void answered(const struct query *q, const char *buf, size_t len)
{
	if (!q->group) {
		CHECK(within(pw.pw_name, buf, len) && within(pw.pw_passwd, buf, len) &&
			within(pw.pw_gecos, buf, len) && within(pw.pw_dir, buf, len) &&
			within(pw.pw_shell, buf, len),
		    "%s: %zu bytes: not all is in the buffer", q->what, len);
		return;
	}
	CHECK(within(gr.gr_name, buf, len) && within(gr.gr_passwd, buf, len),
	    "%s: %zu bytes: not all is in the buffer", q->what, len);
	CHECK((uintptr_t)gr.gr_mem % ALIGN == 0, "%s: %zu bytes: gr_mem is %p", q->what, len,
	    (void *)gr.gr_mem);
	for (char **m = gr.gr_mem; (char *)(m + 1) <= buf + len && *m != NULL; m++)
		CHECK(within(*m, buf, len), "%s: %zu bytes: a member is not in the buffer", q->what,
		    len);
}

/* Returns the length of the answer, aligned, to the byte. */
static size_t length(const struct query *q)
{
	size_t n;

	if (!q->group)
		return strlen(pw.pw_name) + strlen(pw.pw_passwd) + strlen(pw.pw_gecos) +
		    strlen(pw.pw_dir) + strlen(pw.pw_shell) + 5;
	n = strlen(gr.gr_name) + strlen(gr.gr_passwd) + 2 + sizeof *gr.gr_mem;
	for (char **m = gr.gr_mem; *m != NULL; m++)
		n += sizeof *m + strlen(*m) + 1;
	return n;
}

static int untouched(const char *from, const char *to)
{
	while (from < to && *from == CANARY)
		from++;
	return from == to;
}

/*
 * Grows a buffer that begins pad bytes after an aligned address until it is large enough, and
 * returns its length.
 */
static size_t needed(const struct query *q, size_t pad)
{
	static char area[3 * ROOM] __attribute__((aligned(16)));
	char *buf = area + ROOM + pad;

	for (size_t len = 0; len < ROOM; len++) {
		int why = BEFORE;
		enum nss_status s;

		memset(area, CANARY, sizeof area);
		s = q->ask(buf, len, &why);
		CHECK(untouched(area, buf) && untouched(buf + len, area + sizeof area),
		    "%s: %zu bytes: wrote beside them", q->what, len);
		if (s == NSS_STATUS_SUCCESS)
			return len;
		expect(q, buf, len, NSS_STATUS_TRYAGAIN, ERANGE);
	}
	CHECK(0, "%s: no buffer is large enough", q->what);
	return ROOM;
}

/* Tries buffers of all lengths, each followed by a page that cannot be accessed. */
static void sweep(const struct query *q)
{
	size_t need[ALIGN];
	char *area;

	for (size_t pad = 0; pad < ALIGN; pad++) {
		size_t lost;

		need[pad] = needed(q, pad);
		lost = q->group ? (ALIGN - pad) % ALIGN : 0;
		CHECK(need[pad] == length(q) + lost, "%s: needs %zu bytes at %zu, %zu aligned",
		    q->what, need[pad], pad, length(q));
	}
	area = mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED || mprotect(area + ROOM, ROOM, PROT_NONE) != 0)
		exit(2);
	for (size_t len = 0; len < need[0] + 3 * ALIGN; len++) {
		char *buf = area + ROOM - len;
		int enough = len >= need[(uintptr_t)buf % ALIGN];

		if (expect(q, buf, len, enough ? NSS_STATUS_SUCCESS : NSS_STATUS_TRYAGAIN,
			enough ? 0 : ERANGE) == NSS_STATUS_SUCCESS)
			answered(q, buf, len);
	}
	munmap(area, 2 * ROOM);
}

static void found(size_t n)
{
	for (size_t i = 0; i < n; i++)
		sweep(queries + i);
	expect(&groups, NULL, 0, NSS_STATUS_SUCCESS, 0);
}

/* The buffer may have any length, 0 included. */
static void refused(int all, enum nss_status want, int why)
{
	char buf[ROOM];

	for (size_t i = 0; i < QUERIES; i++)
		for (size_t len = 0; len <= sizeof buf && (all || queries[i].named);
		    len = 4 * len + 1)
			expect(queries + i, buf, len, want, why);
	expect(&groups, NULL, 0, want, why);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	load(argv[1]);
	name = argv[3];
	id = (uint32_t)strtoul(argv[4], NULL, 10);
	if (strcmp(argv[2], "found") == 0)
		found(QUERIES);
	else if (strcmp(argv[2], "fresh") == 0)
		found(1);	/* only the first question has an answer */
	else if (strcmp(argv[2], "absent") == 0)
		refused(0, NSS_STATUS_NOTFOUND, 0);
	else if (strcmp(argv[2], "unavailable") == 0)
		refused(1, NSS_STATUS_UNAVAIL, ENOENT);
	else if (strcmp(argv[2], "none") == 0)
		refused(1, NSS_STATUS_NOTFOUND, 0);
	else
		return 2;
	return wrong != 0;
}
