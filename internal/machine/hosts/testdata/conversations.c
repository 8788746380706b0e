// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * PAM applications with nobody in front of them, by what they answer to a prompt. Usage:
 *
 *	conversations KIND CONFDIR SERVICE USER
 *
 * Prints "result N", N being what pam_authenticate(3) returned.
 */
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *kind, *user;
static pam_handle_t *h;

static int is(const char *word)
{
	return strcmp(kind, word) == 0;
}

/* What a program says that knows no other questions than for a name and for a password. */
static const char *answer(const struct pam_message *m)
{
	const void *prompt = NULL;

	if (is("name"))		/* proftpd 1.3.8, dovecot 2.3.19 */
		return m->msg_style == PAM_PROMPT_ECHO_ON ? user : "its own password";
	if (is("password"))
		return "its own password";
	if (is("compares")) {	/* saslauthd 2.1.28; strcmp(3) with NULL ends it */
		pam_get_item(h, PAM_USER_PROMPT, &prompt);
		return strcmp(m->msg, prompt) == 0 ? user : NULL;
	}
	return NULL;
}

static int converse(int n, const struct pam_message **in, struct pam_response **out, void *unused)
{
	struct pam_response *all;

	(void)unused;
	if (in[0]->msg_style != PAM_PROMPT_ECHO_ON && in[0]->msg_style != PAM_PROMPT_ECHO_OFF)
		return PAM_SUCCESS;
	if (is("fails") || (is("wants-two") && n != 2))
		return PAM_CONV_ERR;
	if (is("later"))
		return PAM_CONV_AGAIN;
	if (is("no-array"))
		return PAM_SUCCESS;
	if (!(all = calloc((size_t)n, sizeof *all)))
		return PAM_BUF_ERR;
	if (answer(in[0]))
		all[0].resp = strdup(answer(in[0]));
	*out = all;
	return is("fails-with-answer") ? PAM_CONV_ERR : PAM_SUCCESS;
}

int main(int argc, char **argv)
{
	struct pam_conv conversation = { converse, NULL };

	if (argc != 5)
		return 2;
	kind = argv[1];
	user = argv[4];
	if (is("no-function"))
		conversation.conv = NULL;
	if (pam_start_confdir(argv[3], user, &conversation, argv[2], &h) != PAM_SUCCESS)
		return 2;
	printf("result %d\n", pam_authenticate(h, 0));
	pam_end(h, PAM_SUCCESS);
	return 0;
}
