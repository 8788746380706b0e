/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A note of a session's origin, for sign_in.reuse_window: "boot-id pid uid rhost\n", in a file with
 * the name of the kernel's audit session id. internal/signin/reusesession.go reads it behind sudo,
 * and says why nothing else would do. The directory exists only where that key is set. Without a
 * note sudo asks for a code, so nothing here is an error.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "door.h"

#define AAD_SESSIONS "/run/aad-login/sessions"

static const char unset[] = "4294967295";

/* Reads the first line of a file of /proc, or "". */
static void first_line(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	if (fd >= 0)
		close(fd);
}

/*
 * Makes the note's path. 1 if this is the process that let the person in: pam_loginuid has just
 * given it an id of its own, with the account's uid. An id that the parent has, too, is older than
 * the session: an sshd that somebody started by hand has one, and so have all who sign in through
 * that sshd.
 */
static int note_path(const struct aad_request *req, const char *rhost, char *path, size_t size)
{
	char id[16], uid[16], parent[32], parents[16];

	if (!rhost || !*rhost || !req->known || geteuid() != 0)
		return 0;
	snprintf(parent, sizeof parent, "/proc/%d/sessionid", getppid());
	first_line("/proc/self/sessionid", id, sizeof id);
	first_line("/proc/self/loginuid", uid, sizeof uid);
	first_line(parent, parents, sizeof parents);
	if (!*id || !*parents || strcmp(id, unset) == 0 || strcmp(id, parents) == 0 ||
	    strtoul(uid, NULL, 10) != req->uid)
		return 0;
	return snprintf(path, size, AAD_SESSIONS "/%s", id) < (int)size;
}

void aad_session_begins(const struct aad_request *req, const char *rhost)
{
	char path[64], boot[64], note[256];
	int fd, n;

	if (!note_path(req, rhost, path, sizeof path))
		return;
	first_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
	n = snprintf(note, sizeof note, "%s %d %u %s\n", boot, getpid(), req->uid, rhost);
	if (n >= (int)sizeof note)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	(void)!write(fd, note, (size_t)n);	/* half a note is no note to the reader */
	close(fd);
}

void aad_session_ends(const struct aad_request *req, const char *rhost)
{
	char path[64];

	if (note_path(req, rhost, path, sizeof path))
		unlink(path);
}
