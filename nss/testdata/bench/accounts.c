/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * accounts N
 *
 * Writes N accounts into the current directory, in the forms that name services read: passwd(5) and
 * group(5), and the indexes of libnss-cache. Each account has a group of its own and belongs to a
 * team of a hundred.
 */
#include "accounts.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEAM = 100, FIRST_TEAM = 1000000 };

/* A line of an index: a key, and its offset in the file. */
struct entry {
	char key[40];
	long at;
};

static FILE *create(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		err(1, "%s", path);
	return f;
}

static void finish(FILE *f, const char *path)
{
	if (ferror(f) || fclose(f) != 0)
		err(1, "%s", path);
}

static int ascending(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

/*
 * Sorts the entries and writes lines of one length, as libnss-cache's nss_cache.c searches them:
 * key NUL offset NUL, filled up with NUL, newline.
 */
static void write_index(const char *path, struct entry *e, size_t n)
{
	FILE *f = create(path);

	qsort(e, n, sizeof *e, ascending);
	for (size_t i = 0; i < n; i++) {
		char line[64] = { 0 };
		int key = snprintf(line, sizeof line, "%s", e[i].key);

		snprintf(line + key + 1, sizeof line - (size_t)key - 1, "%ld", e[i].at);
		line[sizeof line - 1] = '\n';
		fwrite(line, sizeof line, 1, f);
	}
	finish(f, path);
}

static void write_passwd(uint32_t n, struct entry *names, struct entry *uids)
{
	FILE *f = create("passwd");

	for (uint32_t i = 0; i < n; i++) {
		uid_t uid = account_uid(i);

		names[i].at = uids[i].at = ftell(f);
		snprintf(names[i].key, sizeof names[i].key, "user%06u@" DOMAIN, i);
		snprintf(uids[i].key, sizeof uids[i].key, "%u", uid);
		fprintf(f, "%s:*:%u:%u:User %06u:/home/%s:/bin/bash\n", names[i].key, uid, uid, i,
		    names[i].key);
	}
	finish(f, "passwd");
}

static void write_team(FILE *f, uint32_t first, uint32_t n)
{
	fprintf(f, "team%u:x:%u:", first / TEAM, FIRST_TEAM + first / TEAM);
	for (uint32_t i = first; i < first + TEAM && i < n; i++)
		fprintf(f, "%suser%06u@" DOMAIN, i == first ? "" : ",", i);
	fputc('\n', f);
}

static void write_group(uint32_t n, struct entry *gids)
{
	FILE *f = create("group");

	for (uint32_t i = 0; i < n; i++) {
		gids[i].at = ftell(f);
		snprintf(gids[i].key, sizeof gids[i].key, "%u", account_uid(i));
		fprintf(f, "user%06u@" DOMAIN ":x:%u:\n", i, account_uid(i));
	}
	for (uint32_t i = 0; i < n; i += TEAM)
		write_team(f, i, n);
	finish(f, "group");
}

int main(int argc, char **argv)
{
	uint32_t n = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	struct entry *a = calloc(n, sizeof *a), *b = calloc(n, sizeof *b);

	if (n == 0 || a == NULL || b == NULL)
		errx(2, "usage: accounts N");
	write_passwd(n, a, b);
	write_index("passwd.ixname", a, n);
	write_index("passwd.ixuid", b, n);
	write_group(n, a);
	write_index("group.ixgid", a, n);
}
