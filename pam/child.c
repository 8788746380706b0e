// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * The worker process: born by fork (guard.c), a root process that keeps nothing of its host but the request. sudo calls PAM with
 * the caller's real uid, environment, limits, descriptors and signal mask; none of them may reach the code that decides
 * who gets in.
 *
 * A host may have other threads, and fork catches them anywhere, holding any lock, for ever. So between fork and Go there are
 * only functions that take none: those of signal-safety(7), and those that set the ids, whose lock glibc renews in a forked
 * child, as it does the locks of malloc, the loader and the thread list, which Go's start needs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "door.h"
#include "_cgo_export.h"

enum { FRAMES = 3 };	/* the worker's one descriptor above standard error */

/* A decimal number; -1 for anything else, such as "..". */
static int number(const char *digits)
{
	int n = 0;

	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9')
			return -1;
		n = 10 * n + *digits - '0';
	}
	return n;
}

/* Without close_range(2) (before Linux 5.9): what /proc says is open; without /proc too, give up, by saying so. */
static int close_from(int first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return 0;
#endif
	union { struct dirent64 first; char bytes[4096]; } list;
	int dir;
	long n;

	close(first);	/* so that there is room for one more */
	if ((dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY)) < 0)
		return -1;
	while ((n = syscall(SYS_getdents64, dir, &list, sizeof list)) > 0)
		for (long at = 0; at < n;) {
			struct dirent64 *e = (struct dirent64 *)(list.bytes + at);
			int fd = number(e->d_name);
			if (fd >= first && fd != dir)
				close(fd);
			at += e->d_reclen;
		}
	close(dir);
	return n < 0 ? -1 : 0;
}

/* 0 to 2 on /dev/null, FRAMES as it is, nothing else. In this order, since the host may have all there are. */
static int keep_only_frames(void)
{
	int null;

	if (close_from(FRAMES + 1) || (null = open("/dev/null", O_RDWR)) < 0)
		return -1;
	for (int fd = 0; fd < FRAMES; fd++)
		if (null != fd && dup2(null, fd) < 0)
			return -1;
	return null > FRAMES ? close(null) : 0;
}

/* As given, or as near as a container's root may come, who cannot raise a hard limit. */
static void set_limit(int which, rlim_t soft, rlim_t hard)
{
	struct rlimit limit = { soft, hard };

	if (setrlimit(which, &limit) == 0 || getrlimit(which, &limit))
		return;
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	setrlimit(which, &limit);
}

/* A host's limits protect the machine from its users; the worker is not theirs. No core file: it would hold a token. */
static void reset_limits(void)
{
	static const int unlimited[] = { RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NPROC, RLIMIT_CPU };

	for (size_t i = 0; i < sizeof unlimited / sizeof *unlimited; i++)
		set_limit(unlimited[i], RLIM_INFINITY, RLIM_INFINITY);
	set_limit(RLIMIT_STACK, 8 << 20, RLIM_INFINITY);
	set_limit(RLIMIT_NOFILE, 1024, 4096);
	set_limit(RLIMIT_CORE, 0, 0);
}

static void reset_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		sigaction(s, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * A result is all there is to say it in: Go is still asleep. The error stays a number, because strerror(3) translates, under
 * locks; what aad_failed asks of sprintf(3) needs neither those nor memory.
 */
static void __attribute__((noreturn)) give_up(const struct aad_request *req, int frames, const char *step)
{
	struct aad_end end;
	char error[24];
	size_t n;

	sprintf(error, "errno %d", errno);
	aad_failed(&end, req, PAM_SYSTEM_ERR, LOG_ERR, "worker-failed", "step", step, "error", error, NULL);
	n = 2 + strlen(end.line);
	const char head[] = { AAD_RESULT, (char)n, (char)(n >> 8), (char)end.code, (char)end.priority };
	if (write(frames, head, sizeof head) == sizeof head)
		(void)!write(frames, end.line, n - 2);
	_exit(1);
}

struct birth { const struct aad_request *req; int frames; };

static void __attribute__((noreturn)) be_worker(const void *with, pid_t parent)
{
	extern char **environ;
	static char *empty[1];
	const struct aad_request *req = ((const struct birth *)with)->req;
	int frames = ((const struct birth *)with)->frames;

	/* Ids first: changing them clears the parent-death signal. All three, so that the user behind sudo, whose real
	 * uid the host has, can neither signal nor trace the worker. */
	if (setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(0, 0, 0))
		give_up(req, frames, "become root");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		give_up(req, frames, "die with the host");
	if (getppid() != parent)	/* it has gone already */
		_exit(1);
	prctl(PR_SET_DUMPABLE, 0);
	environ = empty;
	reset_limits();
	if (frames != FRAMES && dup2(frames, FRAMES) < 0)
		give_up(req, frames, "keep the pipe");
	if (keep_only_frames())
		give_up(req, FRAMES, "close descriptors");
	setsid();	/* Ctrl-C at sudo's terminal is for sudo, which ends the conversation and so the worker */
	umask(077);
	if (chdir("/"))
		give_up(req, FRAMES, "leave the directory");
	reset_signals();
	aad_reset_process();
	aad_wake_go();
	aadWork((struct aad_request *)req, FRAMES);
	_exit(1);	/* not reached: aadWork exits by itself */
}

/* Above standard error, where a host without 0 to 2 would take them for its own. */
static int high_pipe(int ends[2])
{
	int low[2];

	if (pipe2(low, O_CLOEXEC))
		return -1;
	ends[0] = fcntl(low[0], F_DUPFD_CLOEXEC, FRAMES);
	ends[1] = fcntl(low[1], F_DUPFD_CLOEXEC, FRAMES);
	close(low[0]);
	close(low[1]);
	if (ends[0] >= 0 && ends[1] >= 0)
		return 0;
	int failed = errno;
	close(ends[0]);
	close(ends[1]);
	return errno = failed, -1;
}

int aad_worker_start(const struct aad_request *req, struct aad_worker *w)
{
	int ends[2], born, failed;
	struct birth birth = { .req = req };
	sigset_t all, before;

	if (high_pipe(ends))
		return -1;
	birth.frames = ends[1];
	/* No handler of the host may run in the child before reset_signals. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	born = aad_birth(w, be_worker, &birth);
	failed = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (born) {
		close(ends[0]);
		errno = failed;
		return -1;
	}
	w->frames = ends[0];
	return 0;
}

/* Closed first, so that a worker that is writing ends by itself. */
void aad_worker_end(struct aad_worker *w)
{
	close(w->frames);
	aad_death(w);
}
