/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One open store for all threads of the process, without a lock. A counter holds the number of
 * calls that read the store. Only a call that finds no reader may replace it: that call takes the
 * counter from 0 to REPLACING, and every call that comes meanwhile opens the store for itself. No
 * call waits, so none can wait forever: not for a thread that a fork has left behind in the parent,
 * nor for one that was cancelled or interrupted by a signal handler. Such a thread may never
 * release the store. Then this process cannot replace the shared store any more, and still answers
 * correctly: it opens the store for each call once the shared one is out of date.
 *
 * The writer marks a mapped file as out of date after it has put another file in its place. A
 * writer may be killed between the two steps, so the path is also checked once a second. A copy
 * shows no mark; for a copy each call checks the path.
 */
#include <stdatomic.h>
#include <time.h>

#include "shared.h"

enum { REPLACING = -1 };

static struct {
	atomic_int readers;
	_Atomic(time_t) checked;	/* when the path was checked */
	uint8_t mark;			/* the store's when it was opened */
	struct aad_store store;		/* without data if there is none */
	struct aad_identity file;
} shared;

/* 0, or -1 if another thread is replacing the store. */
static int begin_reading(void)
{
	int n = atomic_load_explicit(&shared.readers, memory_order_relaxed);

	while (n != REPLACING)
		if (atomic_compare_exchange_weak_explicit(&shared.readers, &n, n + 1,
		    memory_order_acquire, memory_order_relaxed))
			return 0;
	return -1;
}

static void end_reading(void)
{
	atomic_fetch_sub_explicit(&shared.readers, 1, memory_order_release);
}

/* 0, or -1 if there are readers. */
static int begin_replacing(void)
{
	int nobody = 0;

	return atomic_compare_exchange_strong_explicit(&shared.readers, &nobody, REPLACING,
	    memory_order_acquire, memory_order_relaxed) ? 0 : -1;
}

/* The caller becomes one of the readers (1), or does not (0). */
static void end_replacing(int readers)
{
	atomic_store_explicit(&shared.readers, readers, memory_order_release);
}

/*
 * Was the path checked in this second? time(2) is the cheapest clock there is, and no system call.
 * Somebody may set that clock; it is enough that it goes on.
 */
static int is_current(time_t now)
{
	return shared.store.mapped &&
	    now == atomic_load_explicit(&shared.checked, memory_order_relaxed);
}

static int is_unmarked(void)
{
	return aad_store_mark(&shared.store) == shared.mark;
}

/* Checks the path, on behalf of all threads. */
static int is_in_place(time_t now)
{
	if (!aad_store_is(AAD_STORE, &shared.file))
		return 0;
	atomic_store_explicit(&shared.checked, now, memory_order_relaxed);
	return 1;
}

static void close_shared(void)
{
	if (shared.store.db.data)
		aad_store_close(&shared.store);
	shared.store = (struct aad_store){ 0 };
}

static enum aad_result replace(time_t now)
{
	enum aad_result r;

	if (shared.store.db.data && is_current(now) && is_unmarked())
		return AAD_OK;	/* another thread was faster */
	close_shared();
	r = aad_store_open(AAD_STORE, &shared.store, &shared.file);
	if (r != AAD_OK) {
		shared.store = (struct aad_store){ 0 };
		return r;
	}
	shared.mark = aad_store_mark(&shared.store);
	atomic_store_explicit(&shared.checked, now, memory_order_relaxed);
	return AAD_OK;
}

static enum aad_result share(struct aad_acquired *a)
{
	a->store = &shared.store;
	a->file = &shared.file;
	return AAD_OK;
}

enum aad_result aad_acquire(struct aad_acquired *a)
{
	time_t now = time(NULL);
	enum aad_result r;

	if (begin_reading() == 0) {
		/* In this order: the file is checked before its bytes are touched. */
		if (shared.store.db.data && (is_current(now) || is_in_place(now)) && is_unmarked())
			return share(a);
		end_reading();
	}
	if (begin_replacing() == 0) {
		r = replace(now);
		end_replacing(r == AAD_OK);
		return r == AAD_OK ? share(a) : r;
	}
	a->store = &a->own;
	a->file = &a->own_file;
	return aad_store_open(AAD_STORE, &a->own, &a->own_file);
}

void aad_release(struct aad_acquired *a)
{
	if (a->store == &a->own)
		aad_store_close(&a->own);
	else
		end_reading();
}

/*
 * Runs at dlclose(3) and at exit(3). At exit other threads may still be in a lookup. Then the
 * mapping stays until the process has ended.
 */
static void __attribute__((destructor)) unload(void)
{
	if (begin_replacing() == 0)
		close_shared();	/* without end_replacing: no call shall open another one */
}
