// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * The birth and the end of a worker, in hosts of all kinds. Usage: child HOST... WORKER. Each HOST word does something to
 * this process that sshd, sudo or whoever called them may have done; WORKER is what the worker does after its report.
 * Prints "worker KEY VALUE" (what the worker found) and "host KEY VALUE" lines; child_test.go reads them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <langinfo.h>
#include <libintl.h>
#include <limits.h>
#include <linux/capability.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int no_close_range, no_fork, no_clone;

static long stage_syscall(long number, ...);
static pid_t stage_fork(void);

#include <sys/syscall.h>
#define syscall stage_syscall
#include "../child.c"
#undef syscall
#define fork stage_fork
#define clone(...) (no_clone ? (errno = EINVAL, -1) : clone(__VA_ARGS__))
#include "../guard.c"
#undef fork
#undef clone
#include "../line.c"
#include "../reset.c"

static long stage_syscall(long number, ...)
{
	va_list args;

	if (number == SYS_close_range && no_close_range)
		return errno = ENOSYS, -1;
	va_start(args, number);
	long first = va_arg(args, long), second = va_arg(args, long), third = va_arg(args, long);
	va_end(args);
	return syscall(number, first, second, third);
}

static pid_t stage_fork(void)
{
	return no_fork ? (errno = EAGAIN, -1) : fork();
}

enum { most_files = 4096 };

static const char *then;	/* what the worker does after its report */
static int woken, out, open_null, all_cpus;

int aad_wake_go(void)
{
	woken++;
	return 0;
}

static void report_descriptors(int to)
{
	char path[32], target[PATH_MAX];
	struct stat st;

	for (int fd = 0; fd < 5000; fd++) {
		if (fstat(fd, &st))
			continue;
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		ssize_t n = readlink(path, target, sizeof target - 1);
		target[n > 0 ? n : 0] = 0;
		dprintf(to, "worker fd%d %s\n", fd, S_ISFIFO(st.st_mode) ? "pipe" : S_ISSOCK(st.st_mode) ? "socket" : target);
	}
}

static void report_signals(int to)
{
	struct sigaction action;
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int s = 1; s < NSIG; s++) {
		if (sigismember(&mask, s) == 1)
			dprintf(to, "worker blocked %d\n", s);
		if (sigaction(s, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
			dprintf(to, "worker handled %d\n", s);
	}
}

/* Root in a container may have no more than the container's limits and turns. */
static int may(int capability)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[2] = { 0 };

	return syscall(SYS_capget, &head, have) == 0 && have[0].effective & 1U << capability;
}

static void report_limit(int to, const char *name, int which)
{
	struct rlimit limit;

	getrlimit(which, &limit);
	if (which == RLIMIT_STACK)
		dprintf(to, "worker %s %llu\n", name, (unsigned long long)limit.rlim_cur);
	else if (limit.rlim_cur == RLIM_INFINITY || (which != RLIMIT_CORE && which != RLIMIT_NOFILE && limit.rlim_max != RLIM_INFINITY && !may(CAP_SYS_RESOURCE)))
		dprintf(to, "worker %s unlimited\n", name);
	else
		dprintf(to, "worker %s %llu %llu\n", name, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
}

static int cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) ? -1 : CPU_COUNT(&set);
}

static int oom_score(void)
{
	char text[16] = "";
	int fd = open("/proc/self/oom_score_adj", O_RDONLY);

	(void)!read(fd, text, sizeof text - 1);
	close(fd);
	return atoi(text);
}

/* The class is none, or what the kernel makes of none. */
static const char *disk(void)
{
	long priority = syscall(SYS_ioprio_get, 1, 0);

	return priority == 0 || priority == (2 << 13 | 4) ? "usual" : "of the host";
}

static void report_pace(int to)
{
	int policy = 0;	/* stays so where the kernel knows of one node only */
	stack_t stack;

	syscall(SYS_get_mempolicy, &policy, NULL, 0, NULL, 0);
	sigaltstack(NULL, &stack);
	dprintf(to, "worker policy %d\nworker nice %d\nworker disk %s\n", may(CAP_SYS_NICE) ? sched_getscheduler(0) : 0,
	    may(CAP_SYS_NICE) ? getpriority(PRIO_PROCESS, 0) : 0, disk());
	dprintf(to, "worker processors %s\n", cpus() == all_cpus ? "all" : "of the host");
	dprintf(to, "worker slack %d\n", prctl(PR_GET_TIMERSLACK));
	dprintf(to, "worker oom %d\n", oom_score());
	dprintf(to, "worker memory %d\n", policy);
	dprintf(to, "worker personality %x\n", personality(0xffffffff));
	dprintf(to, "worker stack-for-signals %s\n", stack.ss_flags & SS_DISABLE ? "none" : "of the host");
	dprintf(to, "worker codeset %s\n", nl_langinfo(CODESET));
}

static void report(const struct aad_request *req, int to)
{
	extern char **environ;
	char cwd[PATH_MAX];
	uid_t r, e, s;
	gid_t gr, ge, gs;
	int strings = 0, death = 0;

	report_descriptors(to);
	report_signals(to);
	report_pace(to);
	report_limit(to, "as", RLIMIT_AS);
	report_limit(to, "data", RLIMIT_DATA);
	report_limit(to, "fsize", RLIMIT_FSIZE);
	report_limit(to, "nproc", RLIMIT_NPROC);
	report_limit(to, "cpu", RLIMIT_CPU);
	report_limit(to, "nofile", RLIMIT_NOFILE);
	report_limit(to, "core", RLIMIT_CORE);
	report_limit(to, "stack", RLIMIT_STACK);
	while (environ[strings])
		strings++;
	dprintf(to, "worker environment %d\n", strings);
	getresuid(&r, &e, &s);
	getresgid(&gr, &ge, &gs);
	dprintf(to, "worker ids %u %u %u %u %u %u %d\n", r, e, s, gr, ge, gs, getgroups(0, NULL));
	dprintf(to, "worker cwd %s\n", getcwd(cwd, sizeof cwd));
	dprintf(to, "worker umask %03o\n", umask(0));
	dprintf(to, "worker session %s\n", getsid(0) == getpid() ? "own" : "the host's");
	prctl(PR_GET_PDEATHSIG, &death);
	dprintf(to, "worker dies-by %d\n", death);
	dprintf(to, "worker dumpable %d\n", prctl(PR_GET_DUMPABLE));
	dprintf(to, "worker woken %d\n", woken);
	dprintf(to, "worker request %d %s %s\n", req->phase, req->user, req->service);
}

void aadWork(struct aad_request *req, int frames)
{
	if (strcmp(then, "quiet") == 0)
		_exit(0);
	report(req, frames);
	if (strcmp(then, "return") == 0)
		return;
	if (strcmp(then, "stop") == 0)
		raise(SIGSTOP);
	if (strcmp(then, "deaf") == 0)
		for (int s = 1; s < NSIG; s++)
			signal(s, SIG_IGN);
	if (strcmp(then, "talk") == 0)	/* more than a pipe holds */
		for (int i = 0; i < 3000; i++)
			(void)!write(STDERR_FILENO, "panic: a worker that says a great deal\n", 39);
	if (strcmp(then, "talk") == 0)
		_exit(2);
	if (strcmp(then, "crash") == 0)
		raise(SIGSEGV);
	if (strcmp(then, "exit") == 0)
		_exit(0);
	dprintf(frames, "worker waits\n");
	for (;;)
		pause();
}

static void reap_all(int s)
{
	int before = errno;

	(void)s;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	errno = before;
}

static void ignore_it(int s)
{
	(void)s;
}

static void handle(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(signal, &action, NULL);
}

static void limit(int which, rlim_t soft, rlim_t hard)
{
	struct rlimit both;

	getrlimit(which, &both);
	both.rlim_cur = soft;
	if (may(CAP_SYS_RESOURCE))
		both.rlim_max = hard;
	if (setrlimit(which, &both))
		exit(2);
}

static void become(uid_t real, uid_t effective)
{
	static const gid_t groups[] = { 4, 27, 100 };

	if (setgroups(3, groups) || setresgid(real, effective, effective) || setresuid(real, effective, effective))
		exit(2);
}

/* As an unprivileged caller may be, with nice(1), chrt(1), ionice(1), taskset(1), numactl(8), choom(1) and setarch(8). */
static void be_slow(void)
{
	const struct sched_param none = { 0 };
	unsigned long first = 1;
	cpu_set_t one;
	int score = open("/proc/self/oom_score_adj", O_WRONLY);

	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++) {	/* the first that this process may have */
		CPU_SET(i, &one);
		if (sched_setaffinity(0, sizeof one, &one))
			CPU_ZERO(&one);
	}
	if (setpriority(PRIO_PROCESS, 0, 19) || sched_setscheduler(0, SCHED_IDLE, &none) || syscall(SYS_ioprio_set, 1, 0, 3 << 13) ||
	    prctl(PR_SET_TIMERSLACK, 1000000000UL) || write(score, "900", 3) != 3 || personality(ADDR_NO_RANDOMIZE | UNAME26) < 0)
		exit(2);
	if (syscall(SYS_set_mempolicy, 2, &first, 8 * sizeof first) && errno != ENOSYS && errno != EPERM)
		exit(2);
	close(score);
}

static int prepare(const char *word)
{
	if (strncmp(word, "close", 5) == 0)
		for (const char *digit = word + 5; *digit; digit++)
			close(*digit - '0');
	else if (strcmp(word, "many") == 0)
		for (int fd = 0; fd < 900; fd++)
			dup2(STDIN_FILENO, 100 + fd);
	else if (strcmp(word, "thousands") == 0) {
		limit(RLIMIT_NOFILE, most_files, most_files);
		for (int fd = 3; fd < 2000; fd++)
			if (fcntl(fd, F_GETFD) < 0)
				dup2(STDIN_FILENO, fd);
	} else if (strcmp(word, "no-close-range") == 0)
		no_close_range = 1;
	else if (strcmp(word, "no-fork") == 0)
		no_fork = 1;
	else if (strcmp(word, "no-clone") == 0)
		no_clone = 1;
	else if (strcmp(word, "no-descriptor") == 0)
		limit(RLIMIT_NOFILE, 3, most_files);
	else if (strcmp(word, "few-descriptors") == 0)	/* after close012: enough for the pipe and for nothing else */
		limit(RLIMIT_NOFILE, 5, most_files);
	else if (strcmp(word, "chld-ignored") == 0)
		handle(SIGCHLD, SIG_IGN, 0);
	else if (strcmp(word, "chld-reaped") == 0)
		handle(SIGCHLD, reap_all, 0);
	else if (strcmp(word, "chld-nowait") == 0)
		handle(SIGCHLD, ignore_it, SA_NOCLDWAIT);
	else if (strcmp(word, "handlers") == 0)
		for (int s = 1; s < NSIG; s++)
			handle(s, ignore_it, SA_RESTART);
	else if (strcmp(word, "ignores") == 0)
		for (int s = 1; s < NSIG; s++)
			handle(s, SIG_IGN, 0);
	else if (strcmp(word, "blocked") == 0) {
		sigset_t all;
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
	} else if (strcmp(word, "limits") == 0) {
		limit(RLIMIT_AS, 1ULL << 50, 1ULL << 51);
		limit(RLIMIT_DATA, 1ULL << 50, 1ULL << 51);
		limit(RLIMIT_FSIZE, 1 << 20, 1 << 20);
		limit(RLIMIT_NPROC, 1000, 2000);
		limit(RLIMIT_CPU, 1000, 2000);
		limit(RLIMIT_NOFILE, 100, 20000);
		limit(RLIMIT_STACK, 1 << 20, 100 << 20);
		limit(RLIMIT_CORE, 1 << 20, RLIM_INFINITY);
	} else if (strcmp(word, "environment") == 0) {
		setenv("SSL_CERT_FILE", "/tmp/evil.pem", 1);
		setenv("HTTPS_PROXY", "http://evil.example", 1);
		setenv("GODEBUG", "x509sha1=1", 1);
	} else if (strcmp(word, "sudo") == 0)
		become(1000, 0);
	else if (strcmp(word, "unprivileged") == 0)
		become(1000, 1000);
	else if (strcmp(word, "umask") == 0)
		umask(0);
	else if (strcmp(word, "slow") == 0)
		be_slow();
	else if (strcmp(word, "real-time") == 0) {
		const struct sched_param first = { .sched_priority = 1 };
		if (may(CAP_SYS_NICE) && (sched_setscheduler(0, SCHED_RR, &first) || setpriority(PRIO_PROCESS, 0, -20)))
			exit(2);
	} else if (strcmp(word, "signal-stack") == 0) {
		static char tiny[2048];
		const stack_t stack = { .ss_sp = tiny, .ss_size = sizeof tiny };
		if (sigaltstack(&stack, NULL))
			exit(2);
	} else if (strcmp(word, "locale") == 0) {
		if (!setlocale(LC_ALL, "C.UTF-8"))
			exit(2);
	}
	else
		return 0;
	return 1;
}

/* Signals as this process has them blocked, for comparing. */
static uint64_t blocked(void)
{
	uint64_t set = 0;
	sigset_t now;

	sigprocmask(SIG_SETMASK, NULL, &now);
	for (int s = 1; s < NSIG; s++)
		set |= (uint64_t)(sigismember(&now, s) == 1) << (s - 1);
	return set;
}

static int descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 5000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The worker's own process. */
static pid_t itself(const struct aad_worker *w)
{
	return w->room ? ((struct room *)w->room)->worker : w->pid;
}

static char state(pid_t pid)
{
	char path[32], text[128], *end;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return (end = strrchr(text, ')')) ? end[2] : 0;
}

/* Passes the worker's words on, until they end or it waits; then a stopped one has stopped. */
static void listen_to(const struct aad_worker *w)
{
	char text[65536];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof text - 1 && !memmem(text, n, "worker waits", 12)) {
		if (strcmp(then, "stop") == 0 && memmem(text, n, "worker request", 14) && memrchr(text, '\n', n) == text + n - 1)
			break;
		got = read(w->frames, text + n, sizeof text - 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (write(out, text, n) != (ssize_t)n || (n > 0 && text[n - 1] != '\n'))
		dprintf(out, "\n");
	if (strcmp(then, "talk") == 0) {
		size_t words = 0;
		while ((got = read(w->words, text, sizeof text)) > 0)
			words += (size_t)got;
		dprintf(out, "host heard %s of it, and does not wait\n", words > 1000 && words < 3000 * 39 ? "some" : "too much");
	}
	if (strcmp(then, "stop") == 0) {
		for (int i = 0; i < 5000 && state(itself(w)) != 'T'; i++)
			usleep(1000);
		dprintf(out, "host saw-it %s\n", state(itself(w)) == 'T' ? "stopped" : "otherwise");
	}
}

/* The pid is returned for whoever wants to see the end of it. */
static int host(struct aad_worker *w)
{
	const struct aad_request req = { .phase = AAD_ACCOUNT, .user = "user@contoso.example", .service = "sudo" };
	uint64_t before = blocked();
	int had = descriptors();

	if (aad_worker_start(&req, w)) {
		int cause = errno;
		limit(RLIMIT_NOFILE, most_files, most_files);	/* the sanitizers need some */
		dprintf(out, "host failed %s\nhost mask %s\nhost descriptors %+d\n", strerror(cause),
		    blocked() == before ? "same" : "changed", descriptors() - had);
		return -1;
	}
	limit(RLIMIT_NOFILE, most_files, most_files);
	dprintf(out, "host mask %s\n", blocked() == before ? "same" : "changed");
	listen_to(w);
	return had;
}

/* With SIGCHLD ignored, waitpid(2) may know that a child is dead an instant before kill(2) does. */
static int gone(pid_t pid)
{
	for (int i = 0; i < 5000; i++) {
		if (kill(pid, 0) && errno == ESRCH)
			return 1;
		usleep(1000);
	}
	return 0;
}

static int attended(void)
{
	struct aad_worker w = { .frames = -1 };
	int had = host(&w);

	if (had < 0)
		return 0;
	pid_t worker = itself(&w);
	aad_worker_end(&w);
	dprintf(out, "host worker %s\n", gone(worker) && gone(w.pid) ? "gone" : "left");
	dprintf(out, "host children %s\n", waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD ? "none" : "left");
	dprintf(out, "host descriptors %+d\n", descriptors() - had);
	return 0;
}

static int signal_of(pid_t pid)
{
	int status = 0;

	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* The host is killed; whoever inherits its children sees what becomes of the worker, and of its guard. */
static int orphaned(void)
{
	struct aad_worker w = { .frames = -1 };
	pid_t middle, of[2];
	int told[2];

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || pipe(told) || (middle = fork()) < 0)
		return 2;
	if (middle == 0) {
		host(&w);
		of[0] = w.pid, of[1] = itself(&w);
		if (write(told[1], of, sizeof of) != sizeof of)
			_exit(2);
		for (;;)
			pause();
	}
	if (read(told[0], of, sizeof of) != sizeof of)
		return 2;
	kill(middle, SIGKILL);
	waitpid(middle, NULL, 0);
	if (of[0] != of[1])
		dprintf(out, "host guard killed-by %d\n", signal_of(of[0]));
	dprintf(out, "host worker killed-by %d\n", signal_of(of[1]));
	return 0;
}

/* What the other threads of a host do: take every lock that there is in the C library, again and again. */
static void *locks(void *number)
{
	for (unsigned i = 0;; i++) {
		char name[32], *copy = strdup("a little memory");
		void *library = dlopen("libm.so.6", RTLD_NOW);

		setlocale(LC_MESSAGES, i % 2 ? "C" : "C.UTF-8");
		snprintf(name, sizeof name, "domain%u", i % 100);
		bindtextdomain(name, i % 3 ? "/nonexistent" : "/usr/share/locale");
		setenv("HAMMERED", name, 1);
		free(copy);
		if (library)
			dlclose(library);
		if (i % 100 == 0)
			dprintf(open_null, "%s %s\n", (char *)number, strerror((int)(i % 130)));
	}
	return NULL;
}

/* One worker after another, in a host of many threads. All it prints is how many there were, and what the last one said. */
static int crowded(void)
{
	const struct aad_request req = { .phase = AAD_ACCOUNT, .user = "user@contoso.example", .service = "sudo" };
	static char said[512];
	size_t n = 0;

	open_null = open("/dev/null", O_WRONLY);
	for (int i = 0; i < 4; i++) {
		pthread_t one;
		if (pthread_create(&one, NULL, locks, "a thread"))
			return 2;
	}
	for (int i = 0; i < 50; i++) {
		struct aad_worker w;
		if (aad_worker_start(&req, &w))
			return 2;
		n = 0;
		for (ssize_t got; (got = read(w.frames, said + n, sizeof said - 1 - n)) > 0;)
			n += (size_t)got;
		aad_worker_end(&w);
	}
	said[n] = 0;
	const char *result = *said == AAD_ERROR ? said + 3 + (unsigned char)said[1] : said;
	dprintf(out, "host workers 50\nhost heard %s\n", n > 5 ? result + 5 : "nothing");
	return 0;
}

int main(int argc, char **argv)
{
	int orphan = 0, crowd = 0;

	out = fcntl(STDOUT_FILENO, F_DUPFD, 60);	/* without O_CLOEXEC: the worker must close it by itself */
	then = argv[argc - 1];
	all_cpus = cpus();
	for (int i = 1; i < argc - 1; i++) {
		if (strcmp(argv[i], "orphan") == 0)
			orphan = 1;
		else if (strcmp(argv[i], "crowd") == 0)
			crowd = 1;
		else if (!prepare(argv[i]))
			return 2;
	}
	return crowd ? crowded() : orphan ? orphaned() : attended();
}
