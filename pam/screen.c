/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How wide a picture of characters beyond ASCII may be here. sudo, su and login have a terminal and a locale, both of the person's
 * choosing, and all that is taken from either is one number: who sets them to lie spoils a picture that only they see. polkit's
 * helper, cockpit and display managers have no terminal, and a window in a font of its own.
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
