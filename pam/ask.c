// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * A prompt or a question, and whether a person has read it. Many hosts have nobody to show one to, and a conversation that answers by itself: with
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
 * Some hosts compare a prompt with the item PAM_USER_PROMPT, to know the one for the name, and end by SIGSEGV where they have never
 * set it (saslauthd 2.1.28). So they are lent one for as long as they are asked.
 */
static int lend_user_prompt(pam_handle_t *h, int *lent)
{
	const void *has = NULL;

	*lent = pam_get_item(h, PAM_USER_PROMPT, &has) == PAM_SUCCESS && !has;
	return *lent ? pam_set_item(h, PAM_USER_PROMPT, "login: ") : PAM_SUCCESS;
}

void aad_wipe(char **typed)
{
	if (*typed) {
		explicit_bzero(*typed, strlen(*typed));
		free(*typed);
		*typed = NULL;
	}
}

/*
 * PAM_SUCCESS with an answer that can have been a person's, who may have typed the name by mistake; PAM_CONV_ERR for a
 * conversation that failed; else PAM_AUTH_ERR. Sets *at_once if it came back sooner than anybody can read.
 */
static int converse(pam_handle_t *h, int style, const char *text, char **typed, int *at_once)
{
	int64_t asked = aad_now();
	int lent, ret = lend_user_prompt(h, &lent);

	if (ret == PAM_SUCCESS)
		ret = pam_prompt(h, style, typed, "%s", text);
	*at_once = aad_now() - asked < AAD_AT_ONCE;
	if (lent)
		pam_set_item(h, PAM_USER_PROMPT, NULL);
	if (ret == PAM_SUCCESS && *typed && !(*at_once && is_item(h, PAM_USER, *typed)) && !is_item(h, PAM_AUTHTOK, *typed))
		return PAM_SUCCESS;
	aad_wipe(typed);
	return ret == PAM_CONV_ERR ? PAM_CONV_ERR : PAM_AUTH_ERR;
}

/* Somebody may have typed ahead, and is asked once more; a program has the same answer at once again. Just ENTER may have been early. */
static int converse_twice(pam_handle_t *h, int style, const char *text, char **typed, int *at_once)
{
	int ret = converse(h, style, text, typed, at_once);

	if (ret != PAM_SUCCESS || !*at_once || !**typed)
		return ret;
	aad_wipe(typed);
	ret = converse(h, style, text, typed, at_once);
	if (ret != PAM_SUCCESS || !*at_once || !**typed)
		return ret;
	aad_wipe(typed);
	return PAM_MAXTRIES;
}

/*
 * With echo, because sshd's password authentication answers every prompt without echo by the password it was given: it would
 * "press ENTER" for a code that nobody has seen. A prompt with echo it refuses at once. What is typed is wiped and thrown away;
 * only that the conversation came back matters.
 */
int aad_ask(pam_handle_t *h, const char *text)
{
	char *typed = NULL;
	int at_once, ret = converse_twice(h, PAM_PROMPT_ECHO_ON, text, &typed, &at_once);

	aad_wipe(&typed);
	return ret == PAM_SUCCESS || ret == PAM_MAXTRIES ? ret : PAM_CONV_ERR;
}

/*
 * sudo's conversation fails for an answer of 512 bytes and more, and may be had again. It fails for Ctrl-C, too, and from then on at once,
 * as it does where nobody is there at all.
 */
static int is_too_long(const struct aad_person *person, int ret, int at_once)
{
	return ret == PAM_CONV_ERR && !(at_once && (!person->there || person->failed));
}

/* Whoever has pasted several lines to a person's time answers the questions that follow at once. */
int aad_question(pam_handle_t *h, int style, const char *text, struct aad_person *person, char **typed)
{
	int at_once, ret = (person->there ? converse : converse_twice)(h, style, text, typed, &at_once);
	int too_long = ret == PAM_SUCCESS ? strlen(*typed) > AAD_TYPED_MAX : is_too_long(person, ret, at_once);

	person->failed = ret != PAM_SUCCESS;
	person->there |= !at_once;
	if (too_long) {
		aad_wipe(typed);
		return person->too_long++ < AAD_TOO_LONG_TIMES ? PAM_BUF_ERR : PAM_CONV_ERR;
	}
	return ret == PAM_SUCCESS || ret == PAM_MAXTRIES ? ret : PAM_CONV_ERR;
}
