// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * A worker that its host cannot see. The host of a forked child gets SIGCHLD, and wait(2) for any child returns this one: servers
 * that count their children, or wait in a handler, are led astray by a child that they never made. A child that was cloned without
 * an exit signal is seen by __WALL and __WCLONE only. But in a host of several threads only fork makes a child that can go on: it
 * takes the locks of malloc and stdio first, so that the copy of them is whole, and renews those of the loader and the thread list.
 *
 *   host ──clone, no signal──▶ guard ──fork──▶ worker
 *
 * So there is a process between the two. The guard shares the host's memory, and stands in for the calling thread, which sleeps
 * meanwhile: it has that thread's thread-local storage, and so fork takes the locks as that thread, for real. The worker's SIGCHLD is the
 * guard's. Then the host goes on, and the guard waits to be told that the worker is no longer needed.
 *
 * From there on both use one errno, the host's. It is written by system calls that fail only, and the guard's do not: it waits with
 * rt_sigtimedwait, for the one signal that it is sent, and what it kills and reaps is its own child.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "door.h"

enum { STARTING = 1, STARTED = 2 };	/* and 0, which the kernel writes when the guard has ended */

enum { ROOM = 256 << 10, PAGE = 64 << 10 };	/* no page is larger, on any machine */

/* The guard's memory, apart from the stack of the host, which may leave its own frames by longjmp. */
struct room {
	char overflow[PAGE];	/* not to be written */
	char stack[ROOM];
	_Alignas(16) int state;
	int error;		/* of fork */
	pid_t host, worker;
	aad_life *life;
	const void *with;
};

/* The guard's frames never return, which would leave the sanitizer's marks of them to whoever gets this memory next. */
#define UNMARKED __attribute__((no_sanitize("address")))

static void __attribute__((noreturn)) leave(void)
{
	for (;;)
		syscall(SYS_exit, 0);
}

/*
 * Not part of what happens to the host's process group, and not the user's to signal, whose real uid a host such as sudo has. The
 * effective uid stays: changing it would change the memory's PR_SET_DUMPABLE, which is the host's.
 */
static void UNMARKED stand_apart(const struct room *r)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };	/* ignored, it would reap the worker */

	sigaction(SIGCHLD, &plain, NULL);
	if (syscall(SYS_getuid) != 0)
		syscall(SYS_setresuid, 0, -1, -1);
	syscall(SYS_setsid);
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (syscall(SYS_getppid) != r->host)	/* it has gone already */
		leave();
}

/*
 * Waits for the end of who has been killed, but not for ever: a process that waits for a file server which is gone may not even be
 * killed until that is back. Init has it then.
 */
static void UNMARKED await_end(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	enum { TRIES = 3000 };

	for (int i = 0; i < TRIES && syscall(SYS_wait4, pid, NULL, WNOHANG | __WALL, NULL) == 0; i++)
		syscall(SYS_nanosleep, &pause, NULL);
}

static int UNMARKED guard(void *room)
{
	struct room *r = room;
	pid_t self = (pid_t)syscall(SYS_getpid);	/* getpid(3) of old has it from the host's thread */
	sigset_t told;

	stand_apart(r);
	sigemptyset(&told);
	sigaddset(&told, SIGTERM);
	if ((r->worker = fork()) == 0)
		r->life(r->with, self);
	r->error = errno;
	__atomic_store_n(&r->state, STARTED, __ATOMIC_RELEASE);
	syscall(SYS_futex, &r->state, FUTEX_WAKE, 1, NULL, NULL, 0);
	if (r->worker < 0)
		leave();
	while (syscall(SYS_rt_sigtimedwait, &told, NULL, NULL, _NSIG / 8) < 0)	/* blocked, as all signals are */
		;
	syscall(SYS_kill, r->worker, SIGKILL);
	await_end(r->worker);
	leave();
}

static struct room *open_room(void)
{
	struct room *r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (r == MAP_FAILED)
		return NULL;
	mprotect(r->overflow, sizeof r->overflow, PROT_NONE);
	return r;
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

/* Until the guard has forked, the calling thread must not do anything that needs its thread-local storage. */
static int await(struct room *r)
{
	int state;

	while ((state = __atomic_load_n(&r->state, __ATOMIC_ACQUIRE)) == STARTING)
		syscall(SYS_futex, &r->state, FUTEX_WAIT, STARTING, NULL, NULL, 0);
	return state == STARTED && r->worker > 0 ? 0 : -1;
}

/* As any program would: where there can be no guard, under qemu-user for instance. There a host may see the worker. */
static int in_sight(struct aad_worker *w, aad_life *life, const void *with)
{
	pid_t host = getpid();

	w->room = NULL;
	if ((w->pid = fork()) == 0)
		life(with, host);
	return w->pid < 0 ? -1 : 0;
}

/* The calling thread has all signals blocked, and the guard thereby, too. */
int aad_birth(struct aad_worker *w, aad_life *life, const void *with)
{
	struct room *r = open_room();

	if (!r)
		return in_sight(w, life, with);
	r->state = STARTING;
	r->host = getpid();
	r->life = life;
	r->with = with;
	w->room = r;
	w->pid = clone(guard, r->stack + sizeof r->stack, CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID, r, NULL, NULL, &r->state);
	if (w->pid < 0) {
		munmap(r, sizeof *r);
		return in_sight(w, life, with);
	}
	if (await(r) == 0)
		return 0;
	reap(w->pid);
	errno = r->error ? r->error : ECHILD;
	munmap(r, sizeof *r);
	return -1;
}

/*
 * By pid and whatever the host does about children: if it reaps this one itself, waitpid returns ECHILD, and that is as good, because
 * the outcome came by frame, never by exit status. A child that waitpid calls alive is still ours, so the number cannot belong to
 * a stranger when it is signalled.
 */
void aad_death(struct aad_worker *w)
{
	if (waitpid(w->pid, NULL, WNOHANG | __WALL) == 0) {
		kill(w->pid, w->room ? SIGTERM : SIGKILL);
		if (w->room)
			reap(w->pid);
		else
			await_end(w->pid);
	}
	if (w->room)
		munmap(w->room, sizeof(struct room));
}
