/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"

_Static_assert(sizeof(off_t) == 8, "a store may have 4 GiB: build with -D_FILE_OFFSET_BITS=64");

/*
 * fstat(2), by the name that it has in every glibc. Since 2.33 the headers mean a symbol of that
 * version, and the module would not load with an older glibc.
 */
#if defined __GLIBC__ && defined __x86_64__
enum { STRUCT_STAT = 1 };
__asm__(".symver aad_fxstat, __fxstat@GLIBC_2.2.5");
extern int aad_fxstat(int version, int fd, struct stat *st);
#elif defined __GLIBC__ && defined __aarch64__
enum { STRUCT_STAT = 0 };
__asm__(".symver aad_fxstat, __fxstat@GLIBC_2.17");
extern int aad_fxstat(int version, int fd, struct stat *st);
#else
#define aad_fxstat(version, fd, st) fstat(fd, st)
#endif

int aad_store_init(const void *data, size_t size, struct aad_store *s)
{
	struct aad_bytes record;
	const struct aad_key rules = aad_key_begin('r', "");

	if (aad_cdb_init(data, size, &s->db) || aad_cdb_get(&s->db, &rules, &record) != AAD_OK ||
	    aad_rules_parse(record, &s->rules))
		return -1;
	s->mark = record.at + AAD_MARK;
	return 0;
}

uint8_t aad_store_mark(const struct aad_store *s)
{
	return __atomic_load_n(s->mark, __ATOMIC_RELAXED);
}

/* Whoever can write the file can be anybody, so only root may. */
static int is_trusted(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == 0 &&
	    (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	    st->st_size >= AAD_CDB_HEADER && st->st_size <= UINT32_MAX;
}

/*
 * A process that reads the mapping of a file which is cut short meanwhile is killed by SIGBUS, and
 * that could be every process of the machine. The writer makes its files immutable
 * (ioctl_iflags(2)), so that nobody can cut them short, root included. It says so by taking away
 * root's write permission, which has no other use.
 */
static int is_sealed(const struct stat *st)
{
	return (st->st_mode & S_IWUSR) == 0;
}

static enum aad_result result_of(int error)
{
	switch (error) {
	case EMFILE: case ENFILE: case ENOMEM: case EAGAIN:
		return AAD_BUSY;
	default:
		return AAD_DAMAGED;
	}
}

/* Reads the file into memory of the module's own. MAP_FAILED with errno if that fails. */
static void *copy(int fd, size_t size)
{
	char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED)
		return data;
	for (size_t n = 0; n < size;) {
		ssize_t got = read(fd, data + n, size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {	/* an error, or the file is shorter by now */
			munmap(data, size);
			errno = got == 0 ? EIO : errno;
			return MAP_FAILED;
		}
		n += (size_t)got;
	}
	return data;
}

/* The caller closes fd. */
static enum aad_result load(int fd, const struct stat *st, struct aad_store *s)
{
	size_t size = (size_t)st->st_size;
	void *data;

	if (!is_trusted(st))
		return AAD_DAMAGED;
	data = is_sealed(st) ? mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0) : copy(fd, size);
	if (data == MAP_FAILED)
		return result_of(errno);
	if (aad_store_init(data, size, s)) {
		munmap(data, size);
		return AAD_DAMAGED;
	}
	s->mapped = is_sealed(st);
	return AAD_OK;
}

/* Returns a descriptor, or -1 with errno. */
static int open_file(const char *path, struct stat *st)
{
	/* O_NONBLOCK: a FIFO in its place must not delay the host. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 && aad_fxstat(STRUCT_STAT, fd, st) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static struct aad_identity identify(const struct stat *st)
{
	return (struct aad_identity){
		st->st_dev, st->st_ino, (uint64_t)st->st_size, st->st_mode,
		st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
	};
}

int aad_may_exist(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return errno != ENOENT;
	close(fd);
	return 1;
}

/*
 * Before the first sign-in there is a directory with nothing of a store, and so nobody has an
 * account. A store that was there has left the lock of its writers or its copy of before, and a
 * directory that is not there may be on a disk that is not mounted: of these nobody can say who has
 * an account.
 */
static int is_first(const char *path)
{
	static const char *const traces[] = { "/accounts.lock", "/accounts.cdb.previous" };
	char name[512];	/* hosts may have little stack */
	const char *file = strrchr(path, '/');
	size_t directory = file ? (size_t)(file - path) : sizeof name;
	int fd;

	if (directory > sizeof name - sizeof "/accounts.cdb.previous")
		return 0;
	memcpy(name, path, directory);
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
		memcpy(name + directory, traces[i], strlen(traces[i]) + 1);
		if (aad_may_exist(name))
			return 0;
	}
	name[directory] = '\0';
	fd = open(name, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NONBLOCK);
	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

enum aad_result aad_store_open(const char *path, struct aad_store *s,
    struct aad_identity *identity)
{
	struct stat st;
	enum aad_result r;
	int fd = open_file(path, &st);

	if (fd < 0 && errno == ENOENT)
		return is_first(path) ? AAD_NO_STORE : AAD_DAMAGED;
	if (fd < 0)
		return result_of(errno);
	r = load(fd, &st, s);
	close(fd);
	if (r == AAD_OK)
		*identity = identify(&st);
	return r;
}

int aad_store_is(const char *path, const struct aad_identity *identity)
{
	struct stat st;
	struct aad_identity now;
	int fd = open_file(path, &st);

	if (fd < 0)
		return 0;
	close(fd);
	now = identify(&st);
	return memcmp(&now, identity, sizeof now) == 0;
}

void aad_store_close(struct aad_store *s)
{
	munmap((void *)s->db.data, s->db.size);
}
