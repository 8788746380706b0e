// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// claims prints what aad_claims says of each argument.
#include "../aad.h"

#include <stdio.h>

int main(int argc, char **argv)
{
	static const char *const word[] = {"no store", "foreign", "ours"};
	for (int i = 1; i < argc; i++) {
		uint32_t low, high;
		enum aad_claim claim = aad_claims(argv[i], &low, &high);
		printf("%s %u %u\n", word[claim], low, high);
	}
	return 0;
}
