/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A connection of sshd, with its processes and a clock of our own. Each word is a step, and prints
 * what it finds; connection_test.go has the words.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int sshd = 1;
static long later;

static int stage_clock(clockid_t id, struct timespec *t)
{
	int ret = clock_gettime(id, t);

	t->tv_sec += later;
	return ret;
}

#define clock_gettime stage_clock
#include "../connection.c"
#undef clock_gettime

int aad_in_sshd(void)
{
	return sshd;
}

/* Continues in a child. This process returns how the child ended. */
static void in_a_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		return;
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		exit(2);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
}

static void in_an_attempt(const char *text)
{
	pid_t pid = fork();

	if (pid == 0) {
		aad_keep_said(text);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	static char longest[3 * SAID_BYTES];

	memset(longest, 'x', sizeof longest - 1);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "other") == 0)
			sshd = 0;
		else if (strcmp(argv[i], "load") == 0)
			aad_note_connection();
		else if (strcmp(argv[i], "fork") == 0)
			in_a_child();
		else if (strcmp(argv[i], "session") == 0)
			setsid();
		else if (strcmp(argv[i], "name") == 0)
			prctl(PR_SET_NAME, "a) R 1 1 1 1");
		else if (strncmp(argv[i], "later=", 6) == 0)
			later = atol(argv[i] + 6);
		else if (strncmp(argv[i], "say=", 4) == 0)
			in_an_attempt(argv[i] + 4);
		else if (strcmp(argv[i], "say-much") == 0)
			in_an_attempt(longest);
		else if (strcmp(argv[i], "said") == 0)
			printf("said %.60s\n", aad_said() ? aad_said() : "nothing");
		else if (strcmp(argv[i], "length") == 0)
			printf("length %zu\n", strlen(aad_said()));
		else if (strcmp(argv[i], "connected") == 0) {
			uint32_t n = aad_connected();

			if (n == 0)
				puts("connected unknown");
			else
				puts(n >= 100 && n < 160 ? "connected 100" : "connected otherwise");
		} else
			return 2;
		fflush(stdout);
	}
	return 0;
}
