/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whose a name is, on a host that has it from anywhere.
 *
 *	ours NAME UID...
 *
 * The program is built with the paths of its own store and its own passwd(5). UID is the answer of
 * the host's getpwnam(3): a number, "-" for a name that it does not know, or "broken"; or "later"
 * for a host that has no name yet. For each pair it prints "ours", "not ours" or a PAM return code.
 * It also asks aad_check_again, and says if that should not have looked the name up, or should
 * have.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name, *answer;
static int lookups;

static int stage_getpwnam_r(const char *who, struct passwd *entry, char *buffer, size_t size,
    struct passwd **found)
{
	lookups++;
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
	if (strcmp(answer, "later") == 0)
		return PAM_CONV_AGAIN;
	*user = name;
	return PAM_SUCCESS;
}

int pam_get_item(const pam_handle_t *h, int which, const void **item)
{
	(void)h;
	*item = which == PAM_USER ? name : NULL;
	return PAM_SUCCESS;
}

/* The data of the handle. */
static struct {
	char key[64];
	void *value;
	void (*end)(pam_handle_t *, void *, int);
} data;

static void end_data(pam_handle_t *h)
{
	if (data.end)
		data.end(h, data.value, 0);
	data.end = NULL;
	data.value = NULL;
}

int pam_set_data(pam_handle_t *h, const char *key, void *value,
    void (*end)(pam_handle_t *, void *, int))
{
	end_data(h);
	snprintf(data.key, sizeof data.key, "%s", key);
	data.value = value;
	data.end = end;
	return PAM_SUCCESS;
}

int pam_get_data(const pam_handle_t *h, const char *key, const void **value)
{
	(void)h;
	if (!data.end || strcmp(key, data.key) != 0)
		return PAM_NO_MODULE_DATA;
	*value = data.value;
	return PAM_SUCCESS;
}

/* Asks once more, and says if that has looked the name up and should not have, or the reverse. */
static void check_again(pam_handle_t *h, int first, int looks_up)
{
	struct aad_request req = { .phase = AAD_ACCOUNT };
	int before = lookups, ret = aad_check_again(h, &req);

	if (ret != first || (lookups > before) != looks_up)
		printf("%s %s: %d before, %d again, after %d lookups\n", name, answer, first, ret,
		    lookups - before);
}

int main(int argc, char **argv)
{
	static char byte;
	pam_handle_t *h = (pam_handle_t *)&byte;

	for (int i = 1; i + 1 < argc; i += 2) {
		struct aad_request req = { .phase = AAD_ACCOUNT };
		int ret;

		name = argv[i];
		answer = argv[i + 1];
		ret = aad_check_user(h, &req);
		if (ret == PAM_SUCCESS || ret == PAM_USER_UNKNOWN)
			puts(ret == PAM_SUCCESS ? "ours" : "not ours");
		else
			printf("%d\n", ret);
		if (strcmp(answer, "later") == 0)
			continue;
		check_again(h, ret, ret != PAM_USER_UNKNOWN);
		/* The host has another user now, and then this one again. */
		name = "root";
		answer = "0";
		check_again(h, PAM_USER_UNKNOWN, strcmp(argv[i], name) != 0);
		check_again(h, PAM_USER_UNKNOWN, 0);
		name = argv[i];
		answer = argv[i + 1];
		check_again(h, ret, ret != PAM_USER_UNKNOWN || strcmp(name, "root") != 0);
		/* The same name is root's first, and then what it was before. */
		answer = "0";
		aad_check_user(h, &req);
		answer = argv[i + 1];
		aad_check_user(h, &req);
		check_again(h, ret, ret != PAM_USER_UNKNOWN);
		end_data(h);
	}
	return 0;
}
