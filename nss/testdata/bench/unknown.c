// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// unknown NAME asks the machine for a name that it does not know.
#include <pwd.h>
#include <stddef.h>

int main(int argc, char **argv)
{
	return argc != 2 || getpwnam(argv[1]) != NULL;
}
