// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * A PAM application that says what libpam and its modules have changed of it. Usage:
 *
 *	host [WORD...] SERVICE USER PHASE...
 *
 * Each WORD makes it an unusual host; PHASE is authenticate, acct_mgmt, setcred, open_session or close_session. Messages
 * and prompts go to standard output, answers come from standard input. It prints "result PHASE N" (a PAM return code) and, at
 * the end, "- LINE" and "+ LINE" for what it had before and has after, then "end".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <syslog.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char *confdir;
static int times = 1, crowd, in_thread;

/* What this process has, as lines. */
struct snapshot { char **line; size_t n; };

static void __attribute__((format(printf, 2, 3))) add(struct snapshot *s, const char *format, ...)
{
	va_list args;
	char **more = realloc(s->line, (s->n + 1) * sizeof *s->line);

	if (!more)
		exit(3);
	s->line = more;
	va_start(args, format);
	if (vasprintf(&s->line[s->n++], format, args) < 0)
		exit(3);
	va_end(args);
}

/* The lines of a file of /proc/self for which keep says so. */
static void add_file(struct snapshot *s, const char *name, int (*keep)(const char *))
{
	char path[64], line[4096];

	snprintf(path, sizeof path, "/proc/self/%s", name);
	FILE *f = fopen(path, "re");
	if (!f)
		exit(3);
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		if (!keep || keep(line))
			add(s, "%s: %s", name, line);
	}
	fclose(f);
}

static int steady(const char *line)
{
	static const char *const keys[] = { "Umask:", "Tgid:", "PPid:", "TracerPid:", "Uid:", "Gid:", "Groups:", "Kthread:", "Threads:",
	    "SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:",
	    "NoNewPrivs:", "Seccomp:", "Seccomp_filters:", "Cpus_allowed:" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strncmp(line, keys[i], strlen(keys[i])) == 0)
			return 1;
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Which files are mapped, with what rights; and memory that is both nobody's file and executable. */
static void add_mappings(struct snapshot *s)
{
	char line[4096], rights[5], path[PATH_MAX];
	FILE *f = fopen("/proc/self/maps", "re");
	struct snapshot all = { 0 };

	if (!f)
		exit(3);
	while (fgets(line, sizeof line, f)) {
		path[0] = 0;
		sscanf(line, "%*s %4s %*s %*s %*s %4095s", rights, path);
		if (path[0] == '/' || (path[0] != '[' && strchr(rights, 'x')))
			add(&all, "mapped: %s %s", rights, path);
	}
	fclose(f);
	qsort(all.line, all.n, sizeof *all.line, by_text);
	for (size_t i = 0; i < all.n; i++) {
		if (i == 0 || strcmp(all.line[i], all.line[i - 1]))
			add(s, "%s", all.line[i]);
	}
	for (size_t i = 0; i < all.n; i++)
		free(all.line[i]);
	free(all.line);
}

static void add_descriptors(struct snapshot *s)
{
	DIR *d = opendir("/proc/self/fd");
	char target[PATH_MAX];

	for (struct dirent *e; (e = readdir(d));) {
		int fd = atoi(e->d_name);
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof target - 1);
		if (n < 0 || fd == dirfd(d))
			continue;
		target[n] = 0;
		add(s, "descriptor %d: %s %x %x", fd, target, fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
	}
	closedir(d);
}

static void add_signals(struct snapshot *s)
{
	for (int i = 1; i < NSIG; i++) {
		struct sigaction a;
		uint64_t mask = 0;	/* glibc sets SA_RESTORER, which has no name for us, whenever it sets anything */
		if (sigaction(i, NULL, &a))
			continue;
		for (int k = 1; k < NSIG; k++)
			mask |= (uint64_t)(sigismember(&a.sa_mask, k) == 1) << (k - 1);
		add(s, "signal %d: %p %x %llx", i, (void *)(uintptr_t)a.sa_handler, (unsigned)a.sa_flags & ~0x04000000U, (unsigned long long)mask);
	}
}

static void add_timers(struct snapshot *s)
{
	static const int all[] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
	struct itimerval t;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (getitimer(all[i], &t) == 0)
			add(s, "timer %zu: every %ld, %s", i, (long)t.it_interval.tv_sec,
			    t.it_value.tv_sec || t.it_value.tv_usec ? "runs" : "off");
}

static void add_attributes(struct snapshot *s)
{
	char cwd[PATH_MAX];
	struct termios tty;
	int death = 0, reaper = 0;

	prctl(PR_GET_PDEATHSIG, &death);
	prctl(PR_GET_CHILD_SUBREAPER, &reaper);
	add(s, "cwd: %s", getcwd(cwd, sizeof cwd) ? cwd : "none");
	add(s, "nice: %d, io %ld, policy %d", getpriority(PRIO_PROCESS, 0), syscall(SYS_ioprio_get, 1, 0), sched_getscheduler(0));
	add(s, "personality: %x", personality(0xffffffff));
	add(s, "prctl: death %d, reaper %d, dumpable %d, keepcaps %d, slack %d, securebits %d", death, reaper,
	    prctl(PR_GET_DUMPABLE), prctl(PR_GET_KEEPCAPS), prctl(PR_GET_TIMERSLACK), prctl(PR_GET_SECUREBITS));
	add(s, "session: %d, group %d, foreground %d", getsid(0), getpgid(0), tcgetpgrp(STDIN_FILENO));
	if (tcgetattr(STDIN_FILENO, &tty) == 0)
		add(s, "terminal: %x %x %x %x", tty.c_iflag, tty.c_oflag, tty.c_cflag, tty.c_lflag);
	add(s, "locale: %s", setlocale(LC_ALL, NULL));
	add(s, "children: %s", waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? "none" : "some");
	for (char **e = environ; *e; e++)
		add(s, "environment: %s", *e);
}

static struct snapshot take(void)
{
	struct snapshot s = { 0 };

	add_file(&s, "limits", NULL);
	add_file(&s, "status", steady);
	add_file(&s, "oom_score_adj", NULL);
	add_mappings(&s);
	add_descriptors(&s);
	add_signals(&s);
	add_timers(&s);
	add_attributes(&s);
	return s;
}

static int has(const struct snapshot *s, const char *line)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->line[i], line) == 0)
			return 1;
	return 0;
}

static void compare(const struct snapshot *before, const struct snapshot *after)
{
	if (before->n < 100)
		printf("- a snapshot\n");
	for (size_t i = 0; i < before->n; i++)
		if (!has(after, before->line[i]))
			printf("- %s\n", before->line[i]);
	for (size_t i = 0; i < after->n; i++)
		if (!has(before, after->line[i]))
			printf("+ %s\n", after->line[i]);
}

static int answer(struct pam_response *to)
{
	char line[512];
	size_t n = 0;
	ssize_t got = 0;

	fflush(stdout);
	while (n < sizeof line - 1) {
		got = read(STDIN_FILENO, line + n, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || line[n] == '\n')
			break;
		n++;
	}
	line[n] = 0;
	to->resp = strdup(line);
	return got > 0 && to->resp ? PAM_SUCCESS : PAM_CONV_ERR;
}

static int converse(int n, const struct pam_message **in, struct pam_response **out, void *unused)
{
	struct pam_response *all = calloc((size_t)n, sizeof *all);
	int ret = all ? PAM_SUCCESS : PAM_BUF_ERR;

	(void)unused;
	for (int i = 0; i < n && ret == PAM_SUCCESS; i++) {
		printf("%s\n", in[i]->msg);
		if (in[i]->msg_style == PAM_PROMPT_ECHO_ON || in[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			ret = answer(&all[i]);
	}
	if (ret == PAM_SUCCESS)
		return *out = all, ret;
	for (int i = 0; all && i < n; i++)
		free(all[i].resp);
	free(all);
	return ret;
}

/* The delay after a failure is libpam's, and of no interest here. */
static void no_delay(int failed, unsigned microseconds, void *unused)
{
	(void)failed, (void)microseconds, (void)unused;
}

static int phase(pam_handle_t *h, const char *name)
{
	if (strcmp(name, "authenticate") == 0)
		return pam_authenticate(h, 0);
	if (strcmp(name, "acct_mgmt") == 0)
		return pam_acct_mgmt(h, 0);
	if (strcmp(name, "setcred") == 0)
		return pam_setcred(h, PAM_ESTABLISH_CRED);
	if (strcmp(name, "open_session") == 0)
		return pam_open_session(h, 0);
	if (strcmp(name, "close_session") == 0)
		return pam_close_session(h, 0);
	exit(3);
}

/* argv: SERVICE USER PHASE... */
static void transaction(char **argv)
{
	static const struct pam_conv conversation = { converse, NULL };
	pam_handle_t *h;
	int ret = pam_start_confdir(argv[0], argv[1], &conversation, confdir, &h);
	union { const void *item; void (*f)(int, unsigned, void *); } delay = { .f = no_delay };

	if (ret != PAM_SUCCESS)
		exit(3);
	pam_set_item(h, PAM_FAIL_DELAY, delay.item);
	for (char **name = argv + 2; *name; name++) {
		ret = phase(h, *name);
		printf("result %s %d\n", *name, ret);
		if (ret != PAM_SUCCESS)
			break;
	}
	pam_end(h, ret);
}

static void *transactions(void *argv)
{
	for (int i = 0; i < times; i++)
		transaction(argv);
	return NULL;
}

/* What the other threads of a host do: take every lock of the C library, again and again. */
static void *hammer(void *unused)
{
	(void)unused;
	for (unsigned i = 0;; i++) {
		char name[32], buffer[1024], *copy = strdup("a little memory");
		void *library = dlopen("libm.so.6", RTLD_NOW);
		struct passwd entry, *found;
		struct tm tm;
		time_t now = time(NULL);

		snprintf(name, sizeof name, "domain%u", i % 100);
		bindtextdomain(name, i % 2 ? "/nonexistent" : "/usr/share/locale");
		setlocale(LC_MESSAGES, i % 2 ? "C" : "C.UTF-8");
		setenv("HAMMERED", name, 1);
		localtime_r(&now, &tm);
		strerror((int)(i % 130));
		getpwnam_r(i % 2 ? "root" : "user@contoso.example", &entry, buffer, sizeof buffer, &found);
		if (i % 64 == 0)
			syslog(LOG_DEBUG, "a thread");
		if (library)
			dlclose(library);
		free(copy);
	}
	return NULL;
}

static void handler(int s)
{
	(void)s;
}

/* A host like no other: each thing that can be set, set to what is not usual. */
static void be_odd(void)
{
	const struct itimerval hour = { { 3600, 0 }, { 3600, 0 } };
	struct sigaction a = { .sa_handler = handler, .sa_flags = SA_RESTART };
	sigset_t some;

	sigfillset(&a.sa_mask);
	for (int s = 1; s < NSIG; s++)
		if (s != SIGTERM && s != SIGCHLD && s != SIGPIPE && s != SIGTTOU)
			sigaction(s, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	sigaddset(&some, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &some, NULL);
	setitimer(ITIMER_REAL, &hour, NULL);
	umask(0137);
	errno = 0;
	if ((nice(3) < 0 && errno) || prctl(PR_SET_TIMERSLACK, 12345) || chdir("/usr/share") || !setlocale(LC_ALL, "C.UTF-8"))
		exit(3);
	setenv("SSL_CERT_FILE", "/tmp/mine", 1);
}

/* 0: this is no such word, but a service. */
static int word(const char *w)
{
	if (strcmp(w, "odd") == 0)
		be_odd();
	else if (strcmp(w, "crowd") == 0)
		crowd = 4;
	else if (strcmp(w, "thread") == 0)
		in_thread = 1;
	else if (strcmp(w, "chld-ignored") == 0)
		signal(SIGCHLD, SIG_IGN);
	else if (strncmp(w, "umask=", 6) == 0)
		umask((mode_t)strtol(w + 6, NULL, 8));
	else if (strncmp(w, "real=", 5) == 0) {	/* like a program that is setuid root */
		if (setresuid((uid_t)atoi(w + 5), 0, 0))
			exit(3);
	} else if (strncmp(w, "close=", 6) == 0)
		close(atoi(w + 6));
	else if (strncmp(w, "times=", 6) == 0)
		times = atoi(w + 6);
	else if (strncmp(w, "confdir=", 8) == 0)
		confdir = w + 8;
	else
		return 0;
	return 1;
}

/* From a thread with little room, as daemons have it. */
static void from_a_thread(char **argv)
{
	pthread_attr_t small;
	pthread_t one;

	pthread_attr_init(&small);
	if (pthread_attr_setstacksize(&small, 128 << 10) || pthread_create(&one, &small, transactions, argv) || pthread_join(one, NULL))
		exit(3);
}

int main(int argc, char **argv)
{
	static char *nobody[] = { NULL, "nobody-knows", NULL };
	pthread_t one;

	do
		argv++;
	while (argc > 3 && word(*argv));
	/* What the first use of libpam, of the name service and of the log leaves behind is theirs. */
	nobody[0] = argv[0];
	transaction(nobody);
	getpwnam(argv[1]);
	syslog(LOG_DEBUG, "a host");
	struct snapshot before = take();
	for (int i = 0; i < crowd; i++)
		if (pthread_create(&one, NULL, hammer, NULL))
			exit(3);
	if (in_thread)
		from_a_thread(argv);
	else
		transactions(argv);
	if (!crowd) {
		struct snapshot after = take();
		compare(&before, &after);
	}
	printf("end\n");
	fflush(stdout);
	_exit(0);
}
