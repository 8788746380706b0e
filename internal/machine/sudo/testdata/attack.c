// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/* What a user may try with a process of their own sudo. Usage: attack PID. Prints "allowed WHAT" for all that works. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void tried(const char *what, long result)
{
	if (result >= 0)
		printf("allowed %s\n", what);
	else if (errno != EPERM && errno != EACCES)
		printf("allowed %s, but for errno %d\n", what, errno);
}

static void open_file(pid_t pid, const char *name, int flags)
{
	char path[64], byte;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	fd = open(path, flags);
	/* Some of them open, and are checked when they are read. */
	tried(name, fd < 0 ? fd : flags == O_RDONLY ? read(fd, &byte, 1) : write(fd, "0", 1));
}

int main(int argc, char **argv)
{
	pid_t pid = argc > 1 ? atoi(argv[1]) : 0;
	struct rlimit limit = { 0, 0 };
	struct sched_param batch = { 0 };
	cpu_set_t cpus;
	char byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)main, 1 };

	if (pid <= 1)
		return 2;
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	tried("signal 0", kill(pid, 0));
	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP && s != SIGTERM && s != SIGHUP)
			tried("a signal", syscall(SYS_tgkill, pid, pid, s));
	tried("SIGKILL", kill(pid, SIGKILL));
	tried("SIGSTOP", kill(pid, SIGSTOP));
	tried("SIGTERM", kill(pid, SIGTERM));
	tried("SIGHUP", kill(pid, SIGHUP));
	tried("ptrace attach", ptrace(PTRACE_ATTACH, pid, NULL, NULL));
	tried("ptrace seize", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	tried("reading memory", process_vm_readv(pid, &local, 1, &remote, 1, 0));
	tried("writing memory", process_vm_writev(pid, &local, 1, &remote, 1, 0));
	tried("its descriptors", syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, pid, 0), 3, 0));
	tried("its limits", prlimit(pid, RLIMIT_CPU, &limit, NULL));
	tried("its priority", setpriority(PRIO_PROCESS, (id_t)pid, 19));
	tried("its scheduler", sched_setscheduler(pid, SCHED_BATCH, &batch));
	tried("its processors", sched_setaffinity(pid, sizeof cpus, &cpus));
	tried("its i/o priority", syscall(SYS_ioprio_set, 1, pid, 3 << 13));
	open_file(pid, "mem", O_RDONLY);
	open_file(pid, "environ", O_RDONLY);
	open_file(pid, "maps", O_RDONLY);
	open_file(pid, "fd/3", O_RDONLY);
	open_file(pid, "fd/3", O_WRONLY);
	open_file(pid, "mem", O_WRONLY);
	open_file(pid, "oom_score_adj", O_WRONLY);
	open_file(pid, "coredump_filter", O_WRONLY);
	open_file(pid, "clear_refs", O_WRONLY);
	printf("tried\n");
	return 0;
}
