/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A host of fifty threads, which at every moment hold the locks of malloc, the loader, stdio and
 * the thread list, with the module as it is shipped.
 *
 *	crowd DIRECTORY WORKERS
 *
 * DIRECTORY has a PAM service "crowd". Its account step is the module with a configuration that
 * does not exist: the worker starts Go, with all its threads, and reports this. Prints how many
 * workers did, and how long the slowest took; before, at most every 15 s, how many have. Exits with
 * 1 after the first that did not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MALLOC = 20, LOADER = 15, IDS = 10, STDIO = 5 };

/*
 * The workers run before the threads, whatever the number of processors, so that the locks are held
 * all the longer. The workers come forward where they may. Threads that step back would not run at
 * all on a busy machine, and would hold the locks for ever.
 */
static int forward;

static void come_forward(void)
{
	forward = setpriority(PRIO_PROCESS, 0, -19) == 0;
}

static void step_back(void)
{
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), forward ? 0 : 19);
}

/* Rests now and then, so that fifty threads leave some time of two processors. */
static void rest(unsigned i, unsigned work)
{
	if (i % work == 0)
		usleep(5000);
}

static void *allocate(void *none)
{
	void *held[64] = { 0 };
	unsigned random = (unsigned)(size_t)&held;

	step_back();
	for (unsigned n = 0;; n++) {
		unsigned i = (unsigned)rand_r(&random) % 64;
		unsigned size = (unsigned)rand_r(&random) % 200000;

		rest(n, 1000);
		free(held[i]);
		if ((held[i] = malloc(size)))
			memset(held[i], 1, size < 64 ? size : 64);
	}
	return none;
}

static void *load(void *none)
{
	static const char *const libraries[] = {
		"libanl.so.1", "libBrokenLocale.so.1", "libutil.so.1", "libm.so.6",
		"libresolv.so.2",
	};

	step_back();
	for (unsigned i = 0;; i++) {
		void *library = dlopen(libraries[i % 5], RTLD_NOW);

		rest(i, 5);
		if (library)
			dlclose(library);
	}
	return none;
}

static void *change_ids(void *none)
{
	step_back();
	for (unsigned i = 0;; i++) {
		rest(i, 1);
		if (setresuid(0, 0, 0))
			exit(2);
	}
	return none;
}

static void *print(void *none)
{
	FILE *null;

	step_back();
	for (unsigned i = 0;; i++) {
		rest(i, 50);
		if ((null = fopen("/dev/null", "w"))) {
			fprintf(null, "%d\n", 1);
			fclose(null);
		}
	}
	return none;
}

static void start(int n, void *thread(void *))
{
	pthread_t one;

	for (; n > 0; n--)
		if (pthread_create(&one, NULL, thread, NULL))
			exit(2);
}

static int silent(int n, const struct pam_message **m, struct pam_response **answers, void *none)
{
	(void)m, (void)none;
	*answers = calloc((size_t)n, sizeof **answers);
	return *answers ? PAM_SUCCESS : PAM_CONV_ERR;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	const struct pam_conv conversation = { silent, NULL };
	int workers = argc > 2 ? atoi(argv[2]) : 0, seen = 0;
	double begun = now(), said = begun, slowest = 0;
	pam_handle_t *h;

	if (pam_start_confdir("crowd", "user@contoso.example", &conversation, argv[1], &h) !=
	    PAM_SUCCESS)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	come_forward();
	start(MALLOC, allocate);
	start(LOADER, load);
	start(IDS, change_ids);
	start(STDIO, print);
	for (int i = 0; i < workers; i++) {
		double before = now();
		int ret = pam_acct_mgmt(h, 0);

		if (ret != PAM_SERVICE_ERR) {
			printf("worker %d of %d: %s, after %.1f s\n", i + 1, workers,
			    pam_strerror(h, ret), now() - before);
			return 1;
		}
		if (now() - before > slowest)
			slowest = now() - before;
		seen += waitpid(-1, NULL, WNOHANG) >= 0;
		if (now() - said > 15) {
			said = now();
			printf("%d of %d workers, about %.0f s more\n", i + 1, workers,
			    (said - begun) / (i + 1) * (workers - i - 1));
		}
	}
	printf("%d workers of a host with %d threads, %d seen by it; "
	    "the slowest took %.2f s, all %.0f s\n",
	    workers, MALLOC + LOADER + IDS + STDIO, seen, slowest, now() - begun);
	return seen > 0;
}
