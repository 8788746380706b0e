/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* For child.c: what a host, or its caller, has done to the process before the worker starts. */
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
	if (soft > both.rlim_max) /* sudo, for one, lowers that of cores */
		both.rlim_cur = both.rlim_max;
	if (setrlimit(which, &both))
		exit(2);
}

static void become(uid_t real, uid_t effective)
{
	static const gid_t groups[] = { 4, 27, 100 };

	if (setgroups(3, groups) || setresgid(real, effective, effective) ||
	    setresuid(real, effective, effective))
		exit(2);
}

/*
 * What an unprivileged caller can do with nice(1), chrt(1), ionice(1), taskset(1), numactl(8),
 * choom(1) and setarch(8).
 */
static void be_slow(void)
{
	const struct sched_param none = { 0 };
	unsigned long first = 1;
	cpu_set_t one;
	int score = open("/proc/self/oom_score_adj", O_WRONLY);

	CPU_ZERO(&one);
	/* The first one that this process may use. */
	for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++) {
		CPU_SET(i, &one);
		if (sched_setaffinity(0, sizeof one, &one))
			CPU_ZERO(&one);
	}
	if (setpriority(PRIO_PROCESS, 0, 19) || sched_setscheduler(0, SCHED_IDLE, &none) ||
	    syscall(SYS_ioprio_set, 1, 0, 3 << 13) || prctl(PR_SET_TIMERSLACK, 1000000000UL) ||
	    write(score, "900", 3) != 3 || personality(ADDR_NO_RANDOMIZE | UNAME26) < 0)
		exit(2);
	if (syscall(SYS_set_mempolicy, 2, &first, 8 * sizeof first) && errno != ENOSYS &&
	    errno != EPERM)
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
	else if (strcmp(word, "few-descriptors") == 0)
		/* After close012 this is enough for the pipe and for nothing else. */
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

		if (may(CAP_SYS_NICE) &&
		    (sched_setscheduler(0, SCHED_RR, &first) || setpriority(PRIO_PROCESS, 0, -20)))
			exit(2);
	} else if (strcmp(word, "signal-stack") == 0) {
		static char tiny[2048];
		const stack_t stack = { .ss_sp = tiny, .ss_size = sizeof tiny };

		if (sigaltstack(&stack, NULL))
			exit(2);
	} else if (strcmp(word, "locale") == 0) {
		if (!setlocale(LC_ALL, "C.UTF-8"))
			exit(2);
	} else
		return 0;
	return 1;
}
