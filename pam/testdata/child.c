/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The start and the end of a worker, in hosts of all kinds.
 *
 *	child HOST... WORKER
 *
 * Each HOST word does something to this process that sshd, sudo or their caller may have done;
 * WORKER is what the worker does after its report. Prints lines "worker KEY VALUE" (what the worker
 * found) and "host KEY VALUE"; child_test.go reads them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <langinfo.h>
#include <libintl.h>
#include <limits.h>
#include <linux/capability.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int no_close_range, no_fork, no_clone;

static long stage_syscall(long number, ...);
static pid_t stage_fork(void);

#include <sys/syscall.h>
#define syscall stage_syscall
#include "../child.c"
#undef syscall
#define fork stage_fork
#define clone(...) (no_clone ? (errno = EINVAL, -1) : clone(__VA_ARGS__))
#include "../guard.c"
#undef fork
#undef clone
#include "../line.c"
#include "../reset.c"

static long stage_syscall(long number, ...)
{
	va_list args;
	long a[3];

	if (number == SYS_close_range && no_close_range) {
		errno = ENOSYS;
		return -1;
	}
	va_start(args, number);
	for (int i = 0; i < 3; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	return syscall(number, a[0], a[1], a[2]);
}

static pid_t stage_fork(void)
{
	if (!no_fork)
		return fork();
	errno = EAGAIN;
	return -1;
}

enum { most_files = 4096 };

static const char *then;	/* what the worker does after its report */
static int woken, out, open_null, all_cpus;

int aad_wake_go(void)
{
	woken++;
	return 0;
}

#include "child_report.h"

void aadWork(struct aad_request *req, int frames)
{
	if (strcmp(then, "quiet") == 0)
		_exit(0);
	report(req, frames);
	if (strcmp(then, "return") == 0)
		return;
	if (strcmp(then, "stop") == 0)
		raise(SIGSTOP);
	if (strcmp(then, "deaf") == 0)
		for (int s = 1; s < NSIG; s++)
			signal(s, SIG_IGN);
	if (strcmp(then, "talk") == 0)	/* more than a pipe holds */
		for (int i = 0; i < 3000; i++)
			(void)!write(STDERR_FILENO, "panic: a worker that says a great deal\n", 39);
	if (strcmp(then, "talk") == 0)
		_exit(2);
	if (strcmp(then, "crash") == 0)
		raise(SIGSEGV);
	if (strcmp(then, "exit") == 0)
		_exit(0);
	dprintf(frames, "worker waits\n");
	for (;;)
		pause();
}

#include "child_host.h"

/* The blocked signals of this process, as a number to compare. */
static uint64_t blocked(void)
{
	uint64_t set = 0;
	sigset_t now;

	sigprocmask(SIG_SETMASK, NULL, &now);
	for (int s = 1; s < NSIG; s++)
		set |= (uint64_t)(sigismember(&now, s) == 1) << (s - 1);
	return set;
}

static int descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 5000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Returns the worker's own process. */
static pid_t itself(const struct aad_worker *w)
{
	return w->guard ? ((struct guard *)w->guard)->worker : w->pid;
}

static char state(pid_t pid)
{
	char path[32], text[128], *end;
	int fd;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return 0;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	end = strrchr(text, ')');
	return end ? end[2] : 0;
}

/*
 * Passes on what the worker says, until it ends or waits. If it is to stop, waits until it has
 * stopped.
 */
static void listen_to(const struct aad_worker *w)
{
	char text[65536];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof text - 1 && !memmem(text, n, "worker waits", 12)) {
		if (strcmp(then, "stop") == 0 && memmem(text, n, "worker request", 14) &&
		    memrchr(text, '\n', n) == text + n - 1)
			break;
		got = read(w->frames, text + n, sizeof text - 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (write(out, text, n) != (ssize_t)n || (n > 0 && text[n - 1] != '\n'))
		dprintf(out, "\n");
	if (strcmp(then, "talk") == 0) {
		size_t words = 0;

		while ((got = read(w->errors, text, sizeof text)) > 0)
			words += (size_t)got;
		dprintf(out, "host heard %s of it, and does not wait\n",
		    words > 1000 && words < 3000 * 39 ? "some" : "too much");
	}
	if (strcmp(then, "stop") == 0) {
		for (int i = 0; i < 5000 && state(itself(w)) != 'T'; i++)
			usleep(1000);
		dprintf(out, "host saw-it %s\n", state(itself(w)) == 'T' ? "stopped" : "otherwise");
	}
}

/*
 * Starts a worker and listens to it. Returns the number of descriptors that the host had before, or
 * -1.
 */
static int host(struct aad_worker *w)
{
	const struct aad_request req = {
		.phase = AAD_ACCOUNT, .user = "user@contoso.example", .service = "sudo",
	};
	uint64_t before = blocked();
	int had = descriptors();

	if (aad_worker_start(&req, w)) {
		int cause = errno;

		limit(RLIMIT_NOFILE, most_files, most_files);	/* the sanitizers need some */
		dprintf(out, "host failed %s\nhost mask %s\nhost descriptors %+d\n",
		    strerror(cause), blocked() == before ? "same" : "changed", descriptors() - had);
		return -1;
	}
	limit(RLIMIT_NOFILE, most_files, most_files);
	dprintf(out, "host mask %s\n", blocked() == before ? "same" : "changed");
	listen_to(w);
	return had;
}

/* With SIGCHLD ignored, waitpid(2) may know that a child is dead an instant before kill(2) does. */
static int gone(pid_t pid)
{
	for (int i = 0; i < 5000; i++) {
		if (kill(pid, 0) && errno == ESRCH)
			return 1;
		usleep(1000);
	}
	return 0;
}

static int attended(void)
{
	struct aad_worker w = { .frames = -1 };
	int had = host(&w);
	pid_t worker;

	if (had < 0)
		return 0;
	worker = itself(&w);
	aad_worker_end(&w);
	dprintf(out, "host worker %s\n", gone(worker) && gone(w.pid) ? "gone" : "left");
	dprintf(out, "host children %s\n",
	    waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD ? "none" : "left");
	dprintf(out, "host descriptors %+d\n", descriptors() - had);
	return 0;
}

static int signal_of(pid_t pid)
{
	int status = 0;

	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/*
 * The host is killed. The process that inherits its children sees what becomes of the worker, and
 * of its guard.
 */
static int orphaned(void)
{
	struct aad_worker w = { .frames = -1 };
	pid_t middle, of[2];
	int told[2];

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || pipe(told) || (middle = fork()) < 0)
		return 2;
	if (middle == 0) {
		host(&w);
		of[0] = w.pid, of[1] = itself(&w);
		if (write(told[1], of, sizeof of) != sizeof of)
			_exit(2);
		for (;;)
			pause();
	}
	if (read(told[0], of, sizeof of) != sizeof of)
		return 2;
	kill(middle, SIGKILL);
	waitpid(middle, NULL, 0);
	if (of[0] != of[1])
		dprintf(out, "host guard killed-by %d\n", signal_of(of[0]));
	dprintf(out, "host worker killed-by %d\n", signal_of(of[1]));
	return 0;
}

/* What the other threads of a host do: take every lock of the C library, again and again. */
static void *locks(void *number)
{
	for (unsigned i = 0;; i++) {
		char name[32], *copy = strdup("a little memory");
		void *library = dlopen("libm.so.6", RTLD_NOW);

		setlocale(LC_MESSAGES, i % 2 ? "C" : "C.UTF-8");
		snprintf(name, sizeof name, "domain%u", i % 100);
		bindtextdomain(name, i % 3 ? "/nonexistent" : "/usr/share/locale");
		setenv("HAMMERED", name, 1);
		free(copy);
		if (library)
			dlclose(library);
		if (i % 100 == 0)
			dprintf(open_null, "%s %s\n", (char *)number, strerror((int)(i % 130)));
	}
	return NULL;
}

/*
 * One worker after another, in a host of many threads. Prints how many there were, and what the
 * last one said.
 */
static int crowded(void)
{
	const struct aad_request req = {
		.phase = AAD_ACCOUNT, .user = "user@contoso.example", .service = "sudo",
	};
	static char said[512];
	size_t n = 0;
	const char *result;

	open_null = open("/dev/null", O_WRONLY);
	for (int i = 0; i < 4; i++) {
		pthread_t one;

		if (pthread_create(&one, NULL, locks, "a thread"))
			return 2;
	}
	for (int i = 0; i < 50; i++) {
		struct aad_worker w;

		if (aad_worker_start(&req, &w))
			return 2;
		n = 0;
		for (ssize_t got; (got = read(w.frames, said + n, sizeof said - 1 - n)) > 0;)
			n += (size_t)got;
		aad_worker_end(&w);
	}
	said[n] = 0;
	result = *said == AAD_ERROR ? said + 3 + (unsigned char)said[1] : said;
	dprintf(out, "host workers 50\nhost heard %s\n", n > 5 ? result + 5 : "nothing");
	return 0;
}

int main(int argc, char **argv)
{
	int orphan = 0, crowd = 0;

	/* Without O_CLOEXEC: the worker must close it itself. */
	out = fcntl(STDOUT_FILENO, F_DUPFD, 60);
	then = argv[argc - 1];
	all_cpus = cpus();
	for (int i = 1; i < argc - 1; i++) {
		if (strcmp(argv[i], "orphan") == 0)
			orphan = 1;
		else if (strcmp(argv[i], "crowd") == 0)
			crowd = 1;
		else if (!prepare(argv[i]))
			return 2;
	}
	return crowd ? crowded() : orphan ? orphaned() : attended();
}
