/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Does something in the middle of a lookup, before and after each system call of the library in
 * turn.
 *
 *	interrupt LIBRARY STORE TEMPLATE NAME UID lookup|fork|longjmp|replacement|truncation|storm
 *
 * The library calls the functions of this program where they have the names of the C library's. So
 * they do at every moment what a signal, or a fork of another thread, does at a bad one.
 */
#define _GNU_SOURCE
#include "store.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { WATCHDOG = 120 };

static volatile int inside;	/* a lookup */
static volatile int moments;	/* until the interruption */
static volatile int newest;	/* generation */
static sigjmp_buf away;
static void (*act)(void);

static void moment(void)
{
	if (!inside || --moments != 0)
		return;
	inside = 0;
	act();
	inside = 1;
}

#define BETWEEN(type, call) \
	type result; \
	int error; \
	moment(); \
	result = (call); \
	error = errno; \
	moment(); \
	errno = error; \
	return result

int open(const char *path, int flags, ...)
{
	BETWEEN(int, (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0));
}

int close(int fd)
{
	BETWEEN(int, (int)syscall(SYS_close, fd));
}

ssize_t read(int fd, void *buf, size_t len)
{
	BETWEEN(ssize_t, syscall(SYS_read, fd, buf, len));
}

int munmap(void *at, size_t len)
{
	BETWEEN(int, (int)syscall(SYS_munmap, at, len));
}

ssize_t readlink(const char *path, char *buf, size_t len)
{
	BETWEEN(ssize_t, syscall(SYS_readlinkat, AT_FDCWD, path, buf, len));
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	BETWEEN(void *, (void *)syscall(SYS_mmap, at, len, prot, flags, fd, offset));
}

static int (*real_fxstat)(int, int, struct stat *);	/* a signal handler may not call dlsym(3) */

int __fxstat(int version, int fd, struct stat *st)
{
	BETWEEN(int, real_fxstat(version, fd, st));
}

static int ask(void)
{
	int got;

	inside = 1;
	got = lookup();
	inside = 0;
	return got;
}

/* Makes the new generation visible at once, by its mark or by the clock. */
static void replace(int mark)
{
	publish(newest + 1, mark);
	if (!mark || mode != 0444)
		clock_shows++;
	newest++;
}

/*
 * A lookup now, one a second later and one after a replacement return the current generation, and
 * no error.
 */
static void follows(const char *who)
{
	int now = lookup();

	CHECK(now == newest, "%s: generation %d, want %d", who, now, newest);
	EXPECT(SUCCESS, 0);
	clock_shows++;
	now = lookup();
	CHECK(now == newest, "%s: later generation %d, want %d", who, now, newest);
}

static void by_lookup(void)
{
	follows("handler");
}

/*
 * What was under way in the parent stays so in the child forever. The parent's answer stays the
 * same, since the child publishes the same generation once more.
 */
static void by_fork(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int before = atomic_load(&wrong);

		alarm(WATCHDOG);
		follows("child");
		replace(1);
		follows("child");
		publish(newest - 1, 1);
		_exit(atomic_load(&wrong) != before);
	}
	status = -1;
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "child: wait status %x",
	    status);
}

static void by_longjmp(void)
{
	siglongjmp(away, 1);
}

static void by_replacement(void)
{
	replace(1);
	follows("handler");
}

/* Leaves a file that is no store until the lookup has judged what it read. */
static void by_truncation(void)
{
	if (truncate(store, 100) != 0)
		die(store);
}

/* A lookup, interrupted or not, and the answer that it must have. */
static void step(const char *what)
{
	int got;

	if (act == by_longjmp && sigsetjmp(away, 1) != 0)
		got = lookup();	/* again; the first one never ends */
	else
		got = ask();
	if (act == by_truncation && moments <= 0) {
		CHECK(got == newest || got == -ENOENT, "%s: generation %d", what, got);
		put(store, newest, 0, 0644);
		clock_shows++;
		got = lookup();
	}
	if (act == by_replacement && moments <= 0) {
		CHECK(got == newest || got == newest - 1, "%s: generation %d", what, got);
		clock_shows++;
		got = lookup();
	}
	CHECK(got == newest, "%s: generation %d, want %d", what, got, newest);
}

/* A name that nobody has, an enumeration, and the unloading of the library. */
static void others(void *lib)
{
	struct passwd p;
	char buf[ROOM];
	int e;
	enum nss_status s;

	if (act == by_longjmp && sigsetjmp(away, 1) != 0) {
		dlclose(lib);
		return;
	}
	inside = 1;
	s = aad.pwnam("nobody@contoso.com", &p, buf, sizeof buf, &e);
	CHECK(s == NSS_STATUS_NOTFOUND || act == by_truncation, "nobody: status %d", s);
	clock_shows++;
	aad.setpw(0);
	s = aad.pwent(&p, buf, sizeof buf, &e);
	CHECK(s == NSS_STATUS_SUCCESS || act == by_truncation, "getpwent_r: status %d, errno %d", s,
	    e);
	inside = act != by_longjmp;	/* which may leave the library, but not the C library */
	dlclose(lib);
	inside = 0;
}

/* 1 if the interruption happened. */
static int scenario(const char *path, int when)
{
	void *lib = load(path);

	publish(++newest, 0);
	moments = when;
	step("first");
	clock_shows++;
	step("a second later");
	replace(1);
	step("marked");
	replace(0);
	step("renamed");
	others(lib);
	return moments <= 0;
}

static volatile int interruptions;

static void arm(void)
{
	struct itimerval once = { .it_value = { .tv_usec = 200 } };

	setitimer(ITIMER_REAL, &once, NULL);
}

static void on_alarm(int signal)
{
	int saved = errno, before = newest, got = lookup();

	(void)signal;
	CHECK(got == before || got == before + 1, "handler: generation %d, want %d", got, before);
	interruptions++;
	errno = saved;
	arm();
}

/*
 * The same at moments that a clock chooses, between any two instructions. A new file may be in
 * place before newest is incremented.
 */
static void storm(const char *path)
{
	load(path);
	signal(SIGALRM, on_alarm);
	arm();
	while (interruptions < 3000 && atomic_load(&wrong) == 0) {
		for (int i = 0; i < 10; i++) {
			int got = lookup();

			CHECK(got == newest, "generation %d, want %d", got, newest);
		}
		replace(1);
	}
	signal(SIGALRM, SIG_IGN);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*act)(void);
	} acts[] = {
		{ "lookup", by_lookup }, { "fork", by_fork }, { "longjmp", by_longjmp },
		{ "replacement", by_replacement }, { "truncation", by_truncation },
	};

	if (argc != 7)
		return 2;
	dlclose(begin(argv));
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
		if (strcmp(argv[6], acts[i].name) == 0)
			act = acts[i].act;
	real_fxstat = (int (*)(int, int, struct stat *))dlsym(RTLD_NEXT, "__fxstat");
	if (act == NULL)
		storm(argv[1]);
	else
		while (scenario(argv[1], interruptions + 1) && atomic_load(&wrong) == 0)
			interruptions++;
	printf("%d interruptions\n", interruptions);
	return wrong != 0;
}
