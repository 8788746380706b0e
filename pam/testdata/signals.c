/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A host that a signal ends.
 *
 *	signals [nobody-listens] STEP...
 *
 * The steps are dispositions of a host, and then what happens. Prints how the host ended and what
 * has arrived in the log, which is the socket "log" in the current directory.
 */
#define _GNU_SOURCE
#include <paths.h>
#include <syslog.h>
#undef _PATH_LOG
#define _PATH_LOG "log"
#include "../signals.c"
#include "../line.c"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static void say(const char *text)
{
	(void)!write(1, text, strlen(text));
}
static void handler(int signal)
{
	(void)signal, say("host handler\n");
}

static void dispose(void (*how)(int))
{
	struct sigaction action = { .sa_handler = how, .sa_flags = SA_RESTART };

	sigaddset(&action.sa_mask, SIGUSR1);
	for (size_t i = 0; i < AAD_DEADLY; i++)
		sigaction(aad_deadly[i], &action, NULL);
}

static void dispositions(struct sigaction *to)
{
	for (int i = 1; i < 65; i++)
		sigaction(i, NULL, &to[i]);
}

static int same(const struct sigaction *a, const struct sigaction *b)
{
	/* A flag of glibc, which the first sigaction(2) sets, without effect on a default. */
	const int restorer = 0x04000000;

	return a->sa_handler == b->sa_handler && ((a->sa_flags ^ b->sa_flags) & ~restorer) == 0 &&
	    sigismember(&a->sa_mask, SIGUSR1) == sigismember(&b->sa_mask, SIGUSR1);
}

static struct aad_request req = {
	.attempt = "id", .user = "a\"\n@contoso.example", .service = "sshd", .rhost = "192.0.2.1"
};

static void converse(int signal)
{
	static struct sigaction before[65], after[65], kept[AAD_DEADLY];

	dispositions(before);
	aad_catch_signals(&req, kept);
	if (signal > 0)
		raise(signal);
	aad_restore_signals(kept);
	dispositions(after);
	for (int i = 1; i < 65; i++)
		if (!same(&before[i], &after[i]))
			say("host changed\n");
	if (signal < 0)
		raise(-signal);
}

static void *converse_often(void *unused)
{
	struct sigaction kept[AAD_DEADLY];

	for (int i = 0; i < 5000; i++) {
		aad_catch_signals(&req, kept);
		aad_restore_signals(kept);
	}
	return unused;
}

/* Conversations in threads, side by side. */
static void converse_in_threads(void)
{
	static struct sigaction before[65], after[65];
	pthread_t t[4];

	dispositions(before);
	for (int i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, converse_often, NULL))
			abort();
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	dispositions(after);
	for (int i = 1; i < 65; i++)
		if (!same(&before[i], &after[i]))
			say("host changed\n");
}

static void host(char **step)
{
	alarm(30);	/* in case a signal is raised again and again */
	for (; *step; step++) {
		if (strcmp(*step, "default") == 0)
			dispose(SIG_DFL);
		else if (strcmp(*step, "handled") == 0)
			dispose(handler);
		else if (strcmp(*step, "ignored") == 0)
			dispose(SIG_IGN);
		else if (strcmp(*step, "account") == 0)
			req.phase = AAD_ACCOUNT;
		else if (strcmp(*step, "converse") == 0)
			converse(0);
		else if (strcmp(*step, "threads") == 0)
			converse_in_threads();
		else if (strncmp(*step, "during=", 7) == 0)
			converse(atoi(*step + 7));
		else if (strncmp(*step, "after=", 6) == 0)
			converse(-atoi(*step + 6));
		else
			abort();
	}
	exit(0);
}

int main(int argc, char **argv)
{
	const struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = _PATH_LOG };
	int log = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), status;
	char line[AAD_FRAME_MAX + 1];
	ssize_t n;
	pid_t pid;

	if (argc < 2 ||
	    (strcmp(argv[1], "nobody-listens") != 0 && bind(log, (const void *)&path, sizeof path)))
		return 2;
	argv += strcmp(argv[1], "nobody-listens") == 0;
	if ((pid = fork()) == 0)
		host(argv + 1);
	waitpid(pid, &status, 0);
	printf("host ended %d\n", WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
	while ((n = recv(log, line, sizeof line - 1, 0)) >= 0) {
		char tag[32];

		line[n] = 0;
		snprintf(tag, sizeof tag, "<85>signals[%d]: ", (int)pid);
		printf("log %s\n",
		    strncmp(line, tag, strlen(tag)) == 0 ? line + strlen(tag) : line);
	}
	return 0;
}
