/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * starts TITLE RUNS GOAL LINK ONE OTHER COMMAND...
 *
 * Runs a command, by turns with LINK to ONE and to OTHER, and prints how long it took, and the
 * ratio of OTHER to ONE: of the least times, and the median of the ratios of two runs that follow
 * each other, which counts. All runs must have the same exit status.
 */
#include <err.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ONE, OTHER };

static double microseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void put_in_place(const char *link, const char *target)
{
	char new[4096];

	snprintf(new, sizeof new, "%s.new", link);
	if (symlink(target, new) != 0 || rename(new, link) != 0)
		err(1, "%s", link);
}

static double run(char **command)
{
	static char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	static int first = -1;
	double start = microseconds();
	pid_t pid;
	int status;

	errno = posix_spawn(&pid, command[0], NULL, NULL, command, environment);
	if (errno != 0 || waitpid(pid, &status, 0) != pid)
		err(1, "%s", command[0]);
	if (first == -1)
		first = status;
	if (status != first)
		errx(1, "%s: status %#x, and %#x before", command[0], (unsigned)status,
		    (unsigned)first);
	return microseconds() - start;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int runs = argc > 7 ? atoi(argv[2]) : 0;
	double *took[] = { calloc((size_t)runs + 1, sizeof(double)),
		calloc((size_t)runs + 1, sizeof(double)) };
	double *ratios = calloc((size_t)runs + 1, sizeof(double));
	double goal, least, median;

	if (runs <= 0 || took[ONE] == NULL || took[OTHER] == NULL || ratios == NULL)
		errx(2, "usage: starts TITLE RUNS GOAL LINK ONE OTHER COMMAND...");
	goal = atof(argv[3]);
	for (int i = 0; i < runs; i++) {
		for (int turn = 0; turn < 2; turn++) {
			int which = turn ^ (i & 1);	/* neither is always the second */

			put_in_place(argv[4], argv[5 + which]);
			took[which][i] = run(argv + 7);
		}
		ratios[i] = took[OTHER][i] / took[ONE][i];
	}
	for (int which = 0; which < 2; which++)
		qsort(took[which], (size_t)runs, sizeof(double), ascending);
	qsort(ratios, (size_t)runs, sizeof(double), ascending);
	least = took[OTHER][0] / took[ONE][0];
	median = ratios[runs / 2];
	printf("%-36s%8.0f%8.0f%10.0f%8.0f%9.3f%9.3f  %s %.2f\n", argv[1], took[ONE][0],
	    took[OTHER][0], took[ONE][runs / 2], took[OTHER][runs / 2], least, median,
	    median <= goal ? "within" : "above", goal);
}
