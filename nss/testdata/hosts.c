/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Looks up names in the surroundings that programs make for themselves.
 *
 *	hosts LIBRARY STORE TEMPLATE NAME UID SURROUNDINGS [DIRECTORY]
 */
#define _GNU_SOURCE
#include "store.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const char *directory;

static void enter(void)
{
	if (chroot(directory) != 0 || chdir("/") != 0)
		die(directory);
}

/* A copied store is checked by each call. */
static int mapped(void)
{
	return mode == 0444;
}

static void chroot_first(void)
{
	enter();
	EXPECT(UNAVAIL, ENOENT);
	later();
	EXPECT(UNAVAIL, ENOENT);
}

static void chroot_after(void)
{
	EXPECT(SUCCESS, 0);
	enter();
	if (mapped())
		EXPECT(SUCCESS, 0);	/* for the rest of the second */
	else
		EXPECT(UNAVAIL, ENOENT);
	later();
	EXPECT(UNAVAIL, ENOENT);
	EXPECT(UNAVAIL, ENOENT);
}

static void limit(int resource, rlim_t n)
{
	struct rlimit r;

	if (getrlimit(resource, &r) != 0)
		die("getrlimit");
	r.rlim_cur = n;
	if (setrlimit(resource, &r) != 0)
		die("setrlimit");
}

/* A lack of descriptors does not mean that nobody has the name. */
static void no_descriptors(void)
{
	limit(RLIMIT_NOFILE, 0);
	EXPECT(TRYAGAIN, EAGAIN);
	limit(RLIMIT_NOFILE, 64);
	EXPECT(SUCCESS, 0);
	later();
	EXPECT(SUCCESS, 0);
	limit(RLIMIT_NOFILE, 0);
	for (int i = 0; i < 3; i++)
		if (mapped())
			EXPECT(SUCCESS, 0);	/* without a system call */
		else
			EXPECT(TRYAGAIN, EAGAIN);
	later();
	EXPECT(TRYAGAIN, EAGAIN);
	limit(RLIMIT_NOFILE, 64);
	EXPECT(SUCCESS, 0);
}

/* The store before the last change has another mark, and is as good as any when it is put back. */
static void restored(void)
{
	int fd = open(store, O_RDWR);

	if (fd < 0 || pwrite(fd, "\7", 1, MARK) != 1)
		die(store);
	close(fd);
	EXPECT(SUCCESS, 0);
	limit(RLIMIT_NOFILE, 0);
	EXPECT(SUCCESS, 0);	/* not opened again */
}

static void no_memory(void)
{
	int why = 0;
	rlim_t one_list = 64 << 20;	/* the limit leaves room for one, but not for twice that */
	enum nss_status s;

	free(malloc(4096));	/* room for the list */
	limit(RLIMIT_AS, 4096);
	EXPECT(TRYAGAIN, EAGAIN);
	limit(RLIMIT_AS, RLIM_INFINITY);
	EXPECT(SUCCESS, 0);
	limit(RLIMIT_AS, 4096);
	EXPECT(SUCCESS, 0);
	limit(RLIMIT_AS, RLIM_INFINITY);
	later();
	EXPECT(SUCCESS, 0);
	limit(RLIMIT_AS, one_list + (16 << 20));
	s = groups((long)(one_list / sizeof(gid_t)) - 1024, &why);
	CHECK(s == NSS_STATUS_TRYAGAIN && why == EAGAIN, "initgroups_dyn: status %d, errno %d", s,
	    why);
}

/*
 * A daemon closes all descriptors that it has not opened, and relies on the numbers that it gets.
 */
static void closed(void)
{
	struct stat before[3], after;

	EXPECT(SUCCESS, 0);
	if (syscall(SYS_close_range, 0u, ~0u, 0u) != 0)
		_exit(2);
	EXPECT(SUCCESS, 0);
	later();
	EXPECT(SUCCESS, 0);
	publish(7, 0);
	later();
	EXPECT(SUCCESS, 0);
	for (int i = 0; i < 3; i++)
		if (open(i == 0 ? "/" : "/dev/null", O_RDONLY) != i || fstat(i, &before[i]) != 0)
			_exit(4);
	publish(8, 1);
	EXPECT(SUCCESS, 0);
	for (int i = 0; i < 3; i++)
		if (fstat(i, &after) != 0 || after.st_ino != before[i].st_ino)
			_exit(5);
	if (fcntl(3, F_GETFD) != -1)
		_exit(6);
}

static void signals_blocked(void)
{
	sigset_t all, now;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	EXPECT(SUCCESS, 0);
	later();
	EXPECT(SUCCESS, 0);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGALRM) == 1 && sigismember(&now, SIGBUS) == 1,
	    "signals are unblocked");
	CHECK(sigpending(&now) == 0 && sigisemptyset(&now), "signals are pending");
}

static void unprivileged(void)
{
	if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
		die("setresuid");
	EXPECT(SUCCESS, 0);
	later();
	EXPECT(SUCCESS, 0);
}

static void set_user_id(void)
{
	CHECK(getuid() == 65534 && geteuid() == 0, "runs as %d, %d", (int)getuid(), (int)geteuid());
	EXPECT(SUCCESS, 0);
	if (setresuid(65534, 65534, 65534) != 0)	/* as such programs do, in the middle */
		die("setresuid");
	later();
	EXPECT(SUCCESS, 0);
}

/* The child of vfork(2) uses the parent's memory, so the parent has what the child keeps. */
static void vforked(void)
{
	for (int round = 0; round < 3; round++) {
		pid_t pid = vfork();
		int status;

		if (pid == 0) {
			EXPECT(SUCCESS, 0);
			later();
			EXPECT(SUCCESS, 0);
			_exit(0);
		}
		status = -1;
		CHECK(
		    pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "child: %x", status);
		EXPECT(SUCCESS, 0);
		publish(round + 10, 1);
		CHECK(lookup() == round + 10, "still generation %d", lookup());
	}
}

/*
 * A process with write permission truncates the file, or writes into it in place as cp(1) does.
 * This does not touch a copy that was read before. Afterwards the file is no store, or another one.
 */
static void cut_short(void)
{
	EXPECT(SUCCESS, 0);
	if (truncate(store, 0) != 0)
		die(store);
	EXPECT(UNAVAIL, ENOENT);
	put(store, 20, 0, 0644);
	CHECK(lookup() == 20, "generation %d", lookup());
	put(store, 21, O_TRUNC, 0644);
	CHECK(lookup() == 21, "generation %d", lookup());
}

/* Nobody can cut short a mapped file or write into it. */
static void sealed(void)
{
	EXPECT(SUCCESS, 0);
	CHECK(truncate(store, 0) == -1 && errno == EPERM, "truncated: errno %d", errno);
	CHECK(open(store, O_WRONLY | O_TRUNC) == -1 && errno == EPERM,
	    "opened to be truncated: errno %d", errno);
	CHECK(open(store, O_RDWR) == -1 && errno == EPERM, "opened to be written: errno %d", errno);
	CHECK(rename(directory, store) == -1 && unlink(store) == -1, "replaced or removed");
	EXPECT(SUCCESS, 0);
	later();
	EXPECT(SUCCESS, 0);
}

/*
 * Without a mark, an answer stays current until the second ends, and no longer. With a mark, it is
 * out of date at once.
 */
static void the_second(void)
{
	CHECK(lookup() == 0, "generation %d", lookup());
	publish(1, 0);
	CHECK(lookup() == 0, "generation %d without a look at the path", lookup());
	later();
	CHECK(lookup() == 1, "generation %d", lookup());
	for (int g = 2; g < 1000; g++) {
		int got;

		publish(g, 1);
		got = lookup();
		CHECK(got == g, "generation %d, want %d", got, g);
	}
	clock_shows -= 3600;	/* somebody sets the clock */
	publish(1000, 0);
	CHECK(lookup() == 1000, "generation %d", lookup());
}

static const struct {
	const char *name;
	void (*run)(void);
} surroundings[] = {
	{ "chroot first", chroot_first },
	{ "chroot after", chroot_after },
	{ "no descriptors", no_descriptors },
	{ "restored", restored },
	{ "no memory", no_memory },
	{ "closed", closed },
	{ "signals blocked", signals_blocked },
	{ "unprivileged", unprivileged },
	{ "set-user-ID", set_user_id },
	{ "vfork", vforked },
	{ "cut short", cut_short },
	{ "sealed", sealed },
	{ "the second", the_second },
};

int main(int argc, char **argv)
{
	if (argc < 7)
		return 2;
	begin(argv);
	directory = argv[7];
	for (size_t i = 0; i < sizeof surroundings / sizeof *surroundings; i++)
		if (strcmp(argv[6], surroundings[i].name) == 0) {
			surroundings[i].run();
			return wrong != 0;
		}
	return 2;
}
