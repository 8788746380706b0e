/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Loads the library as glibc does and prints its answers.
 *
 *	probe LIBRARY COMMAND ARGUMENT [COMMAND ARGUMENT]...
 *
 * Each call gives one line: status, errno (4242 is unchanged) and answer.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BEFORE = 4242,
	MARK = 2048 + 8 + 1 + 4,	/* in the first record */
};

static void *lib;
static char buf[1 << 16];

static void *sym(const char *name)
{
	void *p = dlsym(lib, name);

	if (p == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	return p;
}

static void passwd(enum nss_status s, const struct passwd *p)
{
	printf("%d %d", s, errno);
	if (s == NSS_STATUS_SUCCESS)
		printf(" %s:%s:%u:%u:%s:%s:%s", p->pw_name, p->pw_passwd, p->pw_uid, p->pw_gid,
		    p->pw_gecos, p->pw_dir, p->pw_shell);
	putchar('\n');
}

static void group(enum nss_status s, const struct group *g)
{
	printf("%d %d", s, errno);
	if (s == NSS_STATUS_SUCCESS) {
		printf(" %s:%s:%u:", g->gr_name, g->gr_passwd, g->gr_gid);
		for (char **m = g->gr_mem; *m != NULL; m++)
			printf("%s%s", m == g->gr_mem ? "" : ",", *m);
	}
	putchar('\n');
}

static void pwnam(const char *arg, size_t len)
{
	enum nss_status (*f)(const char *, struct passwd *, char *, size_t, int *) =
	    sym("_nss_aad_getpwnam_r");
	struct passwd p;

	errno = BEFORE;
	passwd(f(arg, &p, buf, len, &errno), &p);
}

static void pwuid(const char *arg)
{
	enum nss_status (*f)(uid_t, struct passwd *, char *, size_t, int *) =
	    sym("_nss_aad_getpwuid_r");
	struct passwd p;

	errno = BEFORE;
	passwd(f((uid_t)strtoul(arg, NULL, 10), &p, buf, sizeof buf, &errno), &p);
}

static void grnam(const char *arg)
{
	enum nss_status (*f)(const char *, struct group *, char *, size_t, int *) =
	    sym("_nss_aad_getgrnam_r");
	struct group g;

	errno = BEFORE;
	group(f(arg, &g, buf, sizeof buf, &errno), &g);
}

static void grgid(const char *arg)
{
	enum nss_status (*f)(gid_t, struct group *, char *, size_t, int *) =
	    sym("_nss_aad_getgrgid_r");
	struct group g;

	errno = BEFORE;
	group(f((gid_t)strtoul(arg, NULL, 10), &g, buf, sizeof buf, &errno), &g);
}

/* Asks for the groups of NAME=GID, the account with this primary group. */
static void init(const char *arg)
{
	char *name = strdup(arg), *gid = strchr(name, '=');
	enum nss_status (*f)(const char *, gid_t, long *, long *, gid_t **, long, int *) =
	    sym("_nss_aad_initgroups_dyn");
	long start = 0, size = 1;
	gid_t *list = malloc(sizeof *list);
	enum nss_status s;

	*gid++ = '\0';
	errno = BEFORE;
	s = f(name, (gid_t)strtoul(gid, NULL, 10), &start, &size, &list, -1, &errno);
	printf("%d %d", s, errno);
	for (long i = 0; i < start; i++)
		printf(" %u", list[i]);
	putchar('\n');
	free(list);
	free(name);
}

/* Does what the writer does: renames the file, then changes the mark of the old one. */
static void replace(const char *by, const char *store)
{
	uint8_t mark;
	int old = open(store, O_RDWR);

	if (rename(by, store) != 0 || pread(old, &mark, 1, MARK) != 1)
		perror(store);
	mark++;
	if (pwrite(old, &mark, 1, MARK) != 1)
		perror(store);
	close(old);
}

/*
 * Enumerates. With NEW=STORE, the file NEW takes the place of the store after the first account. A
 * buffer that is too small comes before each one.
 */
static void pwent(const char *arg)
{
	enum nss_status (*set)(int) = sym("_nss_aad_setpwent"), s;
	enum nss_status (*get)(struct passwd *, char *, size_t, int *) = sym("_nss_aad_getpwent_r");
	enum nss_status (*end)(void) = sym("_nss_aad_endpwent");
	char *from = strdup(arg), *to = strchr(from, '=');
	struct passwd p;
	int again;

	set(0);
	do {
		if (get(&p, buf, 3, &again) == NSS_STATUS_TRYAGAIN && again != ERANGE)
			printf("errno %d\n", again);
		errno = BEFORE;
		passwd(s = get(&p, buf, sizeof buf, &errno), &p);
		if (to != NULL) {
			*to = '\0';
			replace(from, to + 1);
			to = NULL;
		}
	} while (s == NSS_STATUS_SUCCESS);
	end();
	free(from);
}

static void grent(void)
{
	enum nss_status (*set)(int) = sym("_nss_aad_setgrent"), s;
	enum nss_status (*get)(struct group *, char *, size_t, int *) = sym("_nss_aad_getgrent_r");
	enum nss_status (*end)(void) = sym("_nss_aad_endgrent");
	struct group g;

	set(1);
	do {
		errno = BEFORE;
		group(s = get(&g, buf, sizeof buf, &errno), &g);
	} while (s == NSS_STATUS_SUCCESS);
	end();
}

static int lines(const char *path)
{
	FILE *f = fopen(path, "r");
	int n = 0;

	for (int c; (c = getc(f)) != EOF;)
		n += c == '\n';
	fclose(f);
	return n;
}

static int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* Prints how many mappings and descriptors many lookups leave behind. */
static void held(const char *arg)
{
	enum nss_status (*f)(const char *, struct passwd *, char *, size_t, int *) =
	    sym("_nss_aad_getpwnam_r");
	struct passwd p;
	int maps = lines("/proc/self/maps"), fds = descriptors();

	for (int i = 0; i < 10000; i++)
		f(arg, &p, buf, sizeof buf, &errno);
	printf("%d %d\n", lines("/proc/self/maps") - maps, descriptors() - fds);
}

int main(int argc, char **argv)
{
	lib = dlopen(argv[1], RTLD_NOW);
	if (lib == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	for (int i = 2; i + 1 < argc; i += 2) {
		const char *command = argv[i], *arg = argv[i + 1];

		if (strcmp(command, "pwnam") == 0)
			pwnam(arg, sizeof buf);
		else if (strcmp(command, "small") == 0)
			pwnam(arg, 5);
		else if (strcmp(command, "pwuid") == 0)
			pwuid(arg);
		else if (strcmp(command, "grnam") == 0)
			grnam(arg);
		else if (strcmp(command, "grgid") == 0)
			grgid(arg);
		else if (strcmp(command, "init") == 0)
			init(arg);
		else if (strcmp(command, "pwent") == 0)
			pwent(arg);
		else if (strcmp(command, "grent") == 0)
			grent();
		else if (strcmp(command, "held") == 0)
			held(arg);
		else if (strcmp(command, "unlink") == 0)
			unlink(arg);
		else
			return 2;
	}
	return 0;
}
