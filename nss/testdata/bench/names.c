/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * names N SERVICE...
 *
 * Measures name services with N accounts (see accounts.c) and prints a table: nanoseconds per call,
 * the median of the rounds. Within a round every service gets the same keys in the same order, one
 * service after the other. Ratios are within a round. Every answer is checked.
 */
#include "accounts.h"
#include "service.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15, PEERS = 5, NOBODY = 65534 };

/* Seconds for a service and a question; at least one call is made. */
static const double a_round = 0.016, warm_up = 0.003;

/* Seconds to fill a daemon's cache with the answers to a question. */
static const double a_daemon = 8;

enum { KNOWN, SHORT, ABROAD, NEVER, KINDS };

static const struct {
	const char *title;
	int kind;	/* of key */
} questions[QUESTIONS] = {
	[BY_NAME] = { "name", KNOWN },
	[BY_UID] = { "uid", KNOWN },
	[BY_GID] = { "gid", KNOWN },
	[GROUPS] = { "groups", KNOWN },
	[NO_AT] = { "no @", SHORT },
	[FOREIGN] = { "foreign", ABROAD },
	[UNSEEN] = { "unseen", NEVER },
	[UNSEEN_ROOT] = { "by root", NEVER },
	[NO_UID] = { "uid", NEVER },
};

static const char *const forms[KINDS] = {
	"user%06u@" DOMAIN, "user%06u", "user%06u@fabrikam.example", "none%06u@" DOMAIN,
};

static const struct peer {
	const char *name, *label, *library;
	int daemon;	/* answers from its cache */
} peers[PEERS] = {
	{ "aad", "aad-login", "libnss_aad.so.2", 0 },
	{ "extrausers", "libnss-extrausers", "libnss_extrausers.so.2", 0 },
	{ "cache", "libnss-cache, indexed", "libnss_cache.so.2", 0 },
	{ "sss", "sssd, memory cache", "libnss_sss.so.2", 1 },
	{ "files", "glibc's files", "libc.so.6", 0 },	/* built in since 2.34 */
};

struct measured {
	struct service service;
	const char *name;
	long reach[QUESTIONS];	/* number of its keys */
	double ns[QUESTIONS][ROUNDS];
};

static struct key *keys[KINDS];
static long count;	/* of each kind */
static struct measured all[PEERS + 2];
static int services;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t next_random(void)	/* xorshift64, from a fixed seed */
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

static void make_keys(int kind)
{
	struct key *all_keys =
	    aligned_alloc(sizeof(struct key), (size_t)count * sizeof(struct key));

	if (all_keys == NULL)
		err(1, "keys");
	for (long i = 0; i < count; i++) {
		struct key *k = &all_keys[i];

		*k = (struct key){ .n = 'n',
			.u = 'u',
			.uid = kind == KNOWN ? account_uid((uint32_t)i) : nobody_uid((uint32_t)i) };
		k->name_len =
		    (uint8_t)(1 + snprintf(k->name, sizeof k->name, forms[kind], (unsigned)i));
		k->digits_len =
		    (uint8_t)(1 + snprintf(k->digits, sizeof k->digits, "%08x", k->uid));
	}
	for (long i = count - 1; i > 0; i--) {
		long j = (long)(next_random() % (uint64_t)(i + 1));
		struct key swap = all_keys[i];

		all_keys[i] = all_keys[j];
		all_keys[j] = swap;
	}
	keys[kind] = all_keys;
}

/*
 * Returns 1, but only after the answer is known: a call begins after the previous one has ended, as
 * in a program that looks up a name and needs it. Otherwise the processor works on several lookups
 * at a time, on more the simpler they are.
 */
static long step_after(int right)
{
	long wrong = !right;

	__asm__ volatile("" : "+r"(wrong));	/* 0, which the compiler must not know */
	return 1 + wrong;
}

/*
 * Asks for some time, or until limit calls if limit is not 0, and returns nanoseconds per call. *n
 * is the first key, and then the number of calls.
 */
static double ask_for(struct measured *m, int question, double budget, long limit, long *n)
{
	const struct key *k = keys[questions[question].kind];
	long reach = m->reach[question], at = *n % reach, done = 0, step = 1;
	ask *a = m->service.asks[question];
	double start = seconds(), end = start;

	while ((end < start + budget || done == 0) && (limit == 0 || done < limit)) {
		double before = end;

		for (long i = 0; i < step; i++) {
			int right = a(&m->service, &k[at]);
			long next = step_after(right);

			if (!right)
				errx(1, "%s, %s: wrong answer for %s, %u", m->service.label,
				    questions[question].title, k[at].name, k[at].uid);
			if ((at += next) == reach)
				at = 0;
		}
		done += step;
		end = seconds();
		if (end - before < 1e-4 && limit == 0)	/* read the clock every 100 µs */
			step *= 2;
	}
	*n = done;
	return (end - start) * 1e9 / (double)done;
}

/*
 * Lets a daemon fill its cache. A key that is not in the cache by then is not asked for, in favour
 * of the daemon.
 */
static void fill(struct measured *m)
{
	m->service.asks[GROUPS] =
	    NULL;	/* its proxy provider uses lists of members, and aad_users has none */
	for (int q = 0; q < QUESTIONS; q++) {
		long n;

		if (m->service.asks[q] == NULL)
			continue;
		n = 0;
		m->reach[q] = count;
		ask_for(m, q, a_daemon, count, &n);
		m->reach[q] = n;
		ask_for(m, q, 2 * a_daemon, n, &(long){ 0 });
	}
}

static void measure(int question, int round)
{
	for (int i = 0; i < services; i++) {
		struct measured *m = &all[i];
		long n = count / ROUNDS * round;

		if (m->service.asks[question] == NULL)
			continue;
		ask_for(m, question, warm_up, 0, &n);
		n = count / ROUNDS * round;
		m->ns[question][round] = ask_for(m, question, a_round, 0, &n);
	}
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Returns the median of the rounds, or of the ratios to another service; 0 for none. */
static double median(const struct measured *m, const struct measured *to, int question)
{
	double v[ROUNDS];

	if (m->service.asks[question] == NULL || (to != NULL && to->service.asks[question] == NULL))
		return 0;
	for (int r = 0; r < ROUNDS; r++)
		v[r] = m->ns[question][r] / (to == NULL ? 1 : to->ns[question][r]);
	qsort(v, ROUNDS, sizeof *v, ascending);
	return v[ROUNDS / 2];
}

static void print_times(const struct measured *m)
{
	printf("%-23s", m->service.label);
	for (int q = 0; q < QUESTIONS; q++) {
		double ns = median(m, NULL, q);

		if (ns == 0)
			printf("%8s", "-");
		else if (ns < 999999.5)
			printf("%8.0f", ns);
		else
			printf("%7.1fm", ns / 1e6);
	}
	putchar('\n');
}

static const char *verdict(double x, double goal)
{
	return x == 0 ? "-" : x <= goal ? "met" : "not met";
}

/*
 * Compares the answers to the questions that have one, and says whether each is as fast as it
 * should be.
 */
static void print_ratios(const struct measured *m, const struct measured *to,
    const char *whose, double goal)
{
	if (to == NULL)
		return;
	printf("ratio to %-14s", whose);
	for (int q = 0; q < NO_AT; q++)
		median(m, to, q) == 0 ? printf("%8s", "-") : printf("%8.2f", median(m, to, q));
	printf("\n  goal ≤ %-14.1f", goal);
	for (int q = 0; q < NO_AT; q++)
		printf("%8s", verdict(median(m, to, q), goal));
	putchar('\n');
}

static void print_misses(const struct measured *m, double goal)
{
	printf("  goal ≤ %-14s%32s", "100 ns", "");
	for (int q = NO_AT; q < QUESTIONS; q++)
		printf("%8s", verdict(median(m, NULL, q), goal));
	putchar('\n');
}

static struct measured *named(const char *name)
{
	for (int i = 0; i < services; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

static void print_table(void)
{
	struct measured *sss;

	printf("\n%9ld accounts      %s\n%-23s", count,
	    "------ an account, by its -----  -------- nobody: a name or a uid -------",
	    "ns a call");
	for (int q = 0; q < QUESTIONS; q++)
		printf("%8s", questions[q].title);
	putchar('\n');
	for (int i = 0; i < services; i++)
		print_times(&all[i]);
	print_ratios(&all[0], named("raw"), "raw cdb", 1.5);
	print_ratios(named("same"), named("sss"), "sssd", 0.5);
	print_misses(&all[0], 100);
	sss = named("sss");
	if (sss != NULL)
		printf("In sssd's memory cache: %ld accounts and %ld groups, "
		    "and \"the same\" is asked no others.\n",
		    sss->reach[BY_NAME], sss->reach[BY_GID]);
}

static struct measured *add(const char *name, struct service s)
{
	struct measured *m = &all[services++];

	*m = (struct measured){ .service = s, .name = name };
	for (int q = 0; q < QUESTIONS; q++)
		m->reach[q] = count;
	return m;
}

/*
 * Adds a daemon's service, and ours with no other keys than those in the daemon's cache: fewer keys
 * are faster.
 */
static void add_cached(const char *name, struct service s)
{
	struct measured *daemon = add(name, s), *same = add("same", all[0].service);

	fill(daemon);
	memcpy(same->reach, daemon->reach, sizeof same->reach);
	same->service.label = "aad-login, the same";
	same->service.asks[GROUPS] = NULL;
}

static void add_peer(const struct peer *p)
{
	struct service s = service_load(p->label, p->name, p->library);

	if (p->daemon)
		add_cached(p->name, s);
	else
		add(p->name, s);
}

int main(int argc, char **argv)
{
	const char *store;

	if (argc < 3 || (count = atol(argv[1])) < ROUNDS)
		errx(2, "usage: names N SERVICE...");
	for (int kind = 0; kind < KINDS; kind++)
		make_keys(kind);
	for (int i = 2; i < argc; i++)
		for (const struct peer *p = peers; p < peers + PEERS; p++)
			if (strcmp(p->name, argv[i]) == 0)
				add_peer(p);
	store = "/var/lib/aad-login/accounts.cdb";
	add("raw", service_raw("raw cdb (tinycdb)", store));
	for (int round = 0; round < ROUNDS; round++)
		for (int q = 0; q < QUESTIONS; q++) {
			if (seteuid(q == UNSEEN_ROOT ? 0 : NOBODY) != 0)
				err(1, "seteuid");
			measure(q, round);
			if (seteuid(0) != 0)
				err(1, "seteuid");
		}
	print_table();
}
