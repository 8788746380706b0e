/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a session writes below /run, and what is left when it ends, with a /run of its own. The
 * arguments say how the host was started; session_test.go has them.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../session.c"

enum { ACCOUNT = 1879048999 };

static int said(char **argv, const char *word)
{
	while (*++argv)
		if (strcmp(*argv, word) == 0)
			return 1;
	return 0;
}

static void log_in(const char *uid)
{
	int fd = open("/proc/self/loginuid", O_WRONLY);

	if (fd < 0 || write(fd, uid, strlen(uid)) < 0)
		perror("loginuid");
	close(fd);
}

static void show_note(const char *when, const char *path, const char *name)
{
	char text[512], id[16], boot[64], expected[512];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	struct stat st;

	text[n] = 0;
	first_line("/proc/self/sessionid", id, sizeof id);
	first_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
	snprintf(expected, sizeof expected, "%s %d %u 192.0.2.7\n", boot, getpid(), ACCOUNT);
	printf("%s %s %s", when, strcmp(name, id) == 0 ? "own" : "other",
	    strcmp(text, expected) == 0 ? "note" : "garbage");
	printf(" %o\n", !stat(path, &st) ? st.st_mode & 0777 : 0);
	if (f)
		fclose(f);
}

static void show(const char *when)
{
	DIR *d = opendir(AAD_SESSIONS);
	char path[512];
	int none = 1;

	for (struct dirent *e; d && (e = readdir(d));) {
		if (*e->d_name == '.')
			continue;
		snprintf(path, sizeof path, AAD_SESSIONS "/%s", e->d_name);
		show_note(when, path, e->d_name);
		none = 0;
	}
	if (d)
		closedir(d);
	if (none)
		printf("%s nothing\n", when);
}

static const char *address(char **argv)
{
	static char endless[5000];

	memset(endless, '1', sizeof endless - 1);
	return said(argv, "no-address")   ? NULL :
	    said(argv, "empty-address")   ? "" :
	    said(argv, "endless-address") ? endless :
					    "192.0.2.7";
}

/* Continues in a process of its own, and waits for it. */
static int in_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid)
		exit(waitpid(pid, &status, 0) != pid || status != 0);
	return 0;
}

int main(int argc, char **argv)
{
	struct aad_request req = {
		.known = !said(argv, "unknown"),
		.uid = ACCOUNT + said(argv, "other-account"),
	};
	const char *rhost = address(argv);
	char path[64], id[16];

	(void)argc;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("run", "/run", "tmpfs", 0, NULL))
		return 1;
	if (mkdir("/run/aad-login", 0700) ||
	    (!said(argv, "switched-off") && mkdir(AAD_SESSIONS, 0700)))
		return 1;
	umask(0);
	log_in(unset);
	in_child();
	if (!said(argv, "no-loginuid"))
		log_in("1879048999");
	first_line("/proc/self/sessionid", id, sizeof id);
	snprintf(path, sizeof path, AAD_SESSIONS "/%s", id);
	if (said(argv, "stale") && close(open(path, O_CREAT | O_WRONLY, 0600)))
		return 1;
	if (said(argv, "link") && symlink("/run/target", path))
		return 1;
	if (said(argv, "inside"))	/* a session that began before this process */
		in_child();
	aad_session_begins(&req, rhost);
	show("begun");
	aad_session_ends(&req, NULL);	/* su inside the session, which it leaves alone */
	show("su-ended");
	aad_session_ends(&req, rhost);
	show("ended");
	if (access("/run/target", F_OK) == 0)
		puts("followed the link");
	return 0;
}
