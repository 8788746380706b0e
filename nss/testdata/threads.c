/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Looks up names in many threads, and in children that are forked from among them, while its parent
 * process replaces the store.
 *
 *	threads LIBRARY SHARED LOW NAME UID [NAME UID]...
 *
 * SHARED is a file that both processes have mapped, a struct shared. Each generation of the store
 * has its number in every field of every account, so that an answer from two generations is
 * recognised.
 */
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

/* A fork may leave the malloc of the address sanitizer locked, but not glibc's. */
#ifdef __SANITIZE_ADDRESS__
enum { MALLOC_AFTER_FORK = 0 };
#else
enum { MALLOC_AFTER_FORK = 1 };
#endif

enum { THREADS = 8, ROOM = 1024, GENERATIONS = 2000, WATCHDOG = 120 };

/*
 * Times are seconds of time(2), which is the library's own clock: after an event it never shows
 * less than before, however late the two processes are.
 */
struct shared {
	_Atomic int64_t newest;			/* the newest generation */
	_Atomic int64_t last;			/* the last generation; 0 until it is in place */
	_Atomic int64_t published[GENERATIONS];	/* when each was renamed into place */
};

static struct shared *shared;
static const char **names;
static uint32_t *uids, low;
static int count;
static atomic_int arrived; /* the threads that have seen the last generation */
static atomic_int finished;

/* The beginning of a lookup. */
struct moment {
	int64_t newest, time;
};

static struct moment now(void)
{
	int64_t newest = shared->newest;

	return (struct moment){ newest, time(NULL) };
}

/*
 * Checks that a generation was not replaced in an earlier second than the one in which the lookup
 * began.
 */
static void current(const char *what, long generation, struct moment began)
{
	int64_t age = 0;

	if (generation < 0 || generation + 1 >= GENERATIONS) {
		CHECK(0, "%s: generation %ld", what, generation);
		return;
	}
	if (began.newest > generation)
		age = began.time - shared->published[generation + 1];
	CHECK(age <= 0, "%s: generation %ld was replaced %d s before", what, generation, (int)age);
}

/* Returns the generation of all fields of account i. */
static long whole(const char *what, int i, const struct passwd *p)
{
	long gecos = -1, home = -2, shell = -3;
	char name[128] = "";
	int read = sscanf(p->pw_gecos, "gen %6ld", &gecos) == 1 &&
	    sscanf(p->pw_dir, "/home/%6ld/%127s", &home, name) == 2 &&
	    sscanf(p->pw_shell, "/bin/%6ld", &shell) == 1;

	CHECK(read && gecos == home && home == shell && strcmp(p->pw_name, names[i]) == 0 &&
		strcmp(name, names[i]) == 0 && p->pw_uid == uids[i] && p->pw_gid == uids[i] &&
		strcmp(p->pw_passwd, "*") == 0,
	    "%s: %s:%s:%u:%u:%s:%s:%s", what, p->pw_name, p->pw_passwd, p->pw_uid, p->pw_gid,
	    p->pw_gecos, p->pw_dir, p->pw_shell);
	return gecos;
}

static long by_name(int i)
{
	struct passwd p;
	char buf[ROOM];
	struct moment began = now();
	int e = 0;
	enum nss_status s = aad.pwnam(names[i], &p, buf, sizeof buf, &e);
	long g;

	CHECK(s == NSS_STATUS_SUCCESS, "getpwnam_r: status %d, errno %d", s, e);
	g = s == NSS_STATUS_SUCCESS ? whole("getpwnam_r", i, &p) : -1;
	current("getpwnam_r", g, began);
	return g;
}

static void by_uid(int i)
{
	struct passwd p;
	char buf[ROOM];
	struct moment began = now();
	int e = 0;
	enum nss_status s = aad.pwuid(uids[i], &p, buf, sizeof buf, &e);

	CHECK(s == NSS_STATUS_SUCCESS, "getpwuid_r: status %d, errno %d", s, e);
	if (s == NSS_STATUS_SUCCESS)
		current("getpwuid_r", whole("getpwuid_r", i, &p), began);
}

static void by_gid(int i)
{
	struct group g;

	_Alignas(16) char buf[ROOM];
	int e = 0;
	enum nss_status s = aad.grgid(uids[i], &g, buf, sizeof buf, &e);
	CHECK(s == NSS_STATUS_SUCCESS && g.gr_gid == uids[i] && strcmp(g.gr_name, names[i]) == 0 &&
		g.gr_mem[0] == NULL,
	    "getgrgid_r: status %d, errno %d", s, e);
}

static void groups(int i)
{
	long start = 0, size = 1;
	gid_t *list = malloc(sizeof *list);
	struct moment began = now();
	int e = 0;
	enum nss_status s = aad.init(names[i], uids[i], &start, &size, &list, -1, &e);

	CHECK(
	    s == NSS_STATUS_SUCCESS && start == 3 && list[0] == low && list[2] - list[1] == 1000000,
	    "initgroups_dyn: status %d, errno %d, %ld groups: %u %u %u", s, e, start, list[0],
	    start > 1 ? list[1] : 0, start > 2 ? list[2] : 0);
	if (s == NSS_STATUS_SUCCESS && start == 3)
		current("initgroups_dyn", (long)list[1] - 1000000, began);
	free(list);
}

/* glibc holds such a lock around each call of an enumeration, which belongs to the process. */
static pthread_mutex_t enumerating = PTHREAD_MUTEX_INITIALIZER;

static void everybody(void)
{
	struct passwd p;
	char buf[ROOM];
	int e = 0, n = 0;
	enum nss_status s;

	pthread_mutex_lock(&enumerating);
	aad.setpw(0);
	for (struct moment began = now();
	    (s = aad.pwent(&p, buf, sizeof buf, &e)) == NSS_STATUS_SUCCESS && n < count;
	    began = now())
		current("getpwent_r", whole("getpwent_r", n++, &p), began);
	CHECK(s == NSS_STATUS_NOTFOUND && n == count,
	    "getpwent_r: status %d, errno %d after %d of %d", s, e, n, count);
	aad.endpw();
	pthread_mutex_unlock(&enumerating);
}

/* Looks up one account in each way, and returns its generation. */
static long each(int i, int may_malloc)
{
	by_uid(i);
	by_gid(i);
	if (may_malloc)
		groups(i);
	everybody();
	return by_name(i);
}

/*
 * Looks up until main() says that all have seen the last generation. No thread ends before the last
 * fork: to the thread sanitizer, a thread that has ended and is not joined is a leak in the child.
 */
static void *reader(void *first)
{
	int arrival = 0;

	for (int i = (int)(intptr_t)first; !atomic_load(&finished); i++) {
		int64_t last = shared->last;
		long seen = each(i % count, 1);

		if (!arrival && last != 0 && seen == last) {
			arrival = 1;
			atomic_fetch_add(&arrived, 1);
		}
	}
	return NULL;
}

/*
 * A child of a process whose other threads are in the middle of something, and are not in the
 * child. It must come to an end.
 */
static void forked(int i)
{
	pid_t pid;
	int status;

	pthread_mutex_lock(&enumerating);
	pid = fork();
	pthread_mutex_unlock(&enumerating);
	if (pid == 0) {
		int before;

		alarm(WATCHDOG);
		before = atomic_load(&wrong);
		each(i % count, MALLOC_AFTER_FORK);
		_exit(atomic_load(&wrong) != before);
	}
	status = -1;
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid, "fork: %s", strerror(errno));
	CHECK(status == 0, "child: %s %d", WIFSIGNALED(status) ? "killed by signal" : "exit status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void map(const char *path)
{
	int fd = open(path, O_RDWR);

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || shared == MAP_FAILED) {
		perror(path);
		exit(2);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];
	int forks;

	if (argc < 6)
		return 2;
	load(argv[1]);
	map(argv[2]);
	low = (uint32_t)strtoul(argv[3], NULL, 10);
	names = calloc((size_t)argc, sizeof *names);
	uids = calloc((size_t)argc, sizeof *uids);
	for (int i = 4; i + 1 < argc; i += 2, count++) {
		names[count] = argv[i];
		uids[count] = (uint32_t)strtoul(argv[i + 1], NULL, 10);
	}
	for (intptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, reader, (void *)i) != 0)
			return 2;
	if (puts("looking up") < 0 || fflush(stdout) != 0)
		return 2;
	forks = 0;
	for (; atomic_load(&arrived) < THREADS && atomic_load(&wrong) == 0; forks++)
		forked(forks);
	atomic_store(&finished, 1);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("%d forks\n", forks);
	return wrong != 0;
}
