/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Checks initgroups_dyn against its contract: glibc's array is enlarged as needed and never beyond
 * the limit, its content stays, and no group comes twice.
 *
 *	initgroups LIBRARY NAME GID GROUP...   the account, and its groups in order
 */
#include "host.h"

#include <netdb.h>
#include <stdint.h>

enum { BEFORE = 4242, MAX = 64 };

static const char *name;
static gid_t primary, groups[MAX];
static long count;

/* Returns an array as glibc's, allocated to the byte, so that a sanitizer sees more. */
static gid_t *array(const gid_t *there, long start, long size)
{
	gid_t *a = size == 0 ? NULL : malloc((size_t)size * sizeof *a);

	if (size != 0 && a == NULL)
		exit(2);
	for (long i = 0; i < start; i++)
		a[i] = there[i];
	return a;
}

static int has(const gid_t *list, long n, gid_t gid)
{
	while (n-- > 0)
		if (list[n] == gid)
			return 1;
	return 0;
}

/* Begins with the groups there, and expects these and the missing ones. */
static void ask(const gid_t *there, long start, long room, long limit)
{
	long n = start, size = room, given = start;
	gid_t want[2 * MAX], *list = array(there, start, size);
	enum nss_status s;

	memcpy(want, there, (size_t)start * sizeof *want);
	for (long i = 0; i < count; i++)
		if (!has(want, n, groups[i]) && (limit <= 0 || n < limit))
			want[n++] = groups[i];
	errno = h_errno = BEFORE;
	s = aad.init(name, primary, &given, &size, &list, limit, &errno);
	CHECK(s == NSS_STATUS_SUCCESS && errno == BEFORE && h_errno == BEFORE,
	    "status %d, errno %d, h_errno %d", s, errno, h_errno);
	CHECK(given == n && memcmp(list, want, (size_t)n * sizeof *want) == 0,
	    "%ld groups, room for %ld, limit %ld: now %ld, want %ld", start, room, limit, given, n);
	CHECK(size >= given && (limit <= 0 || size <= limit || size == room),
	    "room for %ld, limit %ld: now %ld", room, limit, size);
	free(list);
}

/* A refusal leaves the array unchanged. */
static void refused(const char *who, gid_t gid)
{
	long start = 1, size = 1;
	gid_t *list = array(&gid, 1, 1), *same = list;
	enum nss_status s;

	errno = BEFORE;
	s = aad.init(who, gid, &start, &size, &list, -1, &errno);
	CHECK(s == NSS_STATUS_NOTFOUND && errno == BEFORE, "%s %u: status %d, errno %d", who, gid,
	    s, errno);
	CHECK(start == 1 && size == 1 && list == same && list[0] == gid, "%s %u: array touched",
	    who, gid);
	free(list);
}

static void every(const gid_t *there, long start)
{
	for (long room = start; room <= start + count + 2; room++) {
		for (long limit = -1; limit <= start + count + 1; limit++)
			if (limit <= 0 || start <= limit)
				ask(there, start, room, limit);
		ask(there, start, room, 65536);
	}
}

static void ask_all(void)
{
	const gid_t there[] = { primary, 7, groups[count - 1], groups[0] };

	for (long start = 0; start <= 4; start++)
		every(there, start);
}

static void refuse_all(void)
{
	const gid_t foreign[] = {
		0, 1, 100, 1000, groups[0], primary - 1, primary + 1, 1u << 31, UINT32_MAX,
	};

	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
		refused(name, foreign[i]);
	refused("root", 0);
	refused("nobody@elsewhere.example", primary);
	refused("", primary);
}

int main(int argc, char **argv)
{
	if (argc < 5 || argc - 4 > MAX)
		return 2;
	load(argv[1]);
	name = argv[2];
	primary = (gid_t)strtoul(argv[3], NULL, 10);
	for (int i = 4; i < argc; i++)
		groups[count++] = (gid_t)strtoul(argv[i], NULL, 10);
	ask_all();
	refuse_all();
	return wrong != 0;
}
