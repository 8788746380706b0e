/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The functions for threads, which only the worker calls. Before glibc 2.34 most of them are in
 * libpthread.so.0. Since then that library is empty, but a module that names it makes the loader
 * find, map and relocate it in every sudo, su and sshd, which is a third of the time that loading
 * this module takes. So the module names neither that library nor these functions, which the loader
 * would look up in each of these processes, too. The build directs every call of a function below
 * to this file (ld's --wrap). The worker finds the functions in the host's libraries, as the loader
 * would, or in libpthread.so.0. The host's side calls none of these functions. It uses
 * sigprocmask(2) for pthread_sigmask: on Linux both are about the calling thread.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "door.h"

/*
 * Weak, so that a libc without these two will do. They are in libdl.so.2 there, which libpam needs
 * itself.
 */
#pragma weak dlopen
#pragma weak dlsym

/*
 * At its start Go asks twice where the stack of its first thread ends. For the answer glibc has the
 * kernel write the list of all mappings, which takes a tenth of the start, and the answer is the
 * stack of the host: the worker runs on the guard's. Without an answer, Go assumes 32 KB.
 */
static int is_first_thread(void)
{
	return syscall(SYS_gettid) == syscall(SYS_getpid);
}

/* Each one: its type, name, parameters and arguments. The Makefile reads the names here. */
#define FUNCTIONS \
	THROUGH(int, pthread_attr_destroy, (pthread_attr_t *a), (a)) \
	THROUGH(int, pthread_attr_getstack, (const pthread_attr_t *a, void **at, size_t *n), \
	    (a, at, n)) \
	THROUGH(int, pthread_attr_getstacksize, (const pthread_attr_t *a, size_t *n), (a, n)) \
	THROUGH(int, pthread_attr_init, (pthread_attr_t *a), (a)) \
	THROUGH(int, pthread_attr_setdetachstate, (pthread_attr_t *a, int state), (a, state)) \
	THROUGH(int, pthread_attr_setstacksize, (pthread_attr_t *a, size_t size), (a, size)) \
	THROUGH(int, pthread_cond_broadcast, (pthread_cond_t *c), (c)) \
	THROUGH(int, pthread_cond_wait, (pthread_cond_t *c, pthread_mutex_t *m), (c, m)) \
	THROUGH(int, pthread_create, (pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), \
	    void *arg), (t, a, run, arg)) \
	THROUGH_UNLESS(is_first_thread() ? ENOENT : 0, int, pthread_getattr_np, \
	    (pthread_t t, pthread_attr_t *a), (t, a)) \
	THROUGH(int, pthread_key_create, (pthread_key_t *key, void (*end)(void *)), (key, end)) \
	THROUGH(int, pthread_mutex_lock, (pthread_mutex_t *m), (m)) \
	THROUGH(int, pthread_mutex_unlock, (pthread_mutex_t *m), (m)) \
	THROUGH(pthread_t, pthread_self, (void), ()) \
	THROUGH(int, pthread_setattr_default_np, (const pthread_attr_t *a), (a)) \
	THROUGH(int, pthread_setspecific, (pthread_key_t key, const void *value), (key, value)) \
	THROUGH(int, pthread_sigmask, (int how, const sigset_t *set, sigset_t *before), \
	    (how, set, before))

#define THROUGH(type, name, parameters, arguments) \
	THROUGH_UNLESS(0, type, name, parameters, arguments)
#define THROUGH_UNLESS(error, type, name, parameters, arguments) \
	static typeof(name) *found_##name; \
	extern typeof(name) __wrap_##name __attribute__((visibility("hidden"))); \
	type __wrap_##name parameters { \
		int failed = (error); \
		return failed ? (type)failed : found_##name arguments; \
	}
FUNCTIONS
#undef THROUGH_UNLESS

int aad_find_threads(void)
{
	void *library = NULL;

	if (!dlopen || !dlsym)
		return -1;
#define THROUGH_UNLESS(error, type, name, parameters, arguments) \
	found_##name = (typeof(name) *)dlsym(RTLD_DEFAULT, #name); \
	if (!found_##name && !library) \
		library = dlopen("libpthread.so.0", RTLD_NOW | RTLD_GLOBAL); \
	if (!found_##name && library) \
		found_##name = (typeof(name) *)dlsym(library, #name); \
	if (!found_##name) \
		return -1;
	FUNCTIONS
#undef THROUGH_UNLESS
	return 0;
}
