// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Waiting for the worker without being deaf. sudo only takes note of Ctrl-C, and of a terminal that is gone; whoever waits without
 * asking for them again keeps it, and the worker, until the code expires. So for as long as we wait, those signals are kept
 * pending and looked for. When one is there, the wait is over, and the host gets it by its own handler.
 *
 * And sshd hears from its client only when we come back: a person who presses ENTER early and then leaves would keep sshd, the
 * worker and a place in the waiting room. So the connection, which this process has from sshd, is looked at, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "door.h"

/*
 * Those that end a host, unless it ignores them. sudo keeps two of them blocked itself while it authenticates. An alarm does
 * without: what it is for, only the host's handler knows.
 */
static void watched(sigset_t *set)
{
	struct sigaction action;

	sigemptyset(set);
	for (int i = 0; i < AAD_DEADLY; i++)
		if (aad_deadly[i] != SIGALRM && sigaction(aad_deadly[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(set, aad_deadly[i]);
}

/*
 * Has this socket been accepted, or has the process connected it, to a directory server for instance? The kernel does not tell,
 * but an accepted one has its listener's SO_REUSEADDR, which every server sets: sshd, systemd and inetd alike.
 */
static int is_accepted(int fd)
{
	int reuse = 0;
	socklen_t size = sizeof reuse;

	return getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, &size) == 0 && reuse;
}

/* As sshd does: on a socket for both families, the client of an IPv4 address has one of ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
static void unmap(struct sockaddr_storage *peer)
{
	const struct in6_addr *mapped = &((const struct sockaddr_in6 *)peer)->sin6_addr;
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	if (peer->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(mapped))
		return;
	memcpy(&v4.sin_addr, mapped->s6_addr + 12, sizeof v4.sin_addr);
	memcpy(peer, &v4, sizeof v4);
}

/* Is this a connection from there? By address: sshd gives a name only where it is told to look names up. */
static int is_from(int fd, const char *rhost)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;
	char address[NI_MAXHOST];

	if (getpeername(fd, (struct sockaddr *)&peer, &size) || (peer.ss_family != AF_INET && peer.ss_family != AF_INET6))
		return 0;
	unmap(&peer);
	return is_accepted(fd) &&
	    getnameinfo((struct sockaddr *)&peer, size, address, sizeof address, NULL, 0, NI_NUMERICHOST) == 0 &&
	    strcmp(address, rhost) == 0;
}

int aad_client(const char *rhost)
{
	for (int fd = 0; rhost && fd < 64; fd++)	/* sshd's is one of the first */
		if (is_from(fd, rhost))
			return fd;
	return -1;
}

int aad_wait(int fd, int client, int milliseconds)
{
	sigset_t set, before;
	int ready, error;

	watched(&set);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	struct pollfd in[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = signalfd(-1, &set, SFD_CLOEXEC), .events = POLLIN },	/* -1 is skipped by poll */
		{ .fd = client, .events = POLLRDHUP },
	};
	ready = poll(in, 3, milliseconds);
	error = errno;
	if (ready > 0 && (in[1].revents || in[2].revents))
		ready = -1, error = ECANCELED;
	if (in[1].fd >= 0)
		close(in[1].fd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return ready;
}
