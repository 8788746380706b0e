/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The worker process: born by fork (guard.c), a root process that keeps nothing of its host but the
 * request. sudo calls PAM with the caller's real uid, environment, limits, descriptors and signal
 * mask; none of them may reach the code that decides who gets in.
 *
 * A host may have other threads, and fork catches them anywhere, holding any lock, for ever. So
 * between fork and Go there are only functions that take none: those of signal-safety(7), and those
 * that set the ids, whose lock glibc renews in a forked child, as it does the locks of malloc, the
 * loader and the thread list, which Go's start needs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "door.h"
#include "_cgo_export.h"

enum { FRAMES = 3 };	/* the worker's socket, its one descriptor above standard error */

/* Returns a decimal number, or -1 for any other text, such as "..". */
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

/* Without close_range(2), closes what /proc lists. 0, or -1 if there is no /proc. */
static int close_listed(int first)
{
	union {
		struct dirent64 first;
		char bytes[4096];
	} list;
	int dir;
	long n;

	close(first);	/* so that one more can be opened */
	dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
	if (dir < 0)
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

static int close_from(int first)
{
#ifdef SYS_close_range	/* Linux 5.9 */
	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return 0;
#endif
	return close_listed(first);
}

/*
 * Afterwards 0 and 1 are /dev/null, 2 is the pipe for errors, FRAMES is unchanged, and there is
 * nothing else. The order matters, since the host may have used up all descriptors. A worker
 * without the pipe, for which the host had no descriptors, has /dev/null there, too. 0, or -1.
 */
static int keep_only_ours(int has_errors)
{
	int null, ours = has_errors ? STDERR_FILENO : FRAMES;

	if (close_from(FRAMES + 1) || (null = open("/dev/null", O_RDWR)) < 0)
		return -1;
	for (int fd = 0; fd < ours; fd++)
		if (null != fd && dup2(null, fd) < 0)
			return -1;
	return null > FRAMES ? close(null) : 0;
}

/* Sets a limit, or comes as near as a container's root can, which cannot raise a hard limit. */
static void set_limit(int which, rlim_t soft, rlim_t hard)
{
	struct rlimit limit = { soft, hard };

	if (setrlimit(which, &limit) == 0 || getrlimit(which, &limit))
		return;
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	setrlimit(which, &limit);
}

/*
 * A host's limits protect the machine from its users, and the worker is not theirs. There is no
 * core file, which would hold a token.
 */
static void reset_limits(void)
{
	static const int unlimited[] = {
		RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NPROC, RLIMIT_CPU,
	};

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

static void write_frame(int frames, char type, const char *head, const char *text)
{
	char frame[3 + 2 + AAD_FRAME_MAX];
	size_t n = (size_t)sprintf(frame + 3, "%s%.*s", head, AAD_FRAME_MAX - 2, text);

	frame[0] = type, frame[1] = (char)n, frame[2] = (char)(n >> 8);
	(void)!write(frames, frame, 3 + n);
}

/*
 * Reports an end without Go, which is still asleep. The use of sprintf(3) in aad_failed needs no
 * locks and no memory.
 */
static void __attribute__((noreturn)) report_and_exit(const struct aad_request *req, int frames,
    const struct aad_end *end)
{
	const char head[] = { (char)end->code, (char)end->priority, 0 };
	char told[512];

	sprintf(told, "%.300s\nCorrelation ID: %s", end->sentence, req->attempt);
	write_frame(frames, AAD_ERROR, "", told);
	write_frame(frames, AAD_RESULT, head, end->line);
	_exit(1);
}

/* The error stays a number, because strerror(3) translates it, under locks. */
static void __attribute__((noreturn)) give_up(const struct aad_request *req, int frames,
    const char *step)
{
	struct aad_end end;
	char error[24];

	sprintf(error, "errno %d", errno);
	aad_failed(&end, req, PAM_SYSTEM_ERR, LOG_ERR, "worker-failed",
	    "step", step, "error", error, NULL);
	report_and_exit(req, frames, &end);
}

/*
 * 1 if so much is left below a limit that cannot be raised. Nothing is touched, so nothing is used
 * up.
 */
static int has_room(int which, int protection, size_t bytes, rlim_t *limit)
{
	struct rlimit now;
	void *room;

	if (getrlimit(which, &now) || now.rlim_cur == RLIM_INFINITY)
		return 1;
	*limit = now.rlim_cur;
	room = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return room != MAP_FAILED && munmap(room, bytes) == 0;
}

/*
 * Go reserves many addresses at its start, and each thread some for its stack and malloc. It writes
 * to few of them. In a container root may not raise a limit. Below one a worker could die at any
 * moment, and could not tell why.
 */
static void find_room(const struct aad_request *req, int frames)
{
	enum { ADDRESSES = 1536 << 20, DATA = 192 << 20 };
	struct aad_end end;
	rlim_t limit = 0;
	char error[80];

	if (has_room(RLIMIT_AS, PROT_NONE, ADDRESSES, &limit) &&
	    has_room(RLIMIT_DATA, PROT_READ | PROT_WRITE, DATA, &limit))
		return;
	sprintf(error, "memory limit %llu MB of the host", (unsigned long long)limit >> 20);
	aad_failed(&end, req, PAM_SYSTEM_ERR, LOG_ERR, "memory-limit", "error", error, NULL);
	report_and_exit(req, frames, &end);
}

struct start {
	const struct aad_request *req;
	int frames, errors;
};

static void __attribute__((noreturn)) worker_main(const void *arg, pid_t parent)
{
	extern char **environ;
	static char *empty[1];
	const struct start *start = arg;
	const struct aad_request *req = start->req;
	int frames = start->frames, errors = start->errors;

	/*
	 * The ids come first: changing them clears the parent-death signal. All three of them
	 * change, so that the user behind sudo, whose real uid the host has, can neither signal nor
	 * trace the worker.
	 */
	if (setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(0, 0, 0))
		give_up(req, frames, "become root");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		give_up(req, frames, "die with the host");
	if (getppid() != parent)	/* the parent has ended already */
		_exit(1);
	prctl(PR_SET_DUMPABLE, 0);
	environ = empty;
	reset_limits();
	/* In this order: errors may be FRAMES. */
	if ((errors >= 0 && dup2(errors, STDERR_FILENO) < 0) ||
	    (frames != FRAMES && dup2(frames, FRAMES) < 0))
		give_up(req, frames, "keep the descriptors");
	if (keep_only_ours(errors >= 0))
		give_up(req, FRAMES, "close descriptors");
	/* Ctrl-C at sudo's terminal is for sudo, which then ends conversation and worker. */
	setsid();
	umask(077);
	if (chdir("/"))
		give_up(req, FRAMES, "leave the directory");
	reset_signals();
	aad_reset_process();
	find_room(req, FRAMES);
	if (aad_wake_go())
		give_up(req, FRAMES, "seal the data of Go");
	aadWork((struct aad_request *)req, FRAMES);
	_exit(1);	/* not reached: aadWork exits */
}

/*
 * Moves both ends above standard error. A host without 0 to 2 would take lower ones for its own. 0,
 * or -1 with errno.
 */
static int lift(const int low[2], int ends[2])
{
	int error;

	ends[0] = fcntl(low[0], F_DUPFD_CLOEXEC, FRAMES);
	ends[1] = fcntl(low[1], F_DUPFD_CLOEXEC, FRAMES);
	close(low[0]);
	close(low[1]);
	if (ends[0] >= 0 && ends[1] >= 0)
		return 0;
	error = errno;
	close(ends[0]);
	close(ends[1]);
	errno = error;
	return -1;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

int aad_worker_start(const struct aad_request *req, struct aad_worker *w)
{
	int low[2], frames[2], errors[2], ret, error;
	struct start start;
	sigset_t all, before;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, low) || lift(low, frames))
		return -1;
	/* A sign-in works without the second one. */
	if (pipe2(low, O_CLOEXEC | O_NONBLOCK) || lift(low, errors))
		errors[0] = errors[1] = -1;
	start = (struct start){ req, frames[1], errors[1] };
	/* No handler of the host may run in the child before reset_signals. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	ret = aad_fork_worker(w, worker_main, &start);
	error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(frames[1]);
	close_if_open(errors[1]);
	w->frames = frames[0];
	w->errors = errors[0];
	if (ret == 0)
		return 0;
	close(frames[0]);
	close_if_open(errors[0]);
	errno = error;
	return -1;
}

/* The sockets are closed first, so that a worker that is writing ends by itself. */
void aad_worker_end(struct aad_worker *w)
{
	close(w->frames);
	close_if_open(w->errors);
	aad_kill_worker(w);
}
