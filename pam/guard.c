/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Forks a worker that its host cannot see. The host of a forked child gets SIGCHLD, and wait(2) for
 * any child returns this one. That misleads servers that count their children, or wait in a
 * handler: they never made this child. Only __WALL and __WCLONE see a child that was cloned without
 * an exit signal. But in a host of several threads only fork makes a child that can go on: fork
 * takes the locks of malloc and stdio first, so that their copies are whole, and renews those of
 * the loader and the thread list.
 *
 *   host ──clone, no signal──▶ guard ──fork──▶ worker
 *
 * So there is a process between the two. The guard shares the host's memory, and stands in for the
 * calling thread, which sleeps meanwhile. It has that thread's thread-local storage, so fork takes
 * the locks as that thread. The worker's SIGCHLD goes to the guard. Then the host goes on, and the
 * guard waits for the message that the worker is no longer needed.
 *
 * From there on both use one errno, the host's. Only system calls that fail write it, and those of
 * the guard do not fail: it waits with rt_sigtimedwait for the one signal that it gets, and kills
 * and reaps its own child.
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

/* And 0, which the kernel writes when the guard has ended. */
enum { STARTING = 1, STARTED = 2 };

enum { STACK = 256 << 10, PAGE = 64 << 10 };	/* no machine has larger pages */

/*
 * The guard's memory, apart from the stack of the host, which may leave its own frames by longjmp.
 */
struct guard {
	char overflow[PAGE];	/* not writable */
	char stack[STACK];
	_Alignas(16) int state;
	int error;	/* of fork */
	pid_t host, worker;
	aad_worker_main *run;
	const void *arg;
};

/* The guard's frames never return, so the sanitizer's marks of them would stay in this memory. */
#define UNMARKED __attribute__((no_sanitize("address")))

static void __attribute__((noreturn)) leave(void)
{
	for (;;)
		syscall(SYS_exit, 0);
}

/*
 * Separates the guard from the host's process group and from its user, whose real uid a host such
 * as sudo has. The effective uid stays: changing it would change PR_SET_DUMPABLE of the memory,
 * which is the host's.
 */
static void UNMARKED stand_apart(const struct guard *g)
{
	/* If it were ignored, the kernel would reap the worker. */
	struct sigaction plain = { .sa_handler = SIG_DFL };

	sigaction(SIGCHLD, &plain, NULL);
	if (syscall(SYS_getuid) != 0)
		syscall(SYS_setresuid, 0, -1, -1);
	syscall(SYS_setsid);
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (syscall(SYS_getppid) != g->host)	/* the parent has ended already */
		leave();
}

/*
 * Waits for the end of a killed process, but not for ever: one that waits for a file server which
 * is gone cannot be killed until the server is back. init reaps it then.
 */
static void UNMARKED await_end(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	enum { TRIES = 3000 };

	for (int i = 0; i < TRIES; i++) {
		if (syscall(SYS_wait4, pid, NULL, WNOHANG | __WALL, NULL) != 0)
			return;
		syscall(SYS_nanosleep, &pause, NULL);
	}
}

static int UNMARKED run_guard(void *arg)
{
	struct guard *g = arg;
	/* In old glibc getpid(3) returns the host's pid. */
	pid_t self = (pid_t)syscall(SYS_getpid);
	sigset_t told;

	stand_apart(g);
	sigemptyset(&told);
	sigaddset(&told, SIGTERM);
	if ((g->worker = fork()) == 0)
		g->run(g->arg, self);
	g->error = errno;
	__atomic_store_n(&g->state, STARTED, __ATOMIC_RELEASE);
	syscall(SYS_futex, &g->state, FUTEX_WAKE, 1, NULL, NULL, 0);
	if (g->worker < 0)
		leave();
	/* It is blocked, as all signals are. */
	while (syscall(SYS_rt_sigtimedwait, &told, NULL, NULL, _NSIG / 8) < 0)
		;
	syscall(SYS_kill, g->worker, SIGKILL);
	await_end(g->worker);
	leave();
}

static struct guard *open_guard(void)
{
	struct guard *g = mmap(NULL, sizeof *g, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (g == MAP_FAILED)
		return NULL;
	mprotect(g->overflow, sizeof g->overflow, PROT_NONE);
	return g;
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

/*
 * Waits until the guard has forked. Until then the calling thread must not use its thread-local
 * storage. 0, or -1.
 */
static int await(struct guard *g)
{
	int state;

	while ((state = __atomic_load_n(&g->state, __ATOMIC_ACQUIRE)) == STARTING)
		syscall(SYS_futex, &g->state, FUTEX_WAIT, STARTING, NULL, NULL, 0);
	return state == STARTED && g->worker > 0 ? 0 : -1;
}

/*
 * A plain fork, where no guard is possible, under qemu-user for instance. There the host may see
 * the worker.
 */
static int fork_in_sight(struct aad_worker *w, aad_worker_main *run, const void *arg)
{
	pid_t host = getpid();

	w->guard = NULL;
	if ((w->pid = fork()) == 0)
		run(arg, host);
	return w->pid < 0 ? -1 : 0;
}

/* The calling thread has all signals blocked, and so has the guard. */
int aad_fork_worker(struct aad_worker *w, aad_worker_main *run, const void *arg)
{
	struct guard *g = open_guard();

	if (!g)
		return fork_in_sight(w, run, arg);
	g->state = STARTING;
	g->host = getpid();
	g->run = run;
	g->arg = arg;
	w->guard = g;
	w->pid = clone(run_guard, g->stack + sizeof g->stack,
	    CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID, g, NULL, NULL, &g->state);
	if (w->pid < 0) {
		munmap(g, sizeof *g);
		return fork_in_sight(w, run, arg);
	}
	if (await(g) == 0)
		return 0;
	reap(w->pid);
	errno = g->error ? g->error : ECHILD;
	munmap(g, sizeof *g);
	return -1;
}

/*
 * Waits by pid, whatever the host does about children. If the host reaps this child itself, waitpid
 * returns ECHILD. That is fine, because the result came in a frame and not in the exit status. A
 * child that waitpid reports as alive is still ours, so its pid cannot belong to another process
 * when it is signalled.
 */
void aad_kill_worker(struct aad_worker *w)
{
	if (waitpid(w->pid, NULL, WNOHANG | __WALL) == 0) {
		kill(w->pid, w->guard ? SIGTERM : SIGKILL);
		if (w->guard)
			reap(w->pid);
		else
			await_end(w->pid);
	}
	if (w->guard)
		munmap(w->guard, sizeof(struct guard));
}
