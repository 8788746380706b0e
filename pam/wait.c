/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Waits for the worker, for signals and for the client. sudo only takes note of Ctrl-C, and of a
 * terminal that is gone. A wait that does not look for them would keep sudo and the worker until
 * the code expires. So those signals stay pending during the wait, and the wait looks for them. If
 * there is one, the wait is over, and the host's own handler gets the signal.
 *
 * sshd notices its client only after the module has returned: a person who presses ENTER early and
 * then leaves would keep sshd, the worker and a place in the waiting room. So the wait also watches
 * the connection, which this process has from sshd.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "door.h"

/*
 * The signals that end a host, unless it ignores them. sudo itself blocks two of them while it
 * authenticates. SIGALRM is not among them: only the handler of the host knows what the alarm is
 * for.
 */
static void watched_signals(sigset_t *set)
{
	struct sigaction action;

	sigemptyset(set);
	for (int i = 0; i < AAD_DEADLY; i++)
		if (aad_deadly[i] != SIGALRM && sigaction(aad_deadly[i], NULL, &action) == 0 &&
		    action.sa_handler != SIG_IGN)
			sigaddset(set, aad_deadly[i]);
}

enum { DESCRIPTORS = 1024 };

/*
 * 1 if the socket was accepted, 0 if the process has connected it, to a directory server for
 * instance. The kernel does not tell, but an accepted socket has the listener's SO_REUSEADDR, which
 * every server sets: sshd, systemd and inetd alike. A local socket has the listener's name.
 */
static int is_accepted(int fd, int family, socklen_t name)
{
	struct sockaddr_storage peer;
	int reuse = 0;
	socklen_t size = sizeof peer, one = sizeof reuse;

	if (getpeername(fd, (struct sockaddr *)&peer, &size))	/* a listener, for instance */
		return 0;
	if (family == AF_UNIX)
		return name > offsetof(struct sockaddr_un, sun_path);
	return getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, &one) == 0 && reuse;
}

/*
 * As sshd does: on a socket for both families, the client of an IPv4 address has an address in
 * ::ffff:0:0/96 (RFC 4291, 2.5.5.2).
 */
static void unmap(struct sockaddr_storage *peer)
{
	const struct in6_addr *mapped = &((const struct sockaddr_in6 *)peer)->sin6_addr;
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	if (peer->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(mapped))
		return;
	memcpy(&v4.sin_addr, mapped->s6_addr + 12, sizeof v4.sin_addr);
	memcpy(peer, &v4, sizeof v4);
}

/*
 * 1 for a numeric address (with the zone of a link-local one). 0 for a name, which sshd gives if
 * UseDNS says so, and other servers always.
 */
static int is_address(const char *rhost)
{
	char plain[INET6_ADDRSTRLEN], bytes[sizeof(struct in6_addr)];

	snprintf(plain, sizeof plain, "%.*s", (int)strcspn(rhost, "%"), rhost);
	return inet_pton(AF_INET, rhost, bytes) == 1 || inet_pton(AF_INET6, plain, bytes) == 1;
}

static int is_from(int fd, const char *rhost)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;
	char address[NI_MAXHOST];

	if (getpeername(fd, (struct sockaddr *)&peer, &size))
		return 0;
	unmap(&peer);
	if (getnameinfo((struct sockaddr *)&peer, size, address, sizeof address, NULL, 0,
	    NI_NUMERICHOST))
		return 0;
	return strcmp(address, rhost) == 0;
}

/*
 * Returns the inode of the socket, which all of its descriptors have. 0: no socket that was
 * accepted in this family.
 */
static ino_t socket_of(int fd, int family)
{
	struct sockaddr_storage own;
	socklen_t size = sizeof own;
	struct stat st;

	if (getsockname(fd, (struct sockaddr *)&own, &size) ||
	    (own.ss_family == AF_UNIX) != (family == AF_UNIX))
		return 0;
	if (own.ss_family != AF_UNIX && own.ss_family != AF_INET && own.ss_family != AF_INET6)
		return 0;
	return is_accepted(fd, own.ss_family, size) && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/*
 * Finds the client, from any address or from this one. A host with several clients does not say
 * which one this is, and many people may share one address.
 */
static int only_client(int family, const char *address)
{
	ino_t first = 0, other;
	int found = -1;

	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		if (!(other = socket_of(fd, family)) || other == first)
			continue;
		if (address && !is_from(fd, address))
			continue;
		if (first)
			return -1;
		first = other;
		found = fd;
	}
	return found;
}

/*
 * Looks up no name: the person who signs in may own the server that answers. A connection over a
 * local socket is a client only in sshd, which systemd starts for such connections
 * (sshd-unix-local.socket). A program such as su may have one from the program that started it.
 */
int aad_client(const char *rhost)
{
	int fd = -1, sshd = aad_in_sshd();

	if (rhost && is_address(rhost))
		return only_client(AF_INET, rhost);
	if (sshd || (rhost && *rhost))
		fd = only_client(AF_INET, NULL);
	return fd < 0 && sshd ? only_client(AF_UNIX, NULL) : fd;
}

int aad_wait(int fd, int client, int milliseconds)
{
	struct pollfd in[] = {	/* poll skips -1 */
		{ .fd = fd, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
		{ .fd = client, .events = POLLRDHUP },
	};
	sigset_t set, before;
	int ready, error;

	watched_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &before);
	in[1].fd = signalfd(-1, &set, SFD_CLOEXEC);
	ready = poll(in, 3, milliseconds);
	error = errno;
	if (ready > 0 && (in[1].revents || in[2].revents)) {
		ready = -1;
		error = ECANCELED;
	}
	if (in[1].fd >= 0)
		close(in[1].fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return ready;
}
