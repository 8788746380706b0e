// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// claims prints what the store says of each argument, as a name and as a PAM service.
#include "../aad.h"

#include <stdio.h>

int main(int argc, char **argv)
{
	static const char *const word[] = {"no store", "foreign", "ours"};
	static const char *const answer[] = {"no", "yes", "uncertain"};
	for (int i = 1; i < argc; i++) {
		uint32_t low, high;
		enum aad_claim claim = aad_claims(argv[i], &low, &high);
		printf("%s %u %u %s %s\n", word[claim], low, high, answer[aad_is_stored(argv[i])],
		       answer[aad_is_sign_in_service(argv[i])]);
	}
	return 0;
}
