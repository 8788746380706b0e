/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Computes the width for a picture of characters beyond ASCII. sudo, su and login have a terminal
 * and a locale, which the person chooses. Only one number is taken from them: a person who sets
 * them to lie spoils a picture that only they see. The helper of polkit, cockpit and display
 * managers have no terminal, but a window with a font of their own.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "door.h"

uint16_t aad_columns(void)
{
	struct winsize size = { 0 };
	int terminal, unknown;

	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		return 0;
	terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (terminal < 0)
		return 0;
	unknown = ioctl(terminal, TIOCGWINSZ, &size) || size.ws_col == 0;	/* a serial line */
	close(terminal);
	return unknown ? AAD_COLUMNS : size.ws_col;
}
