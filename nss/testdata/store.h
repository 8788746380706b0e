/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A store whose generations differ in every field, for programs that replace it themselves, and a
 * clock that stands still until the program moves it.
 */
#ifndef AAD_STORE_TEST_H
#define AAD_STORE_TEST_H

#include "host.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

enum {
	ROOM = 1024,
	DIGITS = 6,			/* of a generation */
	MARK = 2048 + 8 + 1 + 4,	/* in the first record */
};

static const char *const template_digits = "424242";
static const char *store, *name;	/* its path, and an account in it */
static uint32_t uid;
static mode_t mode;	/* of the store: 0444 is mapped, so that marks are seen; 0644 is copied */
static char *bytes;	/* of the template */
static size_t size;

/* The library's clock: it calls the program's own function. */
static time_t clock_shows = 1000000;

time_t time(time_t *t)
{
	if (t != NULL)
		*t = clock_shows;
	return clock_shows;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void read_template(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) != 0)
		die(path);
	size = (size_t)st.st_size;
	bytes = malloc(size);
	if (bytes == NULL || read(fd, bytes, size) != (ssize_t)size)
		die(path);
	close(fd);
}

/* Writes a generation. The template itself stays unchanged. */
static void put(const char *path, int generation, int flags, mode_t its_mode)
{
	char digits[16], *copy = malloc(size);
	int fd;

	if (copy == NULL)
		die(path);
	memcpy(copy, bytes, size);
	snprintf(digits, sizeof digits, "%06d", generation);
	for (char *p = copy; (p = memmem(p, (size_t)(copy + size - p), template_digits, DIGITS));
	    p += DIGITS)
		memcpy(p, digits, DIGITS);
	fd = open(path, O_WRONLY | flags, 0600);
	if (fd < 0 || write(fd, copy, size) != (ssize_t)size || fchmod(fd, its_mode) != 0 ||
	    close(fd) != 0)
		die(path);
	free(copy);
}

/* Does what the writer does. It may be killed before it sets the mark. */
static void __attribute__((unused)) publish(int generation, int mark)
{
	char beside[4096];
	int old;

	snprintf(beside, sizeof beside, "%s.%d", store, (int)getpid());
	old = mark ? open(store, O_RDWR) : -1;
	put(beside, generation, O_CREAT | O_EXCL, mode);
	if (rename(beside, store) != 0)
		die(store);
	if (mark && (old < 0 || pwrite(old, "\1", 1, MARK) != 1))
		die(store);
	close(old);
}

/* Returns the generation of all fields of an answer, below 0 if they differ. */
static int generation_of(const struct passwd *p)
{
	int gecos = -1, home = -2, shell = -3;

	if (sscanf(p->pw_gecos, "gen %6d", &gecos) != 1 ||
	    sscanf(p->pw_dir, "/home/%6d/", &home) != 1 ||
	    sscanf(p->pw_shell, "/bin/%6d", &shell) != 1 || gecos != home || home != shell ||
	    p->pw_uid != uid || strcmp(p->pw_name, name) != 0)
		return -1;
	return gecos;
}

/* Returns the generation that a lookup finds. Without an answer it returns the error, below 0. */
static int lookup(void)
{
	struct passwd p;
	char buf[ROOM];
	int e = 0;
	enum nss_status s = aad.pwnam(name, &p, buf, sizeof buf, &e);

	return s == NSS_STATUS_SUCCESS ? generation_of(&p) : s == NSS_STATUS_NOTFOUND ? -1000 : -e;
}

static void __attribute__((unused)) later(void)
{
	clock_shows++;
}

static enum nss_status groups(long already, int *why)
{
	long start = already, room = already;
	gid_t *list = calloc((size_t)already, sizeof *list);
	enum nss_status s;

	if (list == NULL)
		die("calloc");
	s = aad.init(name, uid, &start, &room, &list, -1, why);
	free(list);
	return s;
}

/* Asks every question. Each answer must have this status and this error. */
static void __attribute__((unused)) expect_at(int line, enum nss_status want, int why)
{
	struct passwd p;
	struct group g;
	_Alignas(16) char buf[ROOM];
	enum nss_status s[6];
	int e[6] = { 0 };

	aad.setpw(0);
	s[0] = aad.pwnam(name, &p, buf, sizeof buf, &e[0]);
	s[1] = aad.pwuid(uid, &p, buf, sizeof buf, &e[1]);
	s[2] = aad.grnam(name, &g, buf, sizeof buf, &e[2]);
	s[3] = aad.grgid(uid, &g, buf, sizeof buf, &e[3]);
	s[4] = aad.pwent(&p, buf, sizeof buf, &e[4]);
	s[5] = groups(1, &e[5]);
	for (int i = 0; i < 6; i++)
		CHECK(s[i] == want && e[i] == why,
		    "from line %d: question %d: status %d, errno %d, want %d, %d", line, i, s[i],
		    e[i], want, why);
	CHECK(want != NSS_STATUS_SUCCESS || lookup() >= 0, "from line %d: not the account", line);
}

#define EXPECT(status, why) expect_at(__LINE__, NSS_STATUS_##status, why)

/* Returns the library. */
static void *begin(char **argv)
{
	struct stat st;

	store = argv[2];
	read_template(argv[3]);
	name = argv[4];
	uid = (uint32_t)strtoul(argv[5], NULL, 10);
	if (stat(store, &st) != 0)
		die(store);
	mode = st.st_mode & 0777;
	return load(argv[1]);
}

#endif
