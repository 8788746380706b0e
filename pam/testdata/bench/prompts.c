/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * prompts RUNS WAITING SERVICE...
 *
 * Lets a PAM host come to its prompt that many times with each service, by turns, and prints the
 * medians: from the start of the host to the prompt, and the least of these, which a busy machine
 * disturbs less; the processor time that its worker has had until then; and what the worker has
 * while it waits, KiB of memory that no file stands behind, and KiB resident. Then so many hosts at
 * once wait with each service, and it prints the sum of what their workers have, pages that several
 * share by shares. All as ratios to those of the first service, too.
 *
 * Each host signs another account in, those who wait together from another address, too, or the
 * waiting room would be full.
 */
#include <err.h>
#include <fcntl.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROMPT, PROCESSOR, ANONYMOUS, RESIDENT, PROPORTIONAL, FIGURES };
static const char *const titles[] = {
	"ms to prompt", "ms processor", "KiB anonymous", "KiB resident",
};

struct host {
	pid_t pid;
	int in, out;
};

static double milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The only child of a process: the guard of a host, or the worker itself where there is none. */
static int child(int pid)
{
	char path[64];
	int found = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%d", &found) != 1)
		found = 0;
	fclose(f);
	return found;
}

static int worker(void)
{
	int pid = child(getpid()), below = pid ? child(pid) : 0;

	if (pid == 0)
		errx(1, "there is no worker");
	return below ? below : pid;
}

/* How long the threads of a process have run. */
static double processor(int pid)
{
	char command[96];
	double ns = 0, sum = 0;
	FILE *f;

	snprintf(command, sizeof command, "exec cat /proc/%d/task/*/schedstat", pid);
	f = popen(command, "re");
	while (f != NULL && fscanf(f, "%lf %*s %*s", &ns) == 1)
		sum += ns;
	if (f == NULL || pclose(f) != 0 || sum == 0)
		errx(1, "%s", command);
	return sum / 1e6;
}

static double memory(int pid, const char *field)
{
	char path[64], line[256], format[64];
	double kib = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	snprintf(format, sizeof format, "%s: %%lf kB", field);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, format, &kib) == 1)
			break;
	if (f == NULL || kib < 0)
		err(1, "%s: %s", path, field);
	fclose(f);
	return kib;
}

static void say(const double *figures, int n)
{
	ssize_t size = n * (ssize_t)sizeof *figures;

	if (write(STDOUT_FILENO, figures, (size_t)size) != size)
		err(1, "write");
}

/*
 * Says when the prompt came, and on a first byte what the worker has then; a second one, or the
 * end, is the end.
 */
static int converse(int n, const struct pam_message **messages, struct pam_response **replies,
    void *more)
{
	double figures[FIGURES] = { milliseconds() };
	char go;

	(void)more;
	for (int i = 0; i < n; i++) {
		int style = messages[i]->msg_style, pid;

		if (style == PAM_ERROR_MSG)
			fprintf(stderr, "%s\n", messages[i]->msg);
		if (style != PAM_PROMPT_ECHO_OFF && style != PAM_PROMPT_ECHO_ON)
			continue;
		pid = worker();
		figures[PROCESSOR] = processor(pid);
		say(figures, ANONYMOUS);
		if (read(STDIN_FILENO, &go, 1) != 1)
			return PAM_CONV_ERR;
		figures[ANONYMOUS] = memory(pid, "Anonymous");
		figures[RESIDENT] = memory(pid, "Rss");
		figures[PROPORTIONAL] = memory(pid, "Pss");
		say(figures + ANONYMOUS, FIGURES - ANONYMOUS);
		(void)!read(STDIN_FILENO, &go, 1);
		return PAM_CONV_ERR;
	}
	*replies = calloc((size_t)n, sizeof **replies);
	return *replies != NULL ? PAM_SUCCESS : PAM_BUF_ERR;
}

/*
 * The host is "prompts --host SERVICE NUMBER [ADDRESS]", a program of its own, since a fork has the
 * libraries of its parent.
 */
static int serve(int argc, char **argv)
{
	const struct pam_conv talk = { converse, NULL };
	pam_handle_t *h;
	char user[64];

	snprintf(user, sizeof user, "person%s@contoso.example", argv[3]);
	if (pam_start(argv[2], user, &talk, &h) != PAM_SUCCESS ||
	    (argc > 4 && pam_set_item(h, PAM_RHOST, argv[4]) != PAM_SUCCESS))
		errx(1, "%s: pam_start", argv[2]);
	pam_authenticate(h, 0);
	pam_end(h, 0);
	return 0;
}

static void hear(const struct host *h, double *figures, int n)
{
	ssize_t size = n * (ssize_t)sizeof *figures;

	if (read(h->out, figures, (size_t)size) != size)
		errx(1, "a host came to no prompt");
}

/* Lets a host come to its prompt. */
static struct host start(const char *service, const char *address, double figures[FIGURES])
{
	static int people;
	int in[2], out[2];
	char number[16];
	double begin;
	struct host h;

	snprintf(number, sizeof number, "%d", ++people);
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		err(1, "pipe");
	begin = milliseconds();
	h.pid = fork();
	if (h.pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl("/proc/self/exe", "prompts", "--host", service, number, address, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	h.in = in[1];
	h.out = out[0];
	hear(&h, figures, ANONYMOUS);
	figures[PROMPT] -= begin;
	return h;
}

/* Asks a host that has come to its prompt some time ago. */
static void measure(const struct host *h, double figures[FIGURES])
{
	if (write(h->in, "m", 1) != 1)
		err(1, "write");
	hear(h, figures + ANONYMOUS, FIGURES - ANONYMOUS);
}

static void end(const struct host *h)
{
	close(h->in);
	close(h->out);
	if (waitpid(h->pid, NULL, 0) != h->pid)
		err(1, "waitpid");
}

static void quiet(void)
{
	usleep(600000);
}

/* What the workers of so many hosts have that wait at once. */
static double crowd(const char *service, int waiting)
{
	struct host *hosts = calloc((size_t)waiting, sizeof *hosts);
	double figures[FIGURES], sum = 0;
	char address[32];

	if (hosts == NULL)
		err(1, "calloc");
	for (int i = 0; i < waiting; i++) {
		snprintf(address, sizeof address, "10.0.%d.1", i);
		hosts[i] = start(service, address, figures);
	}
	quiet();
	for (int i = 0; i < waiting; i++) {
		measure(&hosts[i], figures);
		sum += figures[PROPORTIONAL];
	}
	for (int i = 0; i < waiting; i++)
		end(&hosts[i]);
	free(hosts);
	return sum;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int runs = argc > 3 ? atoi(argv[1]) : 0, waiting = argc > 3 ? atoi(argv[2]) : 0;
	int services = argc - 3;
	double *all, first = 0;

	if (argc >= 4 && strcmp(argv[1], "--host") == 0)
		return serve(argc, argv);
	if (runs <= 0)
		errx(2, "usage: prompts RUNS WAITING SERVICE...");
	all = calloc((size_t)(services * PROPORTIONAL * runs), sizeof *all);
	if (all == NULL)
		err(1, "calloc");
	for (int i = -1; i < runs; i++) /* the first time fills caches */
		for (int s = 0; s < services; s++) {
			int which = (s + i + services) % services;
			double figures[FIGURES];
			struct host h = start(argv[3 + which], NULL, figures);

			quiet();
			measure(&h, figures);
			end(&h);
			for (int f = 0; i >= 0 && f < PROPORTIONAL; f++)
				all[(which * PROPORTIONAL + f) * runs + i] = figures[f];
		}
	printf("%-12s%19s", "", "ms at least");
	for (int f = 0; f < PROPORTIONAL; f++)
		printf("%19s", titles[f]);
	printf("   %d waiting, KiB\n", waiting);
	for (int s = 0; s < services; s++) {
		double sum;

		for (int f = 0; f < PROPORTIONAL; f++) {
			double *these = all + (s * PROPORTIONAL + f) * runs;

			qsort(these, (size_t)runs, sizeof *these, ascending);
			if (f == PROMPT)
				printf("%-12s%11.2f%8.3f", argv[3 + s], these[0],
				    these[0] / all[0]);
			printf("%11.2f%8.3f", these[runs / 2],
			    these[runs / 2] / all[f * runs + runs / 2]);
		}
		sum = crowd(argv[3 + s], waiting);
		first = s == 0 ? sum : first;
		printf("%11.0f%8.3f\n", sum, sum / first);
	}
}
