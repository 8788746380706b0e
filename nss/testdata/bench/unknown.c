/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * unknown NAME
 *
 * Looks up a name that the machine does not have.
 */
#include <pwd.h>
#include <stddef.h>

int main(int argc, char **argv)
{
	return argc != 2 || getpwnam(argv[1]) != NULL;
}
