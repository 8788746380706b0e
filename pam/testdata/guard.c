/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What hosts see of a worker. Each host looks after its children in another way, and has one of its
 * own.
 *
 *	guard HOST... WORKER
 *
 * Each HOST word is something that a host does about children; WORKER is what the worker does.
 * Prints how many signals, and how many ends of other children than its own, the host has seen by
 * its own ways, and what is left. guard_test.go reads it.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

static int no_clone;

#define clone(...) (no_clone ? (errno = EINVAL, -1) : clone(__VA_ARGS__))
#include "../guard.c"
#undef clone

static const char *then;
static pid_t own;
static int own_lives[2], frames[2];
static int signals, ends;	/* seen by the host, and not of its own child */
static int descriptor = -1, waits;
static pthread_t loop;

static int server = -1;	/* a file server (FUSE), which answers once and then never again */
static char files[] = "/tmp/aad-silent-XXXXXX";

static void no_server(void)
{
	puts("no FUSE");
	exit(0);
}

static void serve(void)
{
	char options[100], asked[1 << 17];
	struct {
		uint32_t len, error;
		uint64_t unique;
		uint32_t major, minor, readahead, flags, limits, most, rest[10];
	} answer;

	if ((server = open("/dev/fuse", O_RDWR)) < 0 || !mkdtemp(files))
		no_server();
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", server);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("silent", files, "fuse", 0, options)) {
		rmdir(files);
		no_server();
	}
	if (read(server, asked, sizeof asked) < 16)
		exit(2);
	memset(&answer, 0, sizeof answer);
	answer.len = sizeof answer;
	memcpy(&answer.unique, asked + 8, sizeof answer.unique);
	answer.major = 7, answer.minor = 31, answer.most = 4096;
	if (write(server, &answer, sizeof answer) != sizeof answer)
		exit(2);
}

/* The worker waits for the server, which has the question. From now on nobody can kill it. */
static void asked(void)
{
	char question[1 << 17];

	if (read(server, question, sizeof question) < 40)
		exit(2);
}

static void life(const void *with, pid_t parent)
{
	struct stat st;
	char path[100];

	(void)with;
	if (getppid() != parent)
		_exit(3);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		_exit(3);
	close(frames[0]);
	if (write(frames[1], "x", 1) != 1)
		_exit(3);
	if (strcmp(then, "exits") == 0)
		_exit(0);
	if (strcmp(then, "crashes") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(then, "stops") == 0)
		kill(getpid(), SIGSTOP);
	if (strcmp(then, "hangs") == 0) {
		close(server);
		strcat(strcpy(path, files), "/x");
		stat(path, &st);
	}
	for (;;)
		pause();
}

static void count(int s, siginfo_t *info, void *context)
{
	(void)s, (void)context;
	if (info->si_pid == own)
		return;
	signals++;
	/*
	 * A server with one child after another waits for "the child" in the handler; here it does
	 * so without waiting for ever.
	 */
	if (waits && waitpid(-1, NULL, WNOHANG) > 0)
		ends++;
}

static void handle(int flags)
{
	struct sigaction action = { .sa_sigaction = count, .sa_flags = SA_SIGINFO | flags };

	sigaction(SIGCHLD, &action, NULL);
}

/* Until its own child has ended, which ends the loop. So nothing is counted too late. */
static void *wait_for_all(void *none)
{
	for (pid_t pid; (pid = wait4(-1, NULL, 0, NULL)) != own && pid > 0;)
		ends++;
	return none;
}

static void *idle(void *none)
{
	for (;;)
		pause();
	return none;
}

static void prepare(const char *word)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (strcmp(word, "ignores") == 0)
		signal(SIGCHLD, SIG_IGN);
	else if (strcmp(word, "default") == 0)
		signal(SIGCHLD, SIG_DFL);
	else if (strcmp(word, "handles") == 0)
		handle(SA_RESTART);
	else if (strcmp(word, "reaps") == 0)
		waits = 1, handle(0);
	else if (strcmp(word, "never-waits") == 0)
		handle(SA_NOCLDWAIT);
	else if (strcmp(word, "signalfd") == 0) {
		sigprocmask(SIG_BLOCK, &child, NULL);
		descriptor = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
	} else if (strcmp(word, "loops") == 0)
		pthread_create(&loop, NULL, wait_for_all, NULL);
	else if (strcmp(word, "threads") == 0)
		for (int i = 0; i < 20; i++)
			pthread_create(&(pthread_t){ 0 }, NULL, idle, NULL);
	else if (strcmp(word, "no-clone") == 0)
		no_clone = 1;
	else
		exit(2);
}

static void have_a_child(void)
{
	char end;

	if (pipe(own_lives) || (own = fork()) < 0)
		exit(2);
	if (own == 0) {
		close(own_lives[1]);
		_exit((int)read(own_lives[0], &end, 1));
	}
}

/* 1 once the process is dead and reaped. A killed process of somebody else may take a moment. */
static int gone(pid_t pid)
{
	for (int i = 0; i < 5000; i++) {
		if (kill(pid, 0) && errno == ESRCH)
			return 1;
		usleep(1000);
	}
	return 0;
}

static void look(void)
{
	struct signalfd_siginfo info;
	int listed = 0;

	while (descriptor >= 0 && read(descriptor, &info, sizeof info) == sizeof info)
		signals += (pid_t)info.ssi_pid != own;
	close(own_lives[1]);
	if (loop)
		pthread_join(loop, NULL);
	else
		listed = waitpid(own, NULL, 0) == own;
	printf("signals %d\nends %d\nown child %s\n", signals, ends,
	    loop ? "waited for" : listed ? "there" : "gone");
}

int main(int argc, char **argv)
{
	struct aad_worker w;
	sigset_t all, before;
	char byte;
	pid_t worker;

	then = argv[argc - 1];
	have_a_child();
	for (int i = 1; i < argc - 1; i++)
		prepare(argv[i]);
	if (pipe(frames))
		return 2;
	if (strcmp(then, "hangs") == 0)
		serve();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (aad_fork_worker(&w, life, NULL))
		return 2;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(frames[1]);
	if (read(frames[0], &byte, 1) != 1)
		return 2;
	worker = w.guard ? ((struct guard *)w.guard)->worker : w.pid;
	/* So that it has ended before the host looks. */
	if (strcmp(then, "exits") == 0 || strcmp(then, "crashes") == 0)
		(void)!read(frames[0], &byte, 1);
	if (server >= 0) {
		asked();
		aad_kill_worker(&w);
		printf("worker %s\n", kill(worker, 0) ? "gone" : "left");
		close(server);
		umount(files);
		rmdir(files);
		return 0;
	}
	aad_kill_worker(&w);
	printf("worker %s\nguard %s\n", gone(worker) ? "gone" : "left",
	    !w.guard ? "none" : gone(w.pid) ? "gone" : "left");
	look();
	printf("children %s\n",
	    waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD ? "none" : "left");
	return 0;
}
