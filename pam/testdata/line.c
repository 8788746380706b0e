/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The door's own log line. Standard input has accounts and remote hosts, standard output the lines;
 * line_test.go.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../attempt.c"
#include "../line.c"

/* Exactly as long as needed: the sanitizer sees a read beyond the end. */
static char *value(void)
{
	uint32_t n;
	char *text;

	if (fread(&n, sizeof n, 1, stdin) != 1)
		exit(0);
	if (!(text = malloc(n + 1)) || fread(text, 1, n, stdin) != n)
		exit(1);
	text[n] = 0;
	return text;
}

int main(void)
{
	for (;;) {
		struct aad_request req = { .service = "su" };
		struct aad_end *end = malloc(sizeof *end);
		char *user = value(), *rhost = value();

		if (!end)
			return 1;
		req.user = user;
		req.rhost = rhost;
		aad_new_attempt(&req);
		aad_failed(end, &req, PAM_SYSTEM_ERR, LOG_ERR, "worker-died",
		    "a", rhost, "b", rhost, "c", rhost, "d", rhost, "e", rhost, "f", rhost,
		    "g", rhost, "last", "fits", NULL);
		if (end->code != PAM_SYSTEM_ERR || end->priority != LOG_ERR || !end->sentence)
			return 1;
		puts(end->line);
		fflush(stdout);
		free(user), free(rhost), free(end);
	}
}
