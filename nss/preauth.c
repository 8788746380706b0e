/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "preauth.h"

enum { NAME_SIZE = 256 };

/* Reads the name of this process's executable. 0, or -1. */
static int read_own_name(char name[NAME_SIZE])
{
	/* The kernel appends this once an upgrade has replaced the file of a running sshd. */
	static const char deleted[] = " (deleted)";
	const size_t tail = sizeof deleted - 1;
	char path[1024];
	const char *slash, *base;
	ssize_t len = readlink("/proc/self/exe", path, sizeof path);

	if (len <= 0 || (size_t)len == sizeof path)
		return -1;
	path[len] = '\0';
	if ((size_t)len > tail && memcmp(path + len - tail, deleted, tail) == 0)
		path[(size_t)len - tail] = '\0';
	slash = strrchr(path, '/');
	base = slash ? slash + 1 : path;
	if (strlen(base) + 1 > NAME_SIZE)
		return -1;
	memcpy(name, base, strlen(base) + 1);
	return 0;
}

/* The name does not change until exec(3), which loads this module anew. */
enum { UNKNOWN, NOT_ROOTS, WRITING, KNOWN };

static struct {
	atomic_int state;
	char name[NAME_SIZE];
} self;

static const char *known_name(void)
{
	if (atomic_load_explicit(&self.state, memory_order_acquire) != KNOWN)
		return NULL;
	return self.name;
}

/*
 * Asks the kernel once, and keeps the answer. A call that comes while another one writes it down,
 * or in a child that was forked then, asks for itself.
 */
static const char *own_name(char room[NAME_SIZE])
{
	const char *known = known_name();
	int expected = UNKNOWN;

	if (known)
		return known;
	if (read_own_name(room))
		return NULL;
	if (atomic_compare_exchange_strong(&self.state, &expected, WRITING)) {
		strcpy(self.name, room);
		atomic_store_explicit(&self.state, KNOWN, memory_order_release);
	}
	return room;
}

static int is_service(const struct aad_rules *r, const char *name)
{
	const char *service = r->service;

	for (unsigned i = 0; i < r->services; i++, service = aad_next_string(service))
		if (strcmp(service, name) == 0)
			return 1;
	return 0;
}

/*
 * 1 if it is known without a system call that the caller may not know of new accounts. Most lookups
 * of names that do not exist end here.
 */
static int caller_is_excluded(const struct aad_rules *r)
{
	switch (atomic_load_explicit(&self.state, memory_order_acquire)) {
	case KNOWN:
		return !is_service(r, self.name);
	case NOT_ROOTS:
		return 1;
	default:
		if (getauxval(AT_EUID) == 0)	/* as it was at exec(3) */
			return 0;
		atomic_store_explicit(&self.state, NOT_ROOTS, memory_order_relaxed);
		return 1;
	}
}

/*
 * sshd takes uid, gid, home and shell before anybody has signed in. Only sshd and the other
 * programs in the list, running as root, are told of an account that does not exist yet: any other
 * program would take it for a person.
 */
static int caller_is_service(const struct aad_rules *r)
{
	char room[NAME_SIZE];
	const char *name = own_name(room);

	return name && is_service(r, name) && geteuid() == 0;
}

/* Chooses the first id that no account has. */
static enum aad_result choose_id(const struct aad_store *s, struct aad_new_account *a)
{
	struct aad_entry holder;

	for (unsigned k = 0; k < AAD_ATTEMPTS; k++) {
		enum aad_result r;

		a->uid = aad_id(&s->rules, &a->name, k);
		r = aad_entry_by_uid(s, a->uid, &holder);
		if (r != AAD_OK)
			return r == AAD_ABSENT ? AAD_OK : r;
	}
	return AAD_ABSENT;
}

static int is_account_name(const struct aad_store *s, const char *name, struct aad_new_account *a)
{
	return aad_name_parse(&s->rules, name, &a->name) == 0 && aad_name_is(&a->name, name);
}

enum aad_result aad_new_account(const struct aad_store *s, const char *name,
    struct aad_new_account *a)
{
	return is_account_name(s, name, a) ? choose_id(s, a) : AAD_ABSENT;
}

enum aad_result aad_preauth(const struct aad_store *s, const char *name, struct aad_new_account *a)
{
	if (caller_is_excluded(&s->rules) || !is_account_name(s, name, a) ||
	    !caller_is_service(&s->rules))
		return AAD_ABSENT;
	return choose_id(s, a);
}

/* A buffer that is being filled. Once full, it stays full. */
struct text {
	char *at, *end;
	int full;
};

static void put(struct text *t, const char *s, size_t len)
{
	if ((size_t)(t->end - t->at) < len)
		t->full = 1;
	if (t->full)
		return;
	memcpy(t->at, s, len);
	t->at += len;
}

/* Returns the beginning of the string. */
static char *put_string(struct text *t, const char *s, size_t len)
{
	char *begin = t->at;

	put(t, s, len);
	put(t, "", 1);
	return begin;
}

/* Expands a template: %u is the account, %l the part before @, %d the domain. NULL: it is wrong. */
static char *put_home(struct text *t, const char *template, const struct aad_name *n)
{
	char *begin = t->at;

	for (const char *p = template; *p != '\0'; p++) {
		if (*p != '%') {
			put(t, p, 1);
			continue;
		}
		switch (*++p) {
		case 'u':
			put(t, n->upn, n->account_len);
			break;
		case 'l':
			put(t, n->upn, n->local_len);
			break;
		case 'd':
			put(t, n->upn + n->local_len + 1, n->upn_len - n->local_len - 1);
			break;
		case '%':
			put(t, p, 1);
			break;
		default:	/* the writer refuses it */
			return NULL;
		}
	}
	put(t, "", 1);
	return begin;
}

enum aad_result aad_new_account_passwd(const struct aad_rules *r, const struct aad_new_account *a,
    struct passwd *pwd, char *buf, size_t len)
{
	struct text t = { buf, buf + len, 0 };
	struct passwd p = { .pw_uid = a->uid, .pw_gid = a->uid };

	p.pw_name = put_string(&t, a->name.upn, a->name.account_len);
	p.pw_passwd = put_string(&t, "*", 1);
	p.pw_gecos = put_string(&t, a->name.upn, a->name.upn_len);
	p.pw_dir = put_home(&t, r->home, &a->name);
	p.pw_shell = put_string(&t, r->shell, strlen(r->shell));
	if (!p.pw_dir)
		return AAD_DAMAGED;
	if (t.full)
		return AAD_SMALL;
	*pwd = p;
	return AAD_OK;
}
