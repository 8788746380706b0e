/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads /etc/passwd itself, for the PAM module: a user with a line there is this machine's,
 * whatever the store says. getpwnam(3) does not tell which service had the answer, and fgetpwent(3)
 * takes a lock and allocates.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "aad.h"

/* The reader's position in a line: name ":" password ":" uid ":". */
struct search {
	const char *name;
	uint32_t uid, number;
	enum { NAME, PASSWORD, UID, REST } field;
	size_t at;	/* bytes of this field */
	int found;
};

static void begin_line(struct search *s)
{
	s->field = NAME;
	s->at = 0;
}

static void end_field(struct search *s)
{
	switch (s->field) {
	case NAME:
		s->field = s->name[s->at] == '\0' ? PASSWORD : REST;
		break;
	case PASSWORD:
		s->field = UID;
		s->number = 0;
		break;
	case UID:
		s->found |= s->at > 0 && s->number == s->uid;
		s->field = REST;
		break;
	case REST:
		break;
	}
	s->at = 0;
}

static void add_digit(struct search *s, char c)
{
	uint64_t n = (uint64_t)s->number * 10 + (uint64_t)(c - '0');

	if (c < '0' || c > '9' || n > UINT32_MAX)
		s->field = REST;
	s->number = (uint32_t)n;
	s->at++;
}

static void add_to_name(struct search *s, char c)
{
	if (c == '\0' || s->name[s->at] != c)
		s->field = REST;
	s->at++;
}

static void feed(struct search *s, char c)
{
	if (c == '\n')
		begin_line(s);
	else if (c == ':')
		end_field(s);
	else if (s->field == UID)
		add_digit(s, c);
	else if (s->field == NAME && (s->at > 0 || (c != ' ' && c != '\t')))
		add_to_name(s, c);
}

/* Reads a file of any size, in pieces. */
static int search_file(int fd, struct search *s)
{
	char piece[4096];

	while (!s->found) {
		ssize_t n = read(fd, piece, sizeof piece);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			feed(s, piece[i]);
	}
	return s->found;
}

int aad_has_local_line(const char *path, const char *name, uint32_t uid)
{
	struct search s = { .name = name, .uid = uid };
	int found, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return 0;
	found = *name != '\0' && search_file(fd, &s);
	close(fd);
	return found;
}
