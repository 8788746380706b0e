/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A host with connections, and pending signals, that waits for its worker.
 *
 *	wait STEP...
 *
 * Each step prints what the door made of it: of both ends of a connection over loopback, which this
 * process has, the client's below the server's, or of a wait.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "../signals.c"
#include "../line.c"
#include "../wait.c"

static int client, server, ends[2], in_sshd;

int aad_in_sshd(void)
{
	return in_sshd;
}

/* Listens as sshd, systemd and inetd do. */
static int listener(int family, struct sockaddr_in6 *at)
{
	const int one = 1, zero = 0;
	socklen_t size = sizeof *at;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	memset(at, 0, sizeof *at);
	at->sin6_family = (sa_family_t)family;	/* any address and any port, in both families */
	if (bind(fd, (struct sockaddr *)at, size) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)at, &size))
		exit(77);
	return fd;
}

/* from and to are the families of the two ends. */
static void join(int from, int to)
{
	struct sockaddr_in6 at;
	struct sockaddr_in there = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listens, failed;

	client = socket(from, SOCK_STREAM, 0);
	listens = listener(to, &at);
	at.sin6_addr = in6addr_loopback;
	there.sin_port = at.sin6_port;	/* at the same offset in both */
	if (from == AF_INET)
		failed = connect(client, (struct sockaddr *)&there, sizeof there);
	else
		failed = connect(client, (struct sockaddr *)&at, sizeof at);
	if (failed)
		exit(77);
	server = accept(listens, NULL, NULL);
	close(listens);
}

/* A local connection. The listener's name is abstract, and the client has none. */
static void join_locally(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listens = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	client = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "wait%d", (int)getpid());
	if (bind(listens, (struct sockaddr *)&at, sizeof at) || listen(listens, 1) ||
	    connect(client, (struct sockaddr *)&at, sizeof at))
		exit(77);
	server = accept(listens, NULL, NULL);
	close(listens);
}

static void find(const char *rhost)
{
	int fd = aad_client(rhost);

	if (fd < 0)
		puts("none");
	else
		puts(fd == server ? "server" : fd == client ? "client" : "something else");
}

static void await(void)
{
	int ready = aad_wait(ends[0], server, 10);

	puts(ready > 0 ? "worker" : ready == 0 ? "deadline" : strerrorname_np(errno));
}

static void handler(int signal)
{
	(void)signal;
}

/* Makes a signal pending, because the host blocks it. */
static void pend(int signal, void (*how)(int))
{
	struct sigaction action = { .sa_handler = how };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(signal, &action, NULL);
	raise(signal);
}

int main(int argc, char **argv)
{
	server = client = -1;
	if (pipe(ends))
		return 2;
	for (int i = 1; i < argc; i++) {
		const char *step = argv[i];

		if (strcmp(step, "4-to-4") == 0)
			join(AF_INET, AF_INET);
		else if (strcmp(step, "4-to-6") == 0)
			join(AF_INET, AF_INET6);
		else if (strcmp(step, "6-to-6") == 0)
			join(AF_INET6, AF_INET6);
		else if (strcmp(step, "local") == 0)
			join_locally();
		else if (strcmp(step, "pair") == 0)
			(void)!socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){ 0 });
		else if (strcmp(step, "dup") == 0)
			(void)!fcntl(server, F_DUPFD, 500);
		else if (strcmp(step, "listener") == 0)
			listener(AF_INET, &(struct sockaddr_in6){ 0 });
		else if (strcmp(step, "in-sshd") == 0)
			in_sshd = 1;
		else if (strcmp(step, "from-nowhere") == 0)
			find(NULL);
		else if (strncmp(step, "from=", 5) == 0)
			find(step + 5);
		else if (strcmp(step, "speak") == 0)
			(void)!write(ends[1], "", 1);
		else if (strcmp(step, "leave") == 0)
			close(client);
		else if (strcmp(step, "end-server") == 0)
			close(server);
		else if (strcmp(step, "wait") == 0)
			await();
		else if (strncmp(step, "handled=", 8) == 0)
			pend(atoi(step + 8), handler);
		else if (strncmp(step, "ignored=", 8) == 0)
			pend(atoi(step + 8), SIG_IGN);
		else if (strncmp(step, "default=", 8) == 0)
			pend(atoi(step + 8), SIG_DFL);
		else
			abort();
	}
	return 0;
}
