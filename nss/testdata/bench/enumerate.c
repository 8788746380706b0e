/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * enumerate LIBRARY N
 *
 * Enumerates the N accounts as getent passwd does, and prints the time for each and the growth of
 * the process.
 */
#include <dlfcn.h>
#include <err.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Returns the sum of fields of /proc/self/status, in KiB. */
static long resident(const char *field, const char *other)
{
	char line[128];
	long sum = 0;
	FILE *f = fopen("/proc/self/status", "r");

	if (f == NULL)
		err(1, "status");
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, field, strlen(field)) == 0 ||
		    strncmp(line, other, strlen(other)) == 0)
			sum += atol(strchr(line, ':') + 1);
	fclose(f);
	return sum;
}

int main(int argc, char **argv)
{
	static char buf[1 << 12];
	void *l = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
	enum nss_status (*set)(int);
	enum nss_status (*get)(struct passwd *, char *, size_t, int *);
	enum nss_status (*end)(void);
	struct passwd p;
	double start, took;
	long n = 0, own, mapped;
	int error;

	if (l == NULL)
		errx(2, "usage: enumerate LIBRARY N: %s", argc == 3 ? dlerror() : "");
	set = dlsym(l, "_nss_aad_setpwent");
	get = dlsym(l, "_nss_aad_getpwent_r");
	end = dlsym(l, "_nss_aad_endpwent");
	resident("RssAnon:", "RssAnon:");	/* touches what fopen needs */
	own = resident("RssAnon:", "RssAnon:");
	mapped = resident("RssFile:", "RssShmem:");
	start = nanoseconds();
	set(0);
	while (get(&p, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS)
		n++;
	end();
	took = nanoseconds() - start;
	if (n != atol(argv[2]))
		errx(1, "%ld accounts, not %s", n, argv[2]);
	printf("%-12ld%12.0f%20ld%20ld\n", n, took / (double)n,
	    resident("RssAnon:", "RssAnon:") - own, resident("RssFile:", "RssShmem:") - mapped);
}
