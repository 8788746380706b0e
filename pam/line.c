/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The line of an attempt whose worker could not write it: no worker was needed, it never started,
 * it died, or it was too late. The user of su or sudo chooses the name in the line, and a name
 * server the remote host, so values are quoted.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "door.h"

enum { VALUE_BYTES = 1000, LINE_BYTES = 8000 };

/*
 * The same rule as quote in internal/signin/log.go; testdata/log checks both. to has VALUE_BYTES +
 * 6 bytes.
 */
static void quote(char *to, const char *value)
{
	const char *end = to + 1 + VALUE_BYTES;

	*to++ = '"';
	for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
		int special = *c == '"' || *c == '\\', odd = *c < ' ' || *c > '~';
		if (end - to < (odd ? 4 : 1 + special)) {
			to = stpcpy(to, "...");
			break;
		}
		if (odd)
			to += sprintf(to, "\\x%02x", *c);
		else
			to += sprintf(to, "%s%c", special ? "\\" : "", *c);
	}
	strcpy(to, "\"");
}

static void add_pair(struct aad_end *end, const char *key, const char *value)
{
	char quoted[VALUE_BYTES + 6];
	size_t n = strlen(end->line);

	if (!value || !*value)
		return;
	quote(quoted, value);
	if (n + 1 + strlen(key) + 1 + strlen(quoted) <= LINE_BYTES)
		sprintf(end->line + n, " %s=%s", key, quoted);
}

/* Adds the pairs of every line. */
static void add_common(struct aad_end *end, const struct aad_request *req, const char *reason)
{
	add_pair(end, "reason", reason);
	add_pair(end, "account", req->user);
	add_pair(end, "service", req->service);
	add_pair(end, "rhost", req->rhost);
	add_pair(end, "attempt", req->attempt);
}

void aad_denied(struct aad_end *end, const struct aad_request *req, int code, const char *reason)
{
	*end = (struct aad_end){ .code = code, .priority = LOG_NOTICE, .line = "denied" };
	add_common(end, req, reason);
}

void aad_failed(struct aad_end *end, const struct aad_request *req, int code, int priority,
    const char *reason, ...)
{
	va_list more;

	*end = (struct aad_end){ .code = code, .priority = priority, .line = "failed" };
	if (priority < LOG_NOTICE)
		end->sentence = "Something went wrong on this machine, and nobody was signed in. "
		    "Try again; if it stays, tell its administrator.";
	add_common(end, req, reason);
	va_start(more, reason);
	for (const char *key; (key = va_arg(more, const char *));)
		add_pair(end, key, va_arg(more, const char *));
	va_end(more);
}
