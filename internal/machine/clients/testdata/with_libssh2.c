// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// A person at libssh2. Usage: with_libssh2 PORT USER
#include <arpa/inet.h>
#include <libssh2.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void answer(const char *name, int name_len, const char *instruction, int instruction_len, int n,
    const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts, LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses, void **abstract)
{
	char line[8192];

	(void)name, (void)name_len, (void)instruction, (void)instruction_len, (void)abstract;
	for (int i = 0; i < n; i++) {
		printf("%.*s", (int)prompts[i].length, (const char *)prompts[i].text);
		fflush(stdout);
		if (!fgets(line, sizeof line, stdin))
			exit(1);
		line[strcspn(line, "\n")] = 0;
		responses[i].text = strdup(line);
		responses[i].length = (unsigned)strlen(line);
	}
}

static int connected(const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(AF_INET, SOCK_STREAM, 0);

	return s >= 0 && connect(s, (struct sockaddr *)&to, sizeof to) == 0 ? s : -1;
}

int main(int argc, char **argv)
{
	LIBSSH2_SESSION *session;
	LIBSSH2_CHANNEL *channel;
	char out[200], *error;
	int s;
	ssize_t n;

	if (argc != 3 || (s = connected(argv[1])) < 0 || libssh2_init(0) || !(session = libssh2_session_init()))
		return 1;
	if (libssh2_session_handshake(session, s) || libssh2_userauth_keyboard_interactive(session, argv[2], answer)) {
		libssh2_session_last_error(session, &error, NULL, 0);
		fprintf(stderr, "libssh2: %s\n", error);
		return 1;
	}
	channel = libssh2_channel_open_session(session);
	if (!channel || libssh2_channel_exec(channel, "id -un"))
		return 1;
	while ((n = libssh2_channel_read(channel, out, sizeof out)) > 0)
		fwrite(out, 1, (size_t)n, stdout);
	libssh2_channel_free(channel);
	libssh2_session_disconnect(session, "done");
	libssh2_session_free(session);
	return 0;
}
