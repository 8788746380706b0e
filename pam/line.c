// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * The line of an attempt whose worker could not write it: none was needed, it never started, has died, or came too late. Whoever runs su or
 * sudo chooses the name in it, and a name server the remote host.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>

#include "door.h"

enum { VALUE_BYTES = 1000, LINE_BYTES = 8000 };

/* Like quote in internal/signin/log.go; testdata/log holds them together. to has VALUE_BYTES + 6 bytes. */
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
		to += odd ? sprintf(to, "\\x%02x", *c) : sprintf(to, "%s%c", special ? "\\" : "", *c);
	}
	strcpy(to, "\"");
}

static void pair(struct aad_end *end, const char *key, const char *value)
{
	char quoted[VALUE_BYTES + 6];
	size_t n = strlen(end->line);

	if (!value || !*value)
		return;
	quote(quoted, value);
	if (n + 1 + strlen(key) + 1 + strlen(quoted) <= LINE_BYTES)
		sprintf(end->line + n, " %s=%s", key, quoted);
}

/* What every line has behind its verb. */
static void tell(struct aad_end *end, const struct aad_request *req, const char *reason)
{
	pair(end, "reason", reason);
	pair(end, "account", req->user);
	pair(end, "service", req->service);
	pair(end, "rhost", req->rhost);
	pair(end, "attempt", req->attempt);
}

void aad_denied(struct aad_end *end, const struct aad_request *req, int code, const char *reason)
{
	*end = (struct aad_end){ .code = code, .priority = LOG_NOTICE, .line = "denied" };
	tell(end, req, reason);
}

void aad_failed(struct aad_end *end, const struct aad_request *req, int code, int priority, const char *reason, ...)
{
	va_list more;

	*end = (struct aad_end){ .code = code, .priority = priority, .line = "failed" };
	if (priority < LOG_NOTICE)
		end->sentence = "Something went wrong on this machine, and nobody was signed in. Try again; if it stays, "
		    "tell its administrator.";
	tell(end, req, reason);
	va_start(more, reason);
	for (const char *key; (key = va_arg(more, const char *));)
		pair(end, key, va_arg(more, const char *));
	va_end(more);
}

/* In the form that Microsoft's correlation ids have (RFC 9562, Section 5.4). Without it a sign-in is only harder to find. */
void aad_new_attempt(struct aad_request *req)
{
	unsigned char b[16] = { 0 };

	(void)!getrandom(b, sizeof b, GRND_NONBLOCK);
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	for (size_t i = 0, at = 0; i < sizeof b; i++)
		at += (size_t)sprintf(req->attempt + at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
}
