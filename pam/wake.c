// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * The sleeping Go runtime.
 *
 * Go's start-up code is an entry of .init_array, which the dynamic loader would run in every process that loads this
 * module. There it would do three kinds of harm: its threads do not survive the fork that sshd makes before it calls
 * pam_authenticate (golang/go#15538); inside setuid sudo it would read the caller's SSL_CERT_FILE, HTTPS_PROXY and
 * GODEBUG, so any local user could choose who vouches for Entra ID; and it would raise RLIMIT_NOFILE of a root shell.
 *
 * So the build renames the section to go_init_array, a valid C identifier, for which the linker defines
 * __start_/__stop_ symbols; and the worker calls the entries itself, after fork, with an argument vector, an environment
 * and an auxiliary vector of its own making. The build checks that no such entry is left in .init_array.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stddef.h>
#include <sys/auxv.h>

#include "door.h"

typedef void initialiser(int, char **, char **);

extern initialiser *__start_go_init_array[] __attribute__((visibility("hidden"), weak));
extern initialiser *__stop_go_init_array[] __attribute__((visibility("hidden"), weak));

/* What the kernel puts on a new process's stack: the runtime walks from argv over envp to auxv, so they are adjacent. */
static struct {
	char *argv[2];
	char *envp[1];
	unsigned long auxv[2 * 6];
} stack = { .argv = { "pam_aad" } };

/* glibc sizes the stacks of threads by the limit that the host was started with, which may be a user's. */
static void size_stacks(void)
{
	pthread_attr_t own;

	if (pthread_attr_init(&own) == 0 && pthread_attr_setstacksize(&own, 8 << 20) == 0)
		pthread_setattr_default_np(&own);
}

void aad_wake_go(void)
{
	static const unsigned long keys[] = { AT_PAGESZ, AT_RANDOM, AT_SYSINFO_EHDR, AT_HWCAP, AT_HWCAP2 };
	unsigned long *entry = stack.auxv;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		*entry++ = keys[i];
		*entry++ = getauxval(keys[i]);
	}
	*entry++ = AT_NULL;
	*entry = 0;
	size_stacks();
	for (initialiser **f = __start_go_init_array; f < __stop_go_init_array; f++)
		(*f)(1, stack.argv, stack.envp);
}
