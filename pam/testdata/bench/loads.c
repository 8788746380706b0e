/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * loads RUNS MODULE...
 *
 * Loads each module, by turns, in so many processes that do nothing else, and prints the medians:
 * page faults, KiB of memory that is written to, microseconds of dlopen(3), and each as a ratio to
 * that of the first module.
 */
#include <dlfcn.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FAULTS, WRITTEN, TIME, FIGURES };

static double microseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double faults(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)used.ru_minflt;
}

static double written(void)
{
	char line[256];
	double kib = 0;
	FILE *f = fopen("/proc/self/smaps_rollup", "re");

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "Anonymous: %lf kB", &kib) == 1)
			break;
	if (f == NULL || kib == 0)
		err(1, "/proc/self/smaps_rollup");
	fclose(f);
	return kib;
}

/*
 * The process is "loads --one MODULE", a program of its own, since a fork has the libraries of its
 * parent.
 */
static int load(const char *module)
{
	double figures[FIGURES], faults_before = faults(), before = microseconds();

	if (dlopen(module, RTLD_NOW) == NULL)
		errx(1, "%s", dlerror());
	figures[TIME] = microseconds() - before;
	figures[FAULTS] = faults() - faults_before;
	figures[WRITTEN] = written();
	return fwrite(figures, sizeof figures, 1, stdout) == 1 ? 0 : 1;
}

static void run(const char *self, const char *module, double figures[FIGURES])
{
	int ends[2], status;
	pid_t pid;
	ssize_t n;

	if (pipe(ends) != 0)
		err(1, "pipe");
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execl(self, self, "--one", module, NULL);
		_exit(127);
	}
	close(ends[1]);
	n = read(ends[0], figures, FIGURES * sizeof *figures);
	close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 ||
	    n != (ssize_t)(FIGURES * sizeof *figures))
		errx(1, "%s cannot be loaded", module);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int runs = argc > 2 ? atoi(argv[1]) : 0, modules = argc - 2;
	double *all;

	if (argc == 3 && strcmp(argv[1], "--one") == 0)
		return load(argv[2]);
	if (runs <= 0)
		errx(2, "usage: loads RUNS MODULE...");
	all = calloc((size_t)(modules * FIGURES * runs), sizeof *all);
	if (all == NULL)
		err(1, "calloc");
	for (int i = 0; i < runs; i++)
		for (int m = 0; m < modules; m++) {
			double figures[FIGURES];

			run("/proc/self/exe", argv[2 + (m + i) % modules], figures);
			for (int f = 0; f < FIGURES; f++)
				all[(((m + i) % modules) * FIGURES + f) * runs + i] = figures[f];
		}
	for (int m = 0; m < modules; m++) {
		const char *slash = strrchr(argv[2 + m], '/');

		printf("%-20s", slash ? slash + 1 : argv[2 + m]);
		for (int f = 0; f < FIGURES; f++) {
			double *these = all + (m * FIGURES + f) * runs;

			qsort(these, (size_t)runs, sizeof *these, ascending);
			printf("%10.0f%8.2f", these[runs / 2],
			    these[runs / 2] / all[f * runs + runs / 2]);
		}
		putchar('\n');
	}
}
