// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == 8, "a store may have 4 GiB: build with -D_FILE_OFFSET_BITS=64");

// fstat(2), under the name it has had in every glibc: since 2.33 headers mean a
// symbol of that version, and then the module would not load with older ones.
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

bool aad_store_over(const void *data, size_t size, struct aad_store *s)
{
	struct aad_bytes record;
	const struct aad_key rules = aad_key_begin('r', "");
	if (!aad_cdb_over(data, size, &s->db) || aad_cdb_get(&s->db, &rules, &record) != AAD_OK ||
	    !aad_rules_parse(record, &s->rules))
		return false;
	s->mark = record.at + AAD_MARK;
	return true;
}

uint8_t aad_store_mark(const struct aad_store *s)
{
	return __atomic_load_n(s->mark, __ATOMIC_RELAXED);
}

// trusted: whoever can write the file can be anybody. Root alone may.
static bool trusted(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == 0 && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	       st->st_size >= AAD_CDB_HEADER && st->st_size <= UINT32_MAX;
}

// sealed: a process that reads a mapping of a file which somebody cuts short is
// killed by SIGBUS, and this is every process of the machine. The writer makes
// its files immutable (ioctl_iflags(2)), so that nobody can, root included, and
// says so by taking away root's permission to write, which has no other use.
static bool sealed(const struct stat *st)
{
	return (st->st_mode & S_IWUSR) == 0;
}

static enum aad_result because(int error)
{
	if (error == ENOENT)
		return AAD_NO_STORE;
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN ? AAD_BUSY : AAD_DAMAGED;
}

// copy reads the file into memory of our own.
static void *copy(int fd, size_t size)
{
	char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return data;
	for (size_t n = 0; n < size;) {
		ssize_t got = read(fd, data + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) { // an error, or shorter by now
			munmap(data, size);
			errno = got == 0 ? EIO : errno;
			return MAP_FAILED;
		}
		n += (size_t)got;
	}
	return data;
}

// load leaves closing fd to the caller.
static enum aad_result load(int fd, const struct stat *st, struct aad_store *s)
{
	if (!trusted(st))
		return AAD_DAMAGED;
	size_t size = (size_t)st->st_size;
	void *data = sealed(st) ? mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0) : copy(fd, size);
	if (data == MAP_FAILED)
		return because(errno);
	if (!aad_store_over(data, size, s)) {
		munmap(data, size);
		return AAD_DAMAGED;
	}
	s->mapped = sealed(st);
	return AAD_OK;
}

// open_file opens it; below 0 there is none, for the reason in errno.
static int open_file(const char *path, struct stat *st)
{
	// O_NONBLOCK: a FIFO in its place must not hold the host up.
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
		st->st_dev, st->st_ino, (uint64_t)st->st_size, st->st_mode, st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
	};
}

enum aad_result aad_store_open(const char *path, struct aad_store *s, struct aad_identity *identity)
{
	struct stat st;
	int fd = open_file(path, &st);
	if (fd < 0)
		return because(errno);
	enum aad_result r = load(fd, &st, s);
	close(fd);
	if (r == AAD_OK)
		*identity = identify(&st);
	return r;
}

bool aad_store_is(const char *path, const struct aad_identity *identity)
{
	struct stat st;
	int fd = open_file(path, &st);
	if (fd < 0)
		return false;
	close(fd);
	struct aad_identity now = identify(&st);
	return memcmp(&now, identity, sizeof now) == 0;
}

void aad_store_close(struct aad_store *s)
{
	munmap((void *)s->db.data, s->db.size);
}
