/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* For child.c: what a worker finds in its own process, one line for each attribute. */
static void report_descriptors(int to)
{
	char path[32], target[PATH_MAX];
	const char *what;
	struct stat st;

	for (int fd = 0; fd < 5000; fd++) {
		ssize_t n;

		if (fstat(fd, &st))
			continue;
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof target - 1);
		target[n > 0 ? n : 0] = 0;
		what = S_ISFIFO(st.st_mode) ? "pipe" : S_ISSOCK(st.st_mode) ? "socket" : target;
		dprintf(to, "worker fd%d %s\n", fd, what);
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

/*
 * 1 if this process has the capability. Root in a container may have no more than the container's
 * limits and processor time.
 */
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
	else if (limit.rlim_cur == RLIM_INFINITY ||
	    (which != RLIMIT_CORE && which != RLIMIT_NOFILE && limit.rlim_max != RLIM_INFINITY &&
		!may(CAP_SYS_RESOURCE)))
		dprintf(to, "worker %s unlimited\n", name);
	else
		dprintf(to, "worker %s %llu %llu\n", name, (unsigned long long)limit.rlim_cur,
		    (unsigned long long)limit.rlim_max);
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

/* The usual class is none, or the one that the kernel uses for none. */
static const char *disk(void)
{
	long priority = syscall(SYS_ioprio_get, 1, 0);

	return priority == 0 || priority == (2 << 13 | 4) ? "usual" : "of the host";
}

static void report_pace(int to)
{
	int policy = 0;	/* stays 0 if the kernel has one node only */
	stack_t stack;

	syscall(SYS_get_mempolicy, &policy, NULL, 0, NULL, 0);
	sigaltstack(NULL, &stack);
	dprintf(to, "worker policy %d\nworker nice %d\nworker disk %s\n",
	    may(CAP_SYS_NICE) ? sched_getscheduler(0) : 0,
	    may(CAP_SYS_NICE) ? getpriority(PRIO_PROCESS, 0) : 0, disk());
	dprintf(to, "worker processors %s\n", cpus() == all_cpus ? "all" : "of the host");
	dprintf(to, "worker slack %d\n", prctl(PR_GET_TIMERSLACK));
	dprintf(to, "worker oom %d\n", oom_score());
	dprintf(to, "worker memory %d\n", policy);
	dprintf(to, "worker personality %x\n", personality(0xffffffff));
	dprintf(to, "worker stack-for-signals %s\n",
	    stack.ss_flags & SS_DISABLE ? "none" : "of the host");
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
