/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The sleeping Go runtime.
 *
 * Go's start-up code is an entry of .init_array, which the dynamic loader would run in every
 * process that loads this module. That would do three kinds of harm: Go's threads do not survive
 * the fork that sshd makes before it calls pam_authenticate (golang/go#15538); in setuid sudo Go
 * would read the caller's SSL_CERT_FILE, HTTPS_PROXY and GODEBUG, so any local user could choose
 * who vouches for Entra ID; and Go would raise RLIMIT_NOFILE of a root shell.
 *
 * So the build takes Go's entry out of .init_array (asleep.ld), and the worker calls it itself,
 * after fork, with an argument vector, an environment and an auxiliary vector of its own making.
 * The build checks that no such entry is left in .init_array.
 *
 * Go's data sleeps, too. It has some 38,000 pointers, which the loader would relocate in every
 * process that loads this module, and so copy a megabyte. The build hides these relocations from
 * the loader (packaging/asleep) and says where they are. The worker applies them before anything of
 * Go runs, and makes read-only again what the loader would have made read-only.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "door.h"

typedef void initialiser(int, char **, char **);

/* Symbols of the linker and of asleep.ld. They are weak, since "go test" links without them. */
#define HIDDEN __attribute__((visibility("hidden"), weak))
extern const char __ehdr_start[] HIDDEN;	/* where the module is mapped */
/* The relocations that sleep, and then Go's constants. */
extern struct {
	uint64_t offset, count;
} aad_go_relro HIDDEN;
extern char aad_go_relro_end[] HIDDEN;
extern initialiser *aad_go_init[] HIDDEN, *aad_go_init_end[] HIDDEN;

/*
 * What the kernel puts on the stack of a new process. The runtime walks from argv over envp to
 * auxv, so they are adjacent. The environment is for the runtime alone, and none of the host's. One
 * goroutine runs at a time, however many processors there are: a worker nearly always waits for the
 * network, and each further one costs memory and threads that wake each other. Go would take a
 * memory profile from the start, which nobody reads.
 */
static struct {
	char *argv[2];
	char *envp[3];
	unsigned long auxv[2 * 6];
} stack = { .argv = { "pam_aad" }, .envp = { "GOMAXPROCS=1", "GODEBUG=memprofilerate=0" } };

/*
 * glibc sizes the stacks of threads by the limit that the host was started with, which may be a
 * user's.
 */
static void size_stacks(void)
{
	pthread_attr_t own;

	if (pthread_attr_init(&own) == 0 && pthread_attr_setstacksize(&own, 8 << 20) == 0)
		pthread_setattr_default_np(&own);
}

/*
 * Go's threads allocate nothing by malloc that is worth an arena for each, which takes four system
 * calls and a page.
 */
static void share_arena(void)
{
#ifdef M_ARENA_MAX
	mallopt(M_ARENA_MAX, 1);
#endif
}

/*
 * All relocations are of one kind, R_X86_64_RELATIVE or R_AARCH64_RELATIVE: the build refuses any
 * other. 0, or -1 with errno.
 */
static int relocate(void)
{
	uintptr_t base = (uintptr_t)__ehdr_start;
	const Elf64_Rela *asleep = (const Elf64_Rela *)(base + aad_go_relro.offset);

	for (uint64_t i = 0; i < aad_go_relro.count; i++)
		*(uintptr_t *)(base + asleep[i].r_offset) = base + asleep[i].r_addend;
	return mprotect(&aad_go_relro, aad_go_relro_end - (char *)&aad_go_relro, PROT_READ);
}

int aad_wake_go(void)
{
	static const unsigned long keys[] = {
		AT_PAGESZ, AT_RANDOM, AT_SYSINFO_EHDR, AT_HWCAP, AT_HWCAP2,
	};
	unsigned long *entry = stack.auxv;

	if (aad_find_threads() || relocate())
		return -1;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		*entry++ = keys[i];
		*entry++ = getauxval(keys[i]);
	}
	*entry++ = AT_NULL;
	*entry = 0;
	size_stacks();
	share_arena();
	for (initialiser **f = aad_go_init; f < aad_go_init_end; f++)
		(*f)(1, stack.argv, stack.envp);
	return 0;
}
