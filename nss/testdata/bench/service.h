/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Name services as glibc calls them, and the questions for them. */
#ifndef BENCH_SERVICE_H
#define BENCH_SERVICE_H

#include <cdb.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdint.h>

/*
 * An account in the forms that the services need, ready before the clock runs. The letters before
 * name and digits make cdb keys of them.
 */
struct key {
	uid_t uid;
	uint8_t name_len, digits_len;	/* with the letter */
	char n, name[45];
	char u, digits[11];
};

_Static_assert(sizeof(struct key) == 64, "one cache line");

enum { BY_NAME, BY_UID, BY_GID, GROUPS, NO_AT, FOREIGN, UNSEEN, UNSEEN_ROOT, NO_UID, QUESTIONS };

struct service;

/* One call. 0 if the answer is not the right one. */
typedef int ask(const struct service *s, const struct key *k);

struct service {
	const char *label;
	ask *asks[QUESTIONS];	/* NULL if the service does not have it */
	enum nss_status (*getpwnam_r)(const char *, struct passwd *, char *, size_t, int *);
	enum nss_status (*getpwuid_r)(uid_t, struct passwd *, char *, size_t, int *);
	enum nss_status (*getgrgid_r)(gid_t, struct group *, char *, size_t, int *);
	enum nss_status (*initgroups_dyn)(
	    const char *, gid_t, long *, long *, gid_t **, long, int *);
	struct cdb *cdb;
};

/* Loads a library of _nss_NAME_ functions, or exits. */
struct service service_load(const char *label, const char *name, const char *library);

/* No name service, but tinycdb's lookup of the same keys in the mapped store. */
struct service service_raw(const char *label, const char *store);

#endif
