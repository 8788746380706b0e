// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// A person at libssh. Usage: with_libssh PORT USER
#include <libssh/libssh.h>
#include <stdio.h>
#include <string.h>

static int sign_in(ssh_session session)
{
	char line[8192];
	int state;

	while ((state = ssh_userauth_kbdint(session, NULL, NULL)) == SSH_AUTH_INFO) {
		for (int i = 0; i < ssh_userauth_kbdint_getnprompts(session); i++) {
			fputs(ssh_userauth_kbdint_getprompt(session, i, NULL), stdout);
			fflush(stdout);
			if (!fgets(line, sizeof line, stdin))
				return SSH_AUTH_ERROR;
			line[strcspn(line, "\n")] = 0;
			if (ssh_userauth_kbdint_setanswer(session, i, line) != 0)
				return SSH_AUTH_ERROR;
		}
	}
	return state;
}

int main(int argc, char **argv)
{
	ssh_session session = ssh_new();
	ssh_channel channel;
	char out[200];
	int n;

	if (argc != 3 || ssh_options_set(session, SSH_OPTIONS_HOST, "127.0.0.1") != 0 ||
	    ssh_options_set(session, SSH_OPTIONS_PORT_STR, argv[1]) != 0 || ssh_options_set(session, SSH_OPTIONS_USER, argv[2]) != 0 ||
	    ssh_connect(session) != SSH_OK || sign_in(session) != SSH_AUTH_SUCCESS) {
		fprintf(stderr, "libssh: %s\n", ssh_get_error(session));
		return 1;
	}
	channel = ssh_channel_new(session);
	if (!channel || ssh_channel_open_session(channel) != SSH_OK || ssh_channel_request_exec(channel, "id -un") != SSH_OK)
		return 1;
	while ((n = ssh_channel_read(channel, out, sizeof out, 0)) > 0)
		fwrite(out, 1, n, stdout);
	ssh_channel_free(channel);
	ssh_disconnect(session);
	ssh_free(session);
	return 0;
}
