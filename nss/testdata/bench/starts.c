// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// starts TITLE RUNS WITHOUT WITH COMMAND ARGUMENT runs a command, by turns with
// either file in the place of /etc/nsswitch.conf, and prints how long it took.
#include <err.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WITHOUT, WITH };

static double microseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void put_in_place(const char *nsswitch)
{
	if (symlink(nsswitch, "/etc/nsswitch.conf.new") != 0 || rename("/etc/nsswitch.conf.new", "/etc/nsswitch.conf") != 0)
		err(1, "/etc/nsswitch.conf");
}

static double run(char **command)
{
	static char *const environment[] = {NULL};
	double start = microseconds();
	pid_t pid;
	int status;
	errno = posix_spawn(&pid, command[0], NULL, NULL, command, environment);
	if (errno != 0 || waitpid(pid, &status, 0) != pid)
		err(1, "%s", command[0]);
	if (status != 0)
		errx(1, "%s: status %#x", command[0], (unsigned)status);
	return microseconds() - start;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int runs = argc == 7 ? atoi(argv[2]) : 0;
	double *took[] = {calloc((size_t)runs + 1, sizeof(double)), calloc((size_t)runs + 1, sizeof(double))};
	if (runs <= 0 || took[WITHOUT] == NULL || took[WITH] == NULL)
		errx(2, "usage: starts TITLE RUNS WITHOUT WITH COMMAND ARGUMENT");
	for (int i = 0; i < runs; i++)
		for (int turn = 0; turn < 2; turn++) {
			int which = turn ^ (i & 1); // neither is always the second
			put_in_place(argv[3 + which]);
			took[which][i] = run(argv + 5);
		}
	for (int which = 0; which < 2; which++)
		qsort(took[which], (size_t)runs, sizeof(double), ascending);
	double least = took[WITH][0] / took[WITHOUT][0], median = took[WITH][runs / 2] / took[WITHOUT][runs / 2];
	printf("%-36s%8.0f%8.0f%10.0f%8.0f%9.3f%9.3f%9s\n", argv[1], took[WITHOUT][0], took[WITH][0],
	       took[WITHOUT][runs / 2], took[WITH][runs / 2], least, median, median <= 1.03 ? "met" : "not met");
}
