/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where a code is shown, with a store of our own.
 *
 *	services WORD...
 *
 * The store is "no-list" until listed=NAME or empty-list, and answers for every name as
 * stored=NO|YES|UNCERTAIN says. show=SERVICE, refuse and account print the door's answer; the last
 * two take =UID for a name that the host knows. account asks for imap and for sudo.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../services.c"
#include "../line.c"

static const char *listed[8];
static int names = -1;
static enum aad_answer stored = AAD_UNCERTAIN;

enum aad_answer aad_is_sign_in_service(const char *service)
{
	for (int i = 0; i < names; i++)
		if (strcmp(listed[i], service) == 0)
			return AAD_YES;
	return names < 0 ? AAD_UNCERTAIN : AAD_NO;
}

enum aad_answer aad_is_stored(const char *name)
{
	if (strcmp(name, "user@contoso.example"))
		abort();
	return stored;
}

enum aad_answer aad_is_ours(const char *name, uint32_t *low, uint32_t *high)
{
	(void)name;
	*low = 70000;
	*high = 80000;
	return stored == AAD_UNCERTAIN ? AAD_UNCERTAIN : AAD_YES;
}

static void refuse(uint32_t uid)
{
	const struct aad_request req = {
		.phase = AAD_AUTHENTICATE,
		.user = "user@contoso.example",
		.service = "imap",
		.known = uid > 0,
		.uid = uid,
		.attempt = "id",
	};
	struct aad_end end;

	memset(&end, 'x', sizeof end);
	aad_refuse_service(&end, &req);
	printf("%d %d %s%s\n", end.code, end.priority, end.line,
	    end.sentence ? " and a sentence" : "");
}

static void account(uint32_t uid)
{
	const struct aad_request req = {
		.phase = AAD_ACCOUNT, .user = "user@contoso.example", .known = uid > 0, .uid = uid,
	};

	printf("%s %s\n", aad_signed_in_elsewhere(&req, "imap") ? "another's" : "ours",
	    aad_signed_in_elsewhere(&req, "sudo") ? "another's" : "ours");
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (strncmp(word, "listed=", 7) == 0)
			names = names < 0 ? 0 : names, listed[names++] = word + 7;
		else if (strcmp(word, "empty-list") == 0)
			names = 0;
		else if (strncmp(word, "stored=", 7) == 0)
			stored = word[7] == 'Y' ? AAD_YES : word[7] == 'N' ? AAD_NO : AAD_UNCERTAIN;
		else if (strncmp(word, "show=", 5) == 0)
			puts(aad_shows_code(word[5] ? word + 5 : NULL) ? "shown" : "refused");
		else if (strncmp(word, "refuse", 6) == 0)
			refuse(word[6] ? (uint32_t)atoi(word + 7) : 0);
		else if (strncmp(word, "account", 7) == 0)
			account(word[7] ? (uint32_t)atoi(word + 8) : 0);
		else if (strcmp(word, "usual") == 0)
			for (size_t n = 0; n < sizeof usual / sizeof *usual; n++)
				puts(usual[n]);
		else
			abort();
	}
	return 0;
}
