/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How wide a picture may be.
 *
 *	screen LOCALE COLUMNS
 *
 * The host has that locale, and a terminal of so many columns, or "none".
 */
#include <locale.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "../screen.c"

/*
 * Returns a process without a terminal, or with one of its own, which need not be its standard
 * input.
 */
static pid_t host(const char *columns)
{
	struct winsize size = { .ws_row = 24, .ws_col = (unsigned short)atoi(columns) };
	int master;
	pid_t pid = strcmp(columns, "none") == 0 ? fork() : forkpty(&master, NULL, NULL, &size);

	if (pid == 0)
		setsid();	/* fails for the leader of a session, which has its terminal */
	return pid;
}

int main(int argc, char **argv)
{
	int out = dup(STDOUT_FILENO), status;
	pid_t pid = argc == 3 ? host(argv[2]) : -1;

	if (pid == 0) {
		int fds = open("/dev/null", O_RDWR);
		int next;

		dup2(fds, STDIN_FILENO);
		dup2(fds, STDERR_FILENO);
		if (!setlocale(LC_ALL, argv[1]))
			return 2;
		next = dup(fds);
		dprintf(out, "%d\n", aad_columns());
		if (dup(fds) != next + 1)	/* a descriptor is left open */
			return 3;
		return 0;
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid || status != 0;
}
