/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Looks up names with few resources: in a filter of system calls, and on a small stack.
 *
 *	confined LIBRARY STORE TEMPLATE NAME UID first|after|not|none|stack
 */
#define _GNU_SOURCE
#include "store.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

extern int __nss_configure_lookup(const char *database, const char *services);

enum { STACK = 16384, PAINT = 0xa5 };

static char *stack, *began, beside[4096];

/* Asks every question, without a buffer on the stack. */
static void everything(void)
{
	static struct passwd p;
	static struct group g;
	static _Alignas(16) char buf[ROOM];
	int e, found = 0;

	found += aad.pwnam(name, &p, buf, sizeof buf, &e) == NSS_STATUS_SUCCESS;
	found += aad.pwuid(uid, &p, buf, sizeof buf, &e) == NSS_STATUS_SUCCESS;
	found += aad.grnam(name, &g, buf, sizeof buf, &e) == NSS_STATUS_SUCCESS;
	found += aad.grgid(uid, &g, buf, sizeof buf, &e) == NSS_STATUS_SUCCESS;
	found += aad.setpw(0) == NSS_STATUS_SUCCESS &&
	    aad.pwent(&p, buf, sizeof buf, &e) == NSS_STATUS_SUCCESS;
	found += groups(1, &e) == NSS_STATUS_SUCCESS;
	CHECK(found == 6, "%d of 6 found", found);
	/* This lookup goes as far as the name of the executable. */
	CHECK(aad.pwnam("nobody@contoso.com", &p, buf, sizeof buf, &e) == NSS_STATUS_NOTFOUND,
	    "nobody found");
}

static void *in_thread(void *unused)
{
	began = __builtin_frame_address(0);
	everything();
	later();
	everything();
	rename(beside, store);
	later();
	everything();
	return unused;
}

/* There is no memory below the stack, so that an overflow is a crash. */
static void small_stack(void)
{
	char *area =
	    mmap(NULL, 2 * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t t;
	char *deepest;

	snprintf(beside, sizeof beside, "%s.new", store);
	put(beside, 1, O_CREAT | O_TRUNC, 0444);
	stack = area + STACK;
	if (area == MAP_FAILED || mprotect(area, STACK, PROT_NONE) != 0 ||
	    pthread_attr_init(&attr) != 0 || pthread_attr_setstack(&attr, stack, STACK) != 0)
		die("stack");
	memset(stack, PAINT, STACK);
	if (pthread_create(&t, &attr, in_thread, NULL) != 0 || pthread_join(t, NULL) != 0)
		die("thread");
	deepest = stack;
	while (deepest < began && (unsigned char)*deepest == PAINT)
		deepest++;
	printf("%d bytes of stack used, with malloc's for initgroups\n", (int)(began - deepest));
	CHECK(began - deepest < STACK / 4, "more than a quarter of a small stack");
}

#define ALLOW(call) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1), \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LENGTH(filter) (sizeof(filter) / sizeof *(filter))

/*
 * The system calls of getpwnam("root") with "passwd: files", by strace(1): fstat in glibc 2.31,
 * newfstatat in 2.36. The others are for this program, or unmap what was mapped before.
 */
#define FILES \
	ALLOW(openat), ALLOW(newfstatat), ALLOW(fstat), ALLOW(lseek), ALLOW(read), ALLOW(close), \
	    ALLOW(brk), ALLOW(write), ALLOW(exit_group), ALLOW(munmap)
/* Until 2.33 "files" was a module, too, and glibc loads one with these calls. */
#define MODULE ALLOW(mmap), ALLOW(mprotect)
#define CALL BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define OR_DIE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static void confine(struct sock_filter *filter, size_t n)
{
	struct sock_fprog program = { (unsigned short)n, filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		die("seccomp");
}

/*
 * Asks glibc itself in the same filter, and for names that could not be ours, as most lookups here
 * do.
 */
static void ask(void)
{
	static const char *const nobody[] = { "nobody", "nobody@elsewhere.example", "Nobody!", "" };
	struct passwd p, *found = NULL;
	char buf[ROOM];
	int e = 0;

	CHECK(getpwnam_r("root", &p, buf, sizeof buf, &found) == 0 && found != NULL, "no root");
	EXPECT(SUCCESS, 0);
	later();
	EXPECT(SUCCESS, 0);
	for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
		enum nss_status s = aad.pwnam(nobody[i], &p, buf, sizeof buf, &e);

		CHECK(
		    s == NSS_STATUS_NOTFOUND && e == 0, "%s: status %d, errno %d", nobody[i], s, e);
	}
}

static void confine_first(char **argv)
{
	struct sock_filter filter[] = { CALL, FILES, MODULE, OR_DIE };

	confine(filter, LENGTH(filter));
	begin(argv);
}

static void confine_after(char **argv)
{
	struct sock_filter filter[] = { CALL, FILES, OR_DIE };

	begin(argv);
	EXPECT(SUCCESS, 0);
	confine(filter, LENGTH(filter));
}

static void without_store(char **argv)
{
	struct sock_filter filter[] = { CALL, FILES, MODULE, OR_DIE };

	begin(argv);
	if (unlink(store) != 0)
		die(store);
	confine(filter, LENGTH(filter));
	EXPECT(NOTFOUND, 0);
}

int main(int argc, char **argv)
{
	if (argc != 7 || __nss_configure_lookup("passwd", "files") != 0)
		return 2;
	if (strcmp(argv[6], "stack") == 0) {
		begin(argv);
		small_stack();
		return wrong != 0;
	}
	if (strcmp(argv[6], "none") == 0) {
		without_store(argv);
		return wrong != 0;
	}
	if (strcmp(argv[6], "first") == 0)
		confine_first(argv);
	else
		confine_after(argv);
	if (strcmp(argv[6], "not") == 0)
		getppid();	/* not in the list, and the end of this program */
	ask();
	return wrong != 0;
}
