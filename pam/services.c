// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/* Which program is the host? */
#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "door.h"

/* Under whatever name it calls PAM: PAMServiceName, or the name it was started by (before OpenSSH 9.8). */
int aad_in_sshd(void)
{
	char path[256];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	path[n > 0 ? n : 0] = 0;
	return strncmp(basename(path), "sshd", 4) == 0;
}
