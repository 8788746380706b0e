// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

#define _FILE_OFFSET_BITS 64

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool aad_store_over(const void *data, size_t size, struct aad_store *s)
{
	struct aad_bytes record;
	return aad_cdb_over(data, size, &s->db) && aad_cdb_get(&s->db, "r", 1, &record) == AAD_OK &&
	       aad_rules_parse(record, &s->rules);
}

// trusted: whoever can write the file can be anybody. Root alone may.
static bool trusted(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == 0 && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	       st->st_size >= AAD_CDB_HEADER && st->st_size <= UINT32_MAX;
}

static enum aad_result because(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN ? AAD_BUSY : AAD_DAMAGED;
}

// map leaves closing fd to the caller.
static enum aad_result map(int fd, struct aad_store *s, struct aad_identity *identity)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !trusted(&st))
		return AAD_DAMAGED;
	size_t size = (size_t)st.st_size;
	// Shared, so that every process has the same pages. They are never changed:
	// the writer replaces the file.
	void *data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return because(errno);
	if (!aad_store_over(data, size, s)) {
		munmap(data, size);
		return AAD_DAMAGED;
	}
	if (identity != NULL)
		*identity = (struct aad_identity){st.st_dev, st.st_ino, size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
	return AAD_OK;
}

enum aad_result aad_store_open(const char *path, struct aad_store *s, struct aad_identity *identity)
{
	// O_NONBLOCK: a FIFO in its place must not hold the host up.
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return because(errno);
	enum aad_result r = map(fd, s, identity);
	close(fd);
	return r;
}

void aad_store_close(struct aad_store *s)
{
	munmap((void *)s->db.data, s->db.size);
}
