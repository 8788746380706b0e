/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Handles a signal that ends the host while a prompt, or the module, waits: the client hung up,
 * LoginGraceTime of sshd is over, Ctrl-C at su. sshd and su do not catch the signal, so no code of
 * this module would run again, and the attempt would have no line in the log. So signals that would
 * end the host are caught meanwhile: the handler sends the line, and then the host ends by the
 * signal. A host that catches or ignores a signal itself keeps doing so, and returns with a failed
 * conversation. If its handler exits, as that of login does at its time-out, nothing can write a
 * line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <paths.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "door.h"

const int aad_deadly[AAD_DEADLY] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM };

/*
 * Written before the signals are caught, and read by the handler. Of two attempts in one process
 * the later one has it.
 */
static char last_line[AAD_FRAME_MAX + 512];

/* The handler may not call syslog(3): the signal may have interrupted it. */
static void say_and_die(int signal)
{
	const struct sockaddr_un log = { .sun_family = AF_UNIX, .sun_path = _PATH_LOG };
	struct sigaction dies = { .sa_handler = SIG_DFL };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&log, sizeof log) == 0)
		(void)!send(fd, last_line, strlen(last_line), MSG_NOSIGNAL | MSG_DONTWAIT);
	sigaction(signal, &dies, NULL);
	raise(signal);	/* takes effect when this handler returns */
}

void aad_catch_signals(const struct aad_request *req, struct sigaction before[AAD_DEADLY])
{
	struct sigaction caught = { .sa_handler = say_and_die };
	struct aad_end end;

	aad_failed(&end, req, PAM_CONV_ERR, LOG_NOTICE, "interrupted", NULL);
	/* The format of pam_syslog(3). The daemon adds the time. */
	snprintf(last_line, sizeof last_line, "<%d>%.99s[%d]: pam_aad(%.99s:%s): %s",
	    LOG_AUTHPRIV | LOG_NOTICE, program_invocation_short_name, (int)getpid(),
	    req->service ? req->service : "", req->phase == AAD_ACCOUNT ? "account" : "auth",
	    end.line);
	sigfillset(&caught.sa_mask);
	for (int i = 0; i < AAD_DEADLY; i++)
		if (sigaction(aad_deadly[i], NULL, &before[i]) == 0 &&
		    before[i].sa_handler == SIG_DFL)
			sigaction(aad_deadly[i], &caught, NULL);
}

void aad_restore_signals(const struct sigaction before[AAD_DEADLY])
{
	struct sigaction now;

	/*
	 * A signal that the conversation has changed for good stays changed. One that another
	 * thread had caught before is for that thread to restore, or it could stay caught for good.
	 */
	for (int i = 0; i < AAD_DEADLY; i++)
		if (before[i].sa_handler == SIG_DFL && sigaction(aad_deadly[i], NULL, &now) == 0 &&
		    now.sa_handler == say_and_die)
			sigaction(aad_deadly[i], &before[i], NULL);
}
