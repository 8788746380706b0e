/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * connects RUNS PORT@USER...
 *
 * Runs ssh that many times for each, by turns, and prints the medians from its start to the moment
 * when it would ask a person what sshd asks. ssh asks by a program of SSH_ASKPASS: this one, which
 * says when that was. In USER %d is another number each time, and each connection comes from an
 * address of its own.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* How long it took until ssh asked. */
static double connect_to(const char *to)
{
	static int connection;
	int out[2];
	char user[128] = "", at[160], port[16], from[32];
	double asked, begin;
	const char *name = strchr(to, '@'), *number;
	pid_t pid;

	connection++;
	if (name == NULL || pipe2(out, O_CLOEXEC) != 0)
		errx(2, "%s: want PORT@USER", to);
	snprintf(port, sizeof port, "%.*s", (int)(name - to), to);
	number = strstr(++name, "%d");
	if (number != NULL)
		snprintf(user, sizeof user, "%.*s%d%s", (int)(number - name), name, connection,
		    number + 2);
	snprintf(at, sizeof at, "%s@127.0.0.1", number != NULL ? user : name);
	snprintf(from, sizeof from, "127.0.%d.%d", 1 + connection / 250, 1 + connection % 250);

	begin = milliseconds();
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDERR_FILENO);
		execl("/usr/bin/ssh", "ssh", "-F", "none", "-p", port, "-b", from,
		    "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=QUIET",
		    "-o", "UserKnownHostsFile=/dev/null",
		    "-o", "PreferredAuthentications=keyboard-interactive", at, NULL);
		_exit(127);
	}
	close(out[1]);
	if (read(out[0], &asked, sizeof asked) != sizeof asked)
		errx(1, "%s: nothing was asked", to);
	close(out[0]);
	kill(pid, SIGTERM);
	if (waitpid(pid, NULL, 0) != pid)
		err(1, "waitpid");
	return asked - begin;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int runs = argc > 2 ? atoi(argv[1]) : 0, targets = argc - 2;
	char self[4096];
	double *all;
	ssize_t n;

	if (getenv("SSH_ASKPASS") != NULL) {
		double now = milliseconds();

		(void)!write(STDERR_FILENO, &now, sizeof now);
		pause();
	}
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (runs <= 0 || n < 0)
		errx(2, "usage: connects RUNS PORT@USER...");
	self[n] = 0;
	setenv("SSH_ASKPASS", self, 1);
	setenv("SSH_ASKPASS_REQUIRE", "force", 1);
	setenv("DISPLAY", "none", 1); /* before OpenSSH 8.4 */
	all = calloc((size_t)(targets * runs), sizeof *all);
	if (all == NULL)
		err(1, "calloc");
	for (int i = -1; i < runs; i++) /* the first time fills caches */
		for (int t = 0; t < targets; t++) {
			int which = (t + i + targets) % targets;
			double took = connect_to(argv[2 + which]);

			if (i >= 0)
				all[which * runs + i] = took;
		}
	for (int t = 0; t < targets; t++) {
		qsort(all + t * runs, (size_t)runs, sizeof *all, ascending);
		printf("%s %.2f\n", argv[2 + t], all[t * runs + runs / 2]);
	}
}
