// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

#include "preauth.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { NAME_SIZE = 256 };

// read_own_name finds the name of this process's executable.
static bool read_own_name(char name[NAME_SIZE])
{
	char path[1024];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path);
	if (len <= 0 || (size_t)len == sizeof path)
		return false;
	path[len] = '\0';
	// An upgrade replaces the file of a running sshd.
	static const char deleted[] = " (deleted)";
	size_t tail = sizeof deleted - 1;
	if ((size_t)len > tail && memcmp(path + len - tail, deleted, tail) == 0)
		path[(size_t)len - tail] = '\0';
	const char *slash = strrchr(path, '/'), *base = slash == NULL ? path : slash + 1;
	size_t size = strlen(base) + 1;
	if (size > NAME_SIZE)
		return false;
	memcpy(name, base, size);
	return true;
}

// The name is for good until exec(3), which loads this module anew.
enum { UNKNOWN, NOT_ROOTS, WRITING, KNOWN };

static struct {
	atomic_int state;
	char name[NAME_SIZE];
} self;

static const char *known_name(void)
{
	return atomic_load_explicit(&self.state, memory_order_acquire) == KNOWN ? self.name : NULL;
}

// own_name asks the kernel once. Whoever comes while another writes it down, or
// in a child forked then, asks for itself.
static const char *own_name(char room[NAME_SIZE])
{
	const char *known = known_name();
	if (known != NULL)
		return known;
	if (!read_own_name(room))
		return NULL;
	int now = UNKNOWN;
	if (atomic_compare_exchange_strong(&self.state, &now, WRITING)) {
		strcpy(self.name, room);
		atomic_store_explicit(&self.state, KNOWN, memory_order_release);
	}
	return room;
}

static bool is_service(const struct aad_rules *r, const char *name)
{
	const char *service = r->service;
	for (unsigned i = 0; i < r->services; i++, service = aad_next_string(service))
		if (strcmp(service, name) == 0)
			return true;
	return false;
}

// asked_by_nobody_who_may: what is known without a system call, for this is where
// most names that are not there end.
static bool asked_by_nobody_who_may(const struct aad_rules *r)
{
	switch (atomic_load_explicit(&self.state, memory_order_acquire)) {
	case KNOWN:
		return !is_service(r, self.name);
	case NOT_ROOTS:
		return true;
	default:
		if (getauxval(AT_EUID) == 0) // as it was at exec(3)
			return false;
		atomic_store_explicit(&self.state, NOT_ROOTS, memory_order_relaxed);
		return true;
	}
}

// asked_by_service: sshd takes uid, gid, home and shell before anybody has
// signed in. Only it, and the others listed, running as root, hear of an
// account that does not exist yet: to everybody else that would be a person.
static bool asked_by_service(const struct aad_rules *r)
{
	char room[NAME_SIZE];
	const char *name = own_name(room);
	return name != NULL && is_service(r, name) && geteuid() == 0;
}

// choose_id takes the first that nobody holds.
static enum aad_result choose_id(const struct aad_store *s, struct aad_fresh *f)
{
	struct aad_entry holder;
	for (unsigned k = 0; k < AAD_ATTEMPTS; k++) {
		f->uid = aad_id(&s->rules, &f->name, k);
		enum aad_result r = aad_entry_by_uid(s, f->uid, &holder);
		if (r != AAD_OK)
			return r == AAD_ABSENT ? AAD_OK : r;
	}
	return AAD_ABSENT;
}

static bool is_account(const struct aad_store *s, const char *name, struct aad_fresh *f)
{
	return aad_name_parse(&s->rules, name, &f->name) && aad_name_is(&f->name, name);
}

enum aad_result aad_fresh(const struct aad_store *s, const char *name, struct aad_fresh *f)
{
	return is_account(s, name, f) ? choose_id(s, f) : AAD_ABSENT;
}

enum aad_result aad_preauth(const struct aad_store *s, const char *name, struct aad_fresh *f)
{
	if (asked_by_nobody_who_may(&s->rules) || !is_account(s, name, f) || !asked_by_service(&s->rules))
		return AAD_ABSENT;
	return choose_id(s, f);
}

// text is a buffer being filled; once full it stays full.
struct text {
	char *at, *end;
	bool full;
};

static void put(struct text *t, const char *s, size_t len)
{
	if ((size_t)(t->end - t->at) < len)
		t->full = true;
	if (t->full)
		return;
	memcpy(t->at, s, len);
	t->at += len;
}

// put_string returns where it begins.
static char *put_string(struct text *t, const char *s, size_t len)
{
	char *begin = t->at;
	put(t, s, len);
	put(t, "", 1);
	return begin;
}

// put_home expands the template: %u account, %l part before @, %d domain.
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
		default: // the writer refuses it
			return NULL;
		}
	}
	put(t, "", 1);
	return begin;
}

enum aad_result aad_fresh_passwd(const struct aad_rules *r, const struct aad_fresh *f, struct passwd *pwd, char *buf, size_t len)
{
	struct text t = {buf, buf + len, false};
	struct passwd p = {.pw_uid = f->uid, .pw_gid = f->uid};
	p.pw_name = put_string(&t, f->name.upn, f->name.account_len);
	p.pw_passwd = put_string(&t, "*", 1);
	p.pw_gecos = put_string(&t, f->name.upn, f->name.upn_len);
	p.pw_dir = put_home(&t, r->home, &f->name);
	p.pw_shell = put_string(&t, r->shell, strlen(r->shell));
	if (p.pw_dir == NULL)
		return AAD_DAMAGED;
	if (t.full)
		return AAD_SMALL;
	*pwd = p;
	return AAD_OK;
}
