// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * A prompt, and whether a person has read it. Many hosts have nobody to show one to, and a conversation that answers by itself: with
 * nothing, with the name, with a password that came by another way. That is no ENTER. Without this, such a host would wait for a
 * browser that nobody opens, and hold one of the account's places in the waiting room meanwhile.
 */
#define _GNU_SOURCE
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>

#include "door.h"

static int is_item(pam_handle_t *h, int which, const char *typed)
{
	const void *value = NULL;

	return *typed && pam_get_item(h, which, &value) == PAM_SUCCESS && value && strcmp(value, typed) == 0;
}

/*
 * With echo, because sshd's password authentication answers every prompt without echo by the password it was given: it would
 * "press ENTER" for a code that nobody has seen. A prompt with echo it refuses at once. What is typed is wiped and thrown away;
 * only that the conversation came back matters, and whether it can have been a person, who may have typed the name by mistake. Sets
 * *at_once for a text that nobody can have typed in that time; just ENTER may have been pressed early.
 */
static int converse(pam_handle_t *h, const char *text, int *at_once)
{
	char *typed = NULL;
	int64_t asked = aad_now();
	int ret = pam_prompt(h, PAM_PROMPT_ECHO_ON, &typed, "%s", text);

	*at_once = typed && *typed && aad_now() - asked < AAD_AT_ONCE;
	if (!typed || (*at_once && is_item(h, PAM_USER, typed)) || is_item(h, PAM_AUTHTOK, typed))
		ret = PAM_CONV_ERR;
	if (typed) {
		explicit_bzero(typed, strlen(typed));
		free(typed);
	}
	return ret == PAM_SUCCESS ? PAM_SUCCESS : PAM_CONV_ERR;
}

/*
 * Some hosts compare a prompt with the item PAM_USER_PROMPT, to know the one for the name, and end by SIGSEGV where they have never
 * set it (saslauthd 2.1.28). So they are lent one for as long as they are asked.
 */
static int lend_user_prompt(pam_handle_t *h, int *lent)
{
	const void *has = NULL;

	*lent = pam_get_item(h, PAM_USER_PROMPT, &has) == PAM_SUCCESS && !has;
	return *lent ? pam_set_item(h, PAM_USER_PROMPT, "login: ") : PAM_SUCCESS;
}

/* Somebody may have typed ahead, and is asked once more; a program has the same answer at once again. */
int aad_ask(pam_handle_t *h, const char *text)
{
	int lent, at_once = 0, ret = lend_user_prompt(h, &lent);

	if (ret == PAM_SUCCESS)
		ret = converse(h, text, &at_once);
	if (ret == PAM_SUCCESS && at_once) {
		ret = converse(h, text, &at_once);
		if (ret == PAM_SUCCESS && at_once)
			ret = PAM_MAXTRIES;
	}
	if (lent)
		pam_set_item(h, PAM_USER_PROMPT, NULL);
	return ret == PAM_SUCCESS || ret == PAM_MAXTRIES ? ret : PAM_CONV_ERR;
}
