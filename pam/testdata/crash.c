/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads the standard error of workers. Standard input has texts, each after its length; standard
 * output has the error and the stack, in a line each.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../crash.c"

static void line(const char *text)
{
	for (; *text; text++)
		printf("%02x", (unsigned char)*text);
	putchar('\n');
}

int main(void)
{
	static struct aad_crash crash;
	uint32_t n;

	while (fread(&n, sizeof n, 1, stdin) == 1) {
		FILE *text = tmpfile();

		for (; text && n > 0; n--)
			putc(getchar(), text);
		if (!text || fflush(text) || lseek(fileno(text), 0, SEEK_SET))
			return 1;
		memset(&crash, 'x', sizeof crash);
		aad_read_crash(fileno(text), &crash);
		line(crash.error);
		line(crash.stack);
		fflush(stdout);
		fclose(text);
	}
	return 0;
}
