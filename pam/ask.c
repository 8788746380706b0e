/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prompts and questions, and whether a person has read them. Many hosts have nobody to show a
 * prompt to, and a conversation that answers by itself: with nothing, with the name, or with a
 * password from elsewhere. That is no ENTER. Without this check such a host would wait for a
 * browser that nobody opens, and would occupy one of the account's places in the waiting room
 * meanwhile.
 */
#define _GNU_SOURCE
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>

#include "door.h"

static int is_item(pam_handle_t *h, int which, const char *typed)
{
	const void *value = NULL;

	return *typed && pam_get_item(h, which, &value) == PAM_SUCCESS && value &&
	    strcmp(value, typed) == 0;
}

/*
 * Some hosts compare a prompt with the item PAM_USER_PROMPT, to recognise the prompt for the name,
 * and crash if they have never set it (saslauthd 2.1.28). So they get one for the length of a
 * prompt.
 */
static int set_user_prompt(pam_handle_t *h, int *was_unset)
{
	const void *has = NULL;

	*was_unset = pam_get_item(h, PAM_USER_PROMPT, &has) == PAM_SUCCESS && !has;
	return *was_unset ? pam_set_item(h, PAM_USER_PROMPT, "login: ") : PAM_SUCCESS;
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
 * PAM_SUCCESS: the answer may be a person's, who may have typed the name by mistake. PAM_CONV_ERR:
 * the conversation failed. Otherwise PAM_AUTH_ERR. *at_once is set if the answer came sooner than
 * anybody can read.
 */
static int converse(pam_handle_t *h, int style, const char *text, char **typed, int *at_once)
{
	int64_t asked = aad_now();
	int was_unset, ret = set_user_prompt(h, &was_unset);

	if (ret == PAM_SUCCESS)
		ret = pam_prompt(h, style, typed, "%s", text);
	*at_once = aad_now() - asked < AAD_AT_ONCE;
	if (was_unset)
		pam_set_item(h, PAM_USER_PROMPT, NULL);
	if (ret == PAM_SUCCESS && *typed && !(*at_once && is_item(h, PAM_USER, *typed)) &&
	    !is_item(h, PAM_AUTHTOK, *typed))
		return PAM_SUCCESS;
	aad_wipe(typed);
	return ret == PAM_CONV_ERR ? PAM_CONV_ERR : PAM_AUTH_ERR;
}

/*
 * A person may have typed ahead, and is asked once more. A program gives the same answer at once
 * again. ENTER alone may have been early.
 */
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
 * The prompt has echo, because sshd's password authentication answers every prompt without echo
 * with the password that it got: it would press ENTER for a code that nobody has seen. It refuses a
 * prompt with echo at once. The typed text is wiped and thrown away; only the return of the
 * conversation matters.
 */
int aad_ask(pam_handle_t *h, const char *text)
{
	char *typed = NULL;
	int at_once, ret = converse_twice(h, PAM_PROMPT_ECHO_ON, text, &typed, &at_once);

	aad_wipe(&typed);
	return ret == PAM_SUCCESS || ret == PAM_MAXTRIES ? ret : PAM_CONV_ERR;
}

/*
 * sudo's conversation fails for an answer of 512 bytes or more, and the question may be repeated.
 * It also fails for Ctrl-C, and from then on at once, as it does where nobody is present at all.
 */
static int is_too_long(const struct aad_person *person, int ret, int at_once)
{
	return ret == PAM_CONV_ERR && !(at_once && (!person->present || person->failed));
}

/* A person who has pasted several lines answers the following questions at once. */
int aad_question(pam_handle_t *h, int style, const char *text, struct aad_person *person,
    char **typed)
{
	int ret, at_once, too_long;

	if (person->present)
		ret = converse(h, style, text, typed, &at_once);
	else
		ret = converse_twice(h, style, text, typed, &at_once);
	if (ret == PAM_SUCCESS)
		too_long = strlen(*typed) > AAD_TYPED_MAX;
	else
		too_long = is_too_long(person, ret, at_once);
	person->failed = ret != PAM_SUCCESS;
	person->present |= !at_once;
	if (too_long) {
		aad_wipe(typed);
		return person->too_long++ < AAD_TOO_LONG_TIMES ? PAM_BUF_ERR : PAM_CONV_ERR;
	}
	return ret == PAM_SUCCESS || ret == PAM_MAXTRIES ? ret : PAM_CONV_ERR;
}
