// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * What fork(2) hands on to the worker beside ids, descriptors, limits and signals (child.c): how fast it runs, where, and in
 * what language. A caller of sudo or su sets all of this for the program they start: nice 19, one processor, the idle class
 * of the disk, first to be killed when memory is short. The worker holds the store's lock and places in the waiting room,
 * which are everybody's, so how long it takes must not be the caller's to say.
 *
 * Each attribute is asked for first, and set only where it is unusual: the filter of system calls that a service has
 * (seccomp(2)) may kill the process that sets one. Root in a container may not set all of them; that is no error, since
 * nothing here decides who gets in. As in child.c, nothing here takes a lock.
 *
 * What a host has more, it keeps to itself (timers, memory locks), it cannot be undone (no_new_privs, seccomp) or it is the
 * machine's arrangement (control groups, namespaces).
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

/* A policy first: nice says nothing about a process that is idle or real-time by policy. */
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

/* All that there are. A cpuset, which is an administrator's, still bounds it; the kernel takes no more than the machine has. */
static void reset_processors(void)
{
	union { cpu_set_t set; unsigned char byte[MOST_CPUS / 8]; } cpus;

	if (sched_getaffinity(0, sizeof cpus, &cpus.set) || CPU_COUNT_S(sizeof cpus, &cpus.set) >= sysconf(_SC_NPROCESSORS_ONLN))
		return;
	memset(&cpus, 0xff, sizeof cpus);
	sched_setaffinity(0, sizeof cpus, &cpus.set);
}

/* Which node's, and how soon to be taken. A score below 0 only root can give: to a service that is to live on. */
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
	/* Go's handlers would run on the host's, which may be too small for them. */
	sigaltstack(&none, NULL);
	/* For this thread, the only one yet; setlocale(3) would take a lock. glibc has "C" at hand, without memory or a lock. */
	uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
}
