/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads what a worker that died has written to its standard error: the Go runtime writes there why
 * it died, and where. Only words of the runtime are taken, and of the stack of the failed goroutine
 * the names of functions, files and lines. The value of a panic and the arguments of functions may
 * be secrets. Somebody may still control the text, so the log quotes it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "door.h"

static int begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/*
 * Returns the reason if this line has it. Of a panic with a value of ours it returns only that it
 * was one. Further lines of such a value begin with a tab.
 */
static const char *cause(const char *line)
{
	static const char *const own[] = {
		"panic: runtime error: ", "fatal error: ", "runtime: ", "runtime/cgo: ", "SIG",
		"Fatal glibc error: ",
	};

	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (begins(line, own[i]))
			return line;
	return begins(line, "panic: ") ? "panic" : NULL;
}

/*
 * "path/pkg.(*T).f(0xc000012345, ...)" becomes "pkg.(*T).f". NULL for the runtime's own functions.
 */
static const char *function(char *line)
{
	char *arguments = strrchr(line, '('), *name = line, *slash;

	if (!arguments || arguments == line || begins(line, "runtime") || begins(line, "panic("))
		return NULL;
	*arguments = 0;
	while ((slash = strchr(name, '/')))
		name = slash + 1;
	return name;
}

/* "\tpath/file.go:12 +0x34" becomes "file.go:12". */
static const char *position(char *line)
{
	char *name = line + 1, *slash;

	line[strcspn(line, " ")] = 0;
	while ((slash = strchr(name, '/')))
		name = slash + 1;
	return name;
}

static void add(char *to, size_t size, const char *separator, const char *text)
{
	size_t n = strlen(to);

	if (n + strlen(separator) + strlen(text) < size)
		sprintf(to + n, "%s%s", n ? separator : "", text);
}

/* The stack of a goroutine is pairs of lines, a function and its position, up to an empty line. */
static void read_stack(char *rest, struct aad_crash *crash)
{
	const char *name = NULL;

	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		if (*line != '\t')
			name = begins(line, "created by ") ? NULL : function(line);
		else if (name) {
			add(crash->stack, sizeof crash->stack, " < ", name);
			add(crash->stack, sizeof crash->stack, " ", position(line));
			name = NULL;
		}
	}
}

static void read_text(char *rest, struct aad_crash *crash)
{
	for (char *line; (line = strsep(&rest, "\n"));) {
		const char *why = *crash->error ? NULL : cause(line);
		if (why)
			snprintf(crash->error, sizeof crash->error, "%s", why);
		if (begins(line, "goroutine ") && strstr(line, "["))
			return read_stack(rest, crash);
	}
}

/* The pipe blocks neither end: text that does not fit is lost. */
void aad_read_crash(int errors, struct aad_crash *crash)
{
	enum { most = 16384 };	/* the goroutine that failed comes first */
	char text[most + 1];
	size_t n = 0;

	*crash = (struct aad_crash){ 0 };
	for (ssize_t got; errors >= 0 && n < most && (got = read(errors, text + n, most - n)) > 0;)
		n += (size_t)got;
	text[n] = 0;
	read_text(text, crash);
}
