/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Changes itself, step by step, and looks up an account.
 *
 *	caller LIBRARY STEP[=ARGUMENT]...
 *
 *	ask=NAME   print the uid of the answer, or "-"
 *	ids=R,E,S  set the real, effective and saved uid; -1 leaves one unchanged
 *	comm=NAME  set the name that ps(1) shows
 *	move=PATH  rename the program's own file
 *	fork       continue in a child
 *	chroot=DIR
 *	hide-proc  cover /proc, in a mount namespace of its own
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum nss_status lookup(const char *, struct passwd *, char *, size_t, int *);

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(2);
}

static void ask(lookup *getpwnam, const char *name)
{
	static char buf[4096];
	struct passwd p;
	int error;

	if (getpwnam(name, &p, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS)
		printf("%u\n", p.pw_uid);
	else
		puts("-");
	fflush(stdout);
}

static void ids(const char *arg)
{
	int real, effective, saved;

	must(sscanf(arg, "%d,%d,%d", &real, &effective, &saved) == 3, arg);
	must(setresuid((uid_t)real, (uid_t)effective, (uid_t)saved) == 0, "setresuid");
}

static void move(const char *to)
{
	char from[4096] = "";

	must(readlink("/proc/self/exe", from, sizeof from - 1) > 0, "/proc/self/exe");
	must(rename(from, to) == 0, to);
}

static void go_on_in_child(void)
{
	int status;
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid == 0)
		return;
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
}

static void hide_proc(void)
{
	must(unshare(CLONE_NEWNS) == 0, "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "/");
	must(mount("none", "/proc", "tmpfs", 0, NULL) == 0, "/proc");
}

int main(int argc, char **argv)
{
	void *library = dlopen(argv[1], RTLD_NOW);
	lookup *getpwnam = library == NULL ? NULL : (lookup *)dlsym(library, "_nss_aad_getpwnam_r");

	must(getpwnam != NULL, argv[1]);
	for (int i = 2; i < argc; i++) {
		char *step = argv[i], *arg = strchr(step, '=');

		if (arg != NULL)
			*arg++ = '\0';
		if (strcmp(step, "ask") == 0)
			ask(getpwnam, arg);
		else if (strcmp(step, "ids") == 0)
			ids(arg);
		else if (strcmp(step, "comm") == 0)
			must(prctl(PR_SET_NAME, arg) == 0, "prctl");
		else if (strcmp(step, "move") == 0)
			move(arg);
		else if (strcmp(step, "fork") == 0)
			go_on_in_child();
		else if (strcmp(step, "chroot") == 0)
			must(chroot(arg) == 0 && chdir("/") == 0, arg);
		else if (strcmp(step, "hide-proc") == 0)
			hide_proc();
		else
			return 2;
	}
	return 0;
}
