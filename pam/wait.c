// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Waiting for the worker without being deaf. sudo only takes note of Ctrl-C, and of a terminal that is gone; whoever waits without
 * asking for them again keeps it, and the worker, until the code expires. So for as long as we wait, those signals are kept
 * pending and looked for. When one is there, the wait is over, and the host gets it by its own handler.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "door.h"

/* Those that end a host, unless it ignores them. sudo keeps two of them blocked itself while it authenticates. */
static void watched(sigset_t *set)
{
	static const int all[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction action;

	sigemptyset(set);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (sigaction(all[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(set, all[i]);
}

int aad_wait(int fd, int milliseconds)
{
	sigset_t set, before;
	int ready, error;

	watched(&set);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	struct pollfd in[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = signalfd(-1, &set, SFD_CLOEXEC), .events = POLLIN },	/* -1 is skipped by poll */
	};
	ready = poll(in, 2, milliseconds);
	error = errno;
	if (ready > 0 && in[1].revents)
		ready = -1, error = ECANCELED;
	if (in[1].fd >= 0)
		close(in[1].fd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return ready;
}
