/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Shared by the programs that load the library: its entry points, and a count of what is wrong. A
 * program exits with 0 if nothing is.
 */
#ifndef AAD_HOST_H
#define AAD_HOST_H

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum nss_status pwnam_fn(const char *, struct passwd *, char *, size_t, int *);
typedef enum nss_status pwuid_fn(uid_t, struct passwd *, char *, size_t, int *);
typedef enum nss_status pwent_fn(struct passwd *, char *, size_t, int *);
typedef enum nss_status grnam_fn(const char *, struct group *, char *, size_t, int *);
typedef enum nss_status grgid_fn(gid_t, struct group *, char *, size_t, int *);
typedef enum nss_status grent_fn(struct group *, char *, size_t, int *);
typedef enum nss_status init_fn(const char *, gid_t, long *, long *, gid_t **, long, int *);
typedef enum nss_status set_fn(int);
typedef enum nss_status end_fn(void);

static struct {
	pwnam_fn *pwnam;
	pwuid_fn *pwuid;
	pwent_fn *pwent;
	grnam_fn *grnam;
	grgid_fn *grgid;
	grent_fn *grent;
	init_fn *init;
	set_fn *setpw, *setgr;
	end_fn *endpw, *endgr;
} aad;

static atomic_int wrong;

/* Writes one line at once, in a forked child, too. The first few lines are enough. */
static void __attribute__((format(printf, 3, 4), unused))
say(const char *file, int line, const char *format, ...)
{
	char text[1024];
	int n = snprintf(text, sizeof text, "%s:%d: ", file, line);

	va_list args;
	va_start(args, format);
	n += vsnprintf(text + n, sizeof text - (size_t)n - 1, format, args);
	va_end(args);
	if (n > (int)sizeof text - 2)
		n = sizeof text - 2;
	text[n++] = '\n';
	if (atomic_fetch_add(&wrong, 1) < 20 && write(STDOUT_FILENO, text, (size_t)n) < 0)
		_exit(3);
}

#define CHECK(holds, ...) ((holds) ? (void)0 : say(__FILE__, __LINE__, __VA_ARGS__))

static void *entry(void *lib, const char *name)
{
	char full[64];
	void *p;

	snprintf(full, sizeof full, "_nss_aad_%s", name);
	p = dlsym(lib, full);
	if (p == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	return p;
}

/* path is the path of the library, or "" if it is linked in. */
static void *load(const char *path)
{
	void *lib = dlopen(*path == '\0' ? NULL : path, RTLD_NOW);

	if (lib == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	aad.pwnam = (pwnam_fn *)entry(lib, "getpwnam_r");
	aad.pwuid = (pwuid_fn *)entry(lib, "getpwuid_r");
	aad.pwent = (pwent_fn *)entry(lib, "getpwent_r");
	aad.grnam = (grnam_fn *)entry(lib, "getgrnam_r");
	aad.grgid = (grgid_fn *)entry(lib, "getgrgid_r");
	aad.grent = (grent_fn *)entry(lib, "getgrent_r");
	aad.init = (init_fn *)entry(lib, "initgroups_dyn");
	aad.setpw = (set_fn *)entry(lib, "setpwent");
	aad.setgr = (set_fn *)entry(lib, "setgrent");
	aad.endpw = (end_fn *)entry(lib, "endpwent");
	aad.endgr = (end_fn *)entry(lib, "endgrent");
	return lib;
}

#endif
