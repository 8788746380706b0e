/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whose a name is, on a host that has it from anywhere.
 *
 *	ours NAME UID...
 *
 * The program is built with the paths of its own store and its own passwd(5). UID is the answer of
 * the host's getpwnam(3): a number, "-" for a name that it does not know, or "broken". For each
 * pair it prints "ours", "not ours" or a PAM return code.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name, *answer;

static int stage_getpwnam_r(const char *who, struct passwd *entry, char *buffer, size_t size,
    struct passwd **found)
{
	*found = NULL;
	if (strcmp(answer, "broken") == 0)
		return EIO;
	if (strcmp(answer, "-") == 0)
		return 0;
	if (size < 5000)	/* a long one, so that the caller asks again */
		return ERANGE;
	memset(buffer, 'x', size);
	*entry = (struct passwd){
		.pw_name = (char *)who,
		.pw_uid = (uid_t)strtoul(answer, NULL, 10),
	};
	*found = entry;
	return 0;
}

#define getpwnam_r stage_getpwnam_r
#include "../ours.c"
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
		int ret;

		name = argv[i];
		answer = argv[i + 1];
		ret = aad_check_user((pam_handle_t *)&handle, &req);
		if (ret == PAM_SUCCESS || ret == PAM_USER_UNKNOWN)
			puts(ret == PAM_SUCCESS ? "ours" : "not ours");
		else
			printf("%d\n", ret);
	}
	return 0;
}
