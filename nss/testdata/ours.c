/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Prints what the store says of each argument, as a name and as a PAM service. */
#include <stdio.h>

#include "../aad.h"

int main(int argc, char **argv)
{
	static const char *const answer[] = { "no", "yes", "uncertain" };
	uint32_t low, high;

	for (int i = 1; i < argc; i++) {
		enum aad_answer ours = aad_is_ours(argv[i], &low, &high);

		printf("%s %u %u %s %s\n", answer[ours], low, high, answer[aad_is_stored(argv[i])],
		    answer[aad_is_sign_in_service(argv[i])]);
	}
	return 0;
}
