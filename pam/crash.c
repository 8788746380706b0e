// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * What a worker that died has said on its standard error: the Go runtime tells there why, and where. Only the runtime's own words are
 * taken, and of the stack of the goroutine that failed the names of functions, files and lines: what a panic was called with,
 * and what functions were, may be a secret. What is taken is text that somebody may have an interest in all the same; the log
 * quotes it.
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

/* The first line that says why. Of a panic with a value of ours only that it was one; values go on in lines that begin with a tab. */
static const char *cause(const char *line)
{
	static const char *const own[] = {
		"panic: runtime error: ", "fatal error: ", "runtime: ", "runtime/cgo: ", "SIG", "Fatal glibc error: ",
	};

	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (begins(line, own[i]))
			return line;
	return begins(line, "panic: ") ? "panic" : NULL;
}

/* "path/pkg.(*T).f(0xc000012345, ...)" becomes "pkg.(*T).f"; the runtime's own functions are left out. */
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
static const char *place(char *line)
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

/* A goroutine's stack is lines in pairs, a function and its place, up to an empty line. */
static void read_stack(char *rest, struct aad_crash *crash)
{
	const char *name = NULL;

	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		if (*line != '\t')
			name = begins(line, "created by ") ? NULL : function(line);
		else if (name) {
			add(crash->stack, sizeof crash->stack, " < ", name);
			add(crash->stack, sizeof crash->stack, " ", place(line));
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

/* The pipe never makes anybody wait, at neither end: what does not fit in it is lost. */
void aad_read_crash(int words, struct aad_crash *crash)
{
	enum { most = 16384 };	/* the goroutine that failed comes first */
	char text[most + 1];
	size_t n = 0;

	*crash = (struct aad_crash){ 0 };
	for (ssize_t got; words >= 0 && n < most && (got = read(words, text + n, most - n)) > 0;)
		n += (size_t)got;
	text[n] = 0;
	read_text(text, crash);
}
