// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// One open store for all threads of the process, and no lock. A count says how
// many calls read it. Only who finds nobody reading may replace it; that takes
// the count from 0 to REPLACING, and whoever then comes opens the store for
// itself. Nobody waits, so nobody can wait forever: not for a thread that a
// fork has left behind in the parent, nor for one that was cancelled or that a
// signal handler has interrupted. A count that such a thread never gives back
// keeps this process from replacing the store again. It goes on correctly,
// opening the store for each call once the kept one is out of date.
//
// Out of date is a mapping that its writer has marked so after putting another
// file in its place. A writer may be killed between the two, so the path is
// looked at again once a second, too. A copy shows no mark; with one, the path is
// looked at by each call.
#include "kept.h"

#include <stdatomic.h>
#include <time.h>

enum { REPLACING = -1 };

static struct {
	atomic_int readers;
	_Atomic(time_t) looked; // at the path
	uint8_t mark;           // the store's when it was opened
	struct aad_store store; // without bytes when there is none
	struct aad_identity file;
} kept;

static bool begin_reading(void)
{
	int n = atomic_load_explicit(&kept.readers, memory_order_relaxed);
	while (n != REPLACING)
		if (atomic_compare_exchange_weak_explicit(&kept.readers, &n, n + 1, memory_order_acquire, memory_order_relaxed))
			return true;
	return false;
}

static void end_reading(void)
{
	atomic_fetch_sub_explicit(&kept.readers, 1, memory_order_release);
}

static bool begin_replacing(void)
{
	int nobody = 0;
	return atomic_compare_exchange_strong_explicit(&kept.readers, &nobody, REPLACING, memory_order_acquire,
	                                               memory_order_relaxed);
}

// end_replacing leaves the caller as one of the readers, or nobody.
static void end_replacing(int readers)
{
	atomic_store_explicit(&kept.readers, readers, memory_order_release);
}

// fresh: once in each second of time(2), the cheapest clock there is, and no
// system call. It may be set; what counts is that it goes on.
static bool fresh(time_t when)
{
	return kept.store.mapped && when == atomic_load_explicit(&kept.looked, memory_order_relaxed);
}

static bool usable(void)
{
	return aad_store_mark(&kept.store) == kept.mark;
}

// still_there looks at the path, for all threads.
static bool still_there(time_t when)
{
	if (!aad_store_is(AAD_STORE, &kept.file))
		return false;
	atomic_store_explicit(&kept.looked, when, memory_order_relaxed);
	return true;
}

static void let_go(void)
{
	if (kept.store.db.data != NULL)
		aad_store_close(&kept.store);
	kept.store = (struct aad_store){0};
}

static enum aad_result replace(time_t when)
{
	if (kept.store.db.data != NULL && fresh(when) && usable()) // another thread was faster
		return AAD_OK;
	let_go();
	enum aad_result r = aad_store_open(AAD_STORE, &kept.store, &kept.file);
	if (r != AAD_OK) {
		kept.store = (struct aad_store){0};
		return r;
	}
	kept.mark = aad_store_mark(&kept.store);
	atomic_store_explicit(&kept.looked, when, memory_order_relaxed);
	return AAD_OK;
}

static enum aad_result shared(struct aad_borrowed *b)
{
	b->store = &kept.store;
	b->file = &kept.file;
	return AAD_OK;
}

enum aad_result aad_borrow(struct aad_borrowed *b)
{
	time_t when = time(NULL);
	if (begin_reading()) {
		// In this order: the bytes are not touched before the file has been looked at.
		if (kept.store.db.data != NULL && (fresh(when) || still_there(when)) && usable())
			return shared(b);
		end_reading();
	}
	if (begin_replacing()) {
		enum aad_result r = replace(when);
		end_replacing(r == AAD_OK);
		return r == AAD_OK ? shared(b) : r;
	}
	b->store = &b->own;
	b->file = &b->own_file;
	return aad_store_open(AAD_STORE, &b->own, &b->own_file);
}

void aad_give_back(struct aad_borrowed *b)
{
	if (b->store == &b->own)
		aad_store_close(&b->own);
	else
		end_reading();
}

// unload runs at dlclose(3) and at exit(3). At exit other threads may still be
// in a lookup: then the mapping stays, and dies with the process.
static void __attribute__((destructor)) unload(void)
{
	if (begin_replacing())
		let_go(); // and no end_replacing: nobody shall keep another
}
