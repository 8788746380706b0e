/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Resets what fork(2) passes on to the worker besides ids, descriptors, limits and signals
 * (child.c): how fast it runs, where, and in what language. The user of sudo or su sets all of this
 * for the program that they start: nice 19, one processor, the idle class of the disk, the first to
 * be killed when memory is short. The worker holds the lock of the store and places in the waiting
 * room, which everybody shares, so this user must not decide how long it takes.
 *
 * Each attribute is read first, and set only where it is unusual: a service's filter of system
 * calls (seccomp(2)) may kill the process that sets one. Root in a container may not set all of
 * them. That is no error, since nothing here decides who gets in. As in child.c, nothing here takes
 * a lock.
 *
 * Everything else is the host's alone (timers, memory locks), cannot be undone (no_new_privs,
 * seccomp) or belongs to the machine (control groups, namespaces).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "door.h"

enum { MOST_CPUS = 8192, USUAL_SLACK = 50000, IO_OF_THIS_PROCESS = 1 };

/* The policy comes first: nice means nothing for a process whose policy is idle or real-time. */
static void reset_turns(void)
{
	const struct sched_param none = { 0 };

	if (sched_getscheduler(0) != SCHED_OTHER)
		sched_setscheduler(0, SCHED_OTHER, &none);
	if (getpriority(PRIO_PROCESS, 0) != 0)
		setpriority(PRIO_PROCESS, 0, 0);
	if (syscall(SYS_ioprio_get, IO_OF_THIS_PROCESS, 0) > 0)
		syscall(SYS_ioprio_set, IO_OF_THIS_PROCESS, 0, 0);
	prctl(PR_SET_TIMERSLACK, USUAL_SLACK);
}

/*
 * Allows all processors. A cpuset, which an administrator has set, still bounds them, and the
 * kernel ignores those that the machine does not have.
 */
static void reset_processors(void)
{
	union {
		cpu_set_t set;
		unsigned char byte[MOST_CPUS / 8];
	} cpus;

	if (sched_getaffinity(0, sizeof cpus, &cpus.set) ||
	    CPU_COUNT_S(sizeof cpus, &cpus.set) >= sysconf(_SC_NPROCESSORS_ONLN))
		return;
	memset(&cpus, 0xff, sizeof cpus);
	sched_setaffinity(0, sizeof cpus, &cpus.set);
}

/*
 * The node of memory, and how soon the process is killed for memory. Only root can set a score
 * below 0, for a service that is to live on.
 */
static void reset_memory(void)
{
	int policy = 0, score;
	char sign;

	if (syscall(SYS_get_mempolicy, &policy, NULL, 0, NULL, 0) == 0 && policy != 0)
		syscall(SYS_set_mempolicy, 0, NULL, 0);
	if ((score = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC)) < 0)
		return;
	if (read(score, &sign, 1) == 1 && sign != '-' && sign != '0')
		(void)!pwrite(score, "0", 1, 0);
	close(score);
}

void aad_reset_process(void)
{
	const stack_t none = { .ss_flags = SS_DISABLE };

	reset_turns();
	reset_processors();
	reset_memory();
	if (personality(0xffffffff) != PER_LINUX)
		personality(PER_LINUX);
	/*
	 * Go's handlers would run on the host's stack for signals, which may be too small for them.
	 */
	sigaltstack(&none, NULL);
	/*
	 * For this thread, the only one so far; setlocale(3) would take a lock. glibc has "C" built
	 * in, without memory or a lock.
	 */
	uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
}
