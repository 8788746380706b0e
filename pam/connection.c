/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * State of a connection, shared by its attempts. sshd authenticates each attempt in a forked
 * process, and ends the connection at LoginGraceTime, which it does not tell the module. So the
 * time counts from the start of the process that has the connection. The text that the person was
 * told last is kept in a page that this process shares with the processes it forks, because some
 * clients (ssh -q, libraries) show nothing but prompts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "door.h"

enum { SAID_BYTES = 4096 };

static char *said;	/* NULL: this is not sshd */

/*
 * Called when sshd loads the module, in the connection's own process, before it forks for an
 * attempt.
 */
void aad_note_connection(void)
{
	void *page;

	if (!aad_in_sshd())
		return;
	page = mmap(NULL, SAID_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	said = page == MAP_FAILED ? NULL : page;
}

/* Leaves out the correlation id, which is that of an attempt that is over. */
void aad_keep_said(const char *text)
{
	const char *id = strstr(text, "\nCorrelation ID: ");

	if (said)
		snprintf(said, SAID_BYTES, "%.*s", id ? (int)(id - text) : SAID_BYTES - 1, text);
}

const char *aad_said(void)
{
	return said && *said ? said : NULL;
}

/*
 * Returns field 22 of proc_pid_stat(5), in ticks since the boot, or -1. The second field, a name in
 * brackets, may hold anything.
 */
static long long start_of(pid_t pid)
{
	char path[40], text[512], *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? atoll(at + 1) : -1;
}

/* The connection's process leads a session of its own, and is this process or its parent. */
uint32_t aad_connected(void)
{
	pid_t leader = getsid(0);
	struct timespec now;
	long long start;

	if (!aad_in_sshd() || (leader != getpid() && leader != getppid()) ||
	    (start = start_of(leader)) < 0 || clock_gettime(CLOCK_BOOTTIME, &now))
		return 0;
	start /= sysconf(_SC_CLK_TCK);
	return now.tv_sec > start ? (uint32_t)(now.tv_sec - start) : 0;
}
