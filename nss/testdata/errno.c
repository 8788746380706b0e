/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * errno asks the C library, with the name services of its first argument, and prints the error
 * that each call leaves: programs set errno to 0 before a call, and look at it afterwards to tell
 * the end of a list, or a name that nobody has, from an error.
 *
 *	errno SERVICES
 */
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

static int before;

static void begin(void)
{
	errno = before;
}

static void left(const char *what, int returned)
{
	int error = errno;

	printf("%s: after %d: returned %d, errno %d\n", what, before, returned, error);
}

static void lists(void)
{
	begin();
	setpwent();
	left("setpwent", 0);
	do
		begin();
	while (getpwent());
	left("getpwent at the end", 0);
	begin();
	endpwent();
	left("endpwent", 0);
	begin();
	setgrent();
	left("setgrent", 0);
	do
		begin();
	while (getgrent());
	left("getgrent at the end", 0);
	begin();
	endgrent();
	left("endgrent", 0);
}

static void misses(void)
{
	struct passwd pw, *user;
	struct group gr, *group;
	char buf[1024];

	begin();
	left("getpwnam", getpwnam("nobody@contoso.com") != NULL);
	begin();
	left("getpwuid", getpwuid(1900000000) != NULL);
	begin();
	left("getgrnam", getgrnam("nobody@contoso.com") != NULL);
	begin();
	left("getgrgid", getgrgid(1900000000) != NULL);
	begin();
	left("getpwnam_r", getpwnam_r("nobody@contoso.com", &pw, buf, sizeof buf, &user));
	begin();
	left("getgrnam_r", getgrnam_r("nobody@contoso.com", &gr, buf, sizeof buf, &group));
}

static void groups(void)
{
	gid_t list[64];
	int n = 64;

	begin();
	left("getgrouplist of a local user", getgrouplist("root", 0, list, &n));
	begin();
	left("initgroups of a local user", initgroups("root", 0));
	begin();
	left("getgrouplist of nobody", getgrouplist("nobody@contoso.com", 1900000000, list, &n));
}

int main(int argc, char **argv)
{
	static const int values[] = { 0, 4242 };

	if (argc != 2 || __nss_configure_lookup("passwd", argv[1]) ||
	    __nss_configure_lookup("group", argv[1]) ||
	    __nss_configure_lookup("initgroups", argv[1]))
		return 2;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		before = values[i];
		lists();
		misses();
		groups();
	}
	return 0;
}
