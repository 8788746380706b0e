// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Whose a name is, on a host that has it from anywhere. Usage: claim NAME UID..., built with the paths of a store and of a
 * passwd(5) of its own. UID is what the host's getpwnam(3) answers: a number, "-" for a name that it does not know, or "broken".
 * Prints "ours", "not ours" or a PAM return code for each pair.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name, *answer;

static int stage_getpwnam_r(const char *who, struct passwd *entry, char *buffer, size_t size, struct passwd **found)
{
	*found = NULL;
	if (strcmp(answer, "broken") == 0)
		return EIO;
	if (strcmp(answer, "-") == 0)
		return 0;
	if (size < 5000)	/* a long one, so that it is asked for again */
		return ERANGE;
	memset(buffer, 'x', size);
	*entry = (struct passwd){ .pw_name = (char *)who, .pw_uid = (uid_t)strtoul(answer, NULL, 10) };
	*found = entry;
	return 0;
}

#define getpwnam_r stage_getpwnam_r
#include "../claim.c"
#undef getpwnam_r

int pam_get_user(pam_handle_t *h, const char **user, const char *prompt)
{
	(void)h, (void)prompt;
	*user = name;
	return PAM_SUCCESS;
}

int main(int argc, char **argv)
{
	static char handle;

	for (int i = 1; i + 1 < argc; i += 2) {
		struct aad_request req = { .phase = AAD_ACCOUNT };
		name = argv[i];
		answer = argv[i + 1];
		int ret = aad_claim_user((pam_handle_t *)&handle, &req);
		printf(ret == PAM_SUCCESS ? "ours\n" : ret == PAM_USER_UNKNOWN ? "not ours\n" : "%d\n", ret);
	}
	return 0;
}
