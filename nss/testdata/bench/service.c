/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "service.h"

#include <dlfcn.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char buf[1 << 20];	/* libnss-cache looks for no group with less */
static int error;

static int by_name(const struct service *s, const struct key *k)
{
	struct passwd p;

	return s->getpwnam_r(k->name, &p, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS &&
	    p.pw_uid == k->uid;
}

static int by_uid(const struct service *s, const struct key *k)
{
	struct passwd p;

	return s->getpwuid_r(k->uid, &p, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS &&
	    p.pw_uid == k->uid;
}

static int by_gid(const struct service *s, const struct key *k)
{
	struct group g;

	return s->getgrgid_r(k->uid, &g, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS &&
	    g.gr_gid == k->uid;
}

static int groups(const struct service *s, const struct key *k)
{
	static gid_t room[64];	/* large enough, so that nobody reallocates it */
	gid_t *list = room;
	long start = 1, size = sizeof room / sizeof *room;

	room[0] = k->uid;
	return s->initgroups_dyn(k->name, k->uid, &start, &size, &list, size, &error) ==
	    NSS_STATUS_SUCCESS;
}

static int no_name(const struct service *s, const struct key *k)
{
	struct passwd p;

	return s->getpwnam_r(k->name, &p, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND;
}

static int no_uid(const struct service *s, const struct key *k)
{
	struct passwd p;

	return s->getpwuid_r(k->uid, &p, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND;
}

static void *symbol(void *library, const char *name, const char *function)
{
	char s[64];

	snprintf(s, sizeof s, "_nss_%s_%s", name, function);
	return dlsym(library, s);
}

struct service service_load(const char *label, const char *name, const char *library)
{
	void *l = dlopen(library, RTLD_NOW);
	struct service s = {
		.label = label,
		.asks = {
			by_name, by_uid, by_gid, groups, no_name, no_name, no_name, no_name, no_uid,
		},
	};

	if (l == NULL)
		errx(1, "%s", dlerror());
	s.getpwnam_r = symbol(l, name, "getpwnam_r");
	s.getpwuid_r = symbol(l, name, "getpwuid_r");
	s.getgrgid_r = symbol(l, name, "getgrgid_r");
	s.initgroups_dyn = symbol(l, name, "initgroups_dyn");
	if (s.getpwnam_r == NULL || s.getpwuid_r == NULL || s.getgrgid_r == NULL)
		errx(1, "%s: no lookups of _nss_%s_", library, name);
	if (s.initgroups_dyn == NULL)
		s.asks[GROUPS] = NULL;
	return s;
}

/* 1 if the record, an entry of internal/account, has the uid. */
static int found(const struct service *s, const void *key, unsigned len, uid_t uid)
{
	const void *value;

	if (cdb_find(s->cdb, key, len) <= 0)
		return 0;
	value = cdb_getdata(s->cdb);
	return value != NULL && memcmp(value, &uid, sizeof uid) == 0;
}

static int raw_name(const struct service *s, const struct key *k)
{
	return found(s, &k->n, k->name_len, k->uid);
}

static int raw_uid(const struct service *s, const struct key *k)
{
	return found(s, &k->u, k->digits_len, k->uid);
}

static int raw_no_name(const struct service *s, const struct key *k)
{
	return cdb_find(s->cdb, &k->n, k->name_len) == 0;
}

static int raw_no_uid(const struct service *s, const struct key *k)
{
	return cdb_find(s->cdb, &k->u, k->digits_len) == 0;
}

struct service service_raw(const char *label, const char *store)
{
	struct cdb *cdb = calloc(1, sizeof *cdb);
	int fd = open(store, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || cdb == NULL || cdb_init(cdb, fd) != 0)
		err(1, "%s", store);
	return (struct service){
		.label = label,
		.asks = { raw_name, raw_uid, raw_uid, raw_name, raw_no_name, raw_no_name,
		    raw_no_name, raw_no_name, raw_no_uid },
		.cdb = cdb,
	};
}
