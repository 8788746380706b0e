/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Checks getpwent and getgrent against glibc's manual.
 *
 *	enumerate LIBRARY passwd|group NAME...   the names in the store, in order
 */
#include "host.h"

#include <netdb.h>
#include <pthread.h>

enum { BEFORE = 4242, ROOM = 4096 };

static char **names;
static int count;
static int grouped;

static void set(int stayopen)
{
	enum nss_status s = grouped ? aad.setgr(stayopen) : aad.setpw(stayopen);

	CHECK(s == NSS_STATUS_SUCCESS, "set: status %d", s);
}

static void end(void)
{
	enum nss_status s = grouped ? aad.endgr() : aad.endpw();

	CHECK(s == NSS_STATUS_SUCCESS, "end: status %d", s);
}

static enum nss_status get(char *buf, size_t len, const char **got)
{
	struct passwd pw;
	struct group gr;
	enum nss_status s =
	    grouped ? aad.grent(&gr, buf, len, &errno) : aad.pwent(&pw, buf, len, &errno);

	*got = s != NSS_STATUS_SUCCESS ? NULL : grouped ? gr.gr_name : pw.pw_name;
	return s;
}

/* Reads n entries, beginning with number from. There is none after the last one. */
static void expect(int from, int n)
{
	_Alignas(16) char buf[ROOM];
	const char *got;
	for (int i = from; i < from + n; i++) {
		enum nss_status s;

		errno = h_errno = BEFORE;
		s = get(buf, sizeof buf, &got);
		if (i < count)
			CHECK(s == NSS_STATUS_SUCCESS && errno == BEFORE &&
				strcmp(got, names[i]) == 0,
			    "entry %d: status %d, errno %d, %s, want %s", i, s, errno, got,
			    names[i]);
		else
			CHECK(s == NSS_STATUS_NOTFOUND && errno == BEFORE,
			    "after the end: status %d, errno %d, %s", s, errno, got);
		CHECK(h_errno == BEFORE, "entry %d: h_errno is %d", i, h_errno);
	}
}

static void all(void)
{
	expect(0, count + 3);
}

/* Mixes the calls. Each of them leaves the enumeration in a known position. */
static void mixes(void)
{
	all();	/* without set, as in a new process */
	end();
	all();
	set(0);
	all();
	set(1);
	set(0);
	all();
	end();
	end();
	expect(0, 1);
	end();	/* in the middle */
	expect(0, 2);
	set(1);
	expect(0, count);	/* and not beyond the last one */
	set(0);
	expect(0, 1);
}

/*
 * Reads each entry with a buffer that grows from nothing. A buffer that is too small loses no
 * entry.
 */
static void small(void)
{
	_Alignas(16) char buf[ROOM];
	set(0);
	for (int i = 0; i < count; i++) {
		const char *got;
		enum nss_status s = NSS_STATUS_TRYAGAIN;

		for (size_t len = 0; s == NSS_STATUS_TRYAGAIN && len <= sizeof buf; len++) {
			errno = BEFORE;
			s = get(buf, len, &got);
			CHECK(errno == (s == NSS_STATUS_TRYAGAIN ? ERANGE : BEFORE),
			    "entry %d: %zu bytes: status %d, errno %d", i, len, s, errno);
		}
		CHECK(s == NSS_STATUS_SUCCESS && strcmp(got, names[i]) == 0,
		    "entry %d: status %d, %s, want %s", i, s, got, names[i]);
	}
	expect(count, 1);
}

/* Between two entries, makes other calls, which must not matter. */
static void others(void)
{
	struct passwd pw;
	struct group gr;
	char buf[ROOM];
	int e;

	set(0);
	for (int i = 0; i <= count; i++) {
		expect(i, 1);
		for (int n = 0; n < count; n++) {
			aad.pwnam(names[n], &pw, buf, sizeof buf, &e);
			aad.grnam(names[n], &gr, buf, sizeof buf, &e);
		}
		(void)(grouped ? aad.setpw(0) : aad.setgr(0));	/* the other enumeration */
		if (grouped)
			aad.pwent(&pw, buf, sizeof buf, &e);
		else
			aad.grent(&gr, buf, sizeof buf, &e);
		(void)(grouped ? aad.endpw() : aad.endgr());
	}
}

static void *one(void *number)
{
	expect(*(int *)number, 1);
	return NULL;
}

/* Reads each entry in a thread of its own, which goes on where the one before has stopped. */
static void threads(void)
{
	pthread_t t;

	set(0);
	for (int i = 0; i < count + 1; i++)
		if (pthread_create(&t, NULL, one, &i) != 0 || pthread_join(t, NULL) != 0)
			exit(2);
	end();
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	load(argv[1]);
	grouped = strcmp(argv[2], "group") == 0;
	names = argv + 3;
	count = argc - 3;
	mixes();
	small();
	others();
	threads();
	return wrong != 0;
}
