/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where a code is shown: sign_in.services. On most machines this module is in a stack that every
 * service includes, and in most services nobody reads a prompt: servers for mail and files answer
 * it themselves, crash at it or wait for minutes. There an account of ours is refused at once,
 * before a process starts or the network is used, before another module asks for a password that
 * the account does not have, and before pam_faillock counts.
 */
#include <libgen.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "door.h"
#include "../nss/aad.h"

/*
 * Each of them shows the whole prompt and waits for ENTER (docs/programs.md). internal/config has
 * the same list.
 */
static const char *const usual[] = {
	"sshd", "sudo", "sudo-i", "su", "su-l", "login", "remote", "doas", "vlock", "polkit-1",
	"cockpit",
};

/*
 * sshd may call PAM by any name: PAMServiceName, or the name that it was started by (before OpenSSH
 * 9.8).
 */
int aad_in_sshd(void)
{
	char path[256];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	path[n > 0 ? n : 0] = 0;
	return strncmp(basename(path), "sshd", 4) == 0;
}

/*
 * Without a store, or with one of an earlier version, the usual services: a missing file must not
 * lock anybody out.
 */
static int is_listed(const char *service)
{
	enum aad_answer answer = aad_is_sign_in_service(service);

	if (answer != AAD_UNCERTAIN)
		return answer == AAD_YES;
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (strcmp(usual[i], service) == 0)
			return 1;
	return 0;
}

int aad_shows_code(const char *service)
{
	return (service && is_listed(service)) || (aad_in_sshd() && is_listed("sshd"));
}

/*
 * 1 if the name is an account of ours. With a record the answer is no to all modules below, too. A
 * name that merely has our domain may belong to another module. Without a store the uid decides.
 */
static int is_account(const struct aad_request *req)
{
	uint32_t low, high;

	switch (aad_is_stored(req->user)) {
	case AAD_YES:
		return 1;
	case AAD_NO:
		return 0;
	default:
		aad_is_ours(req->user, &low, &high);
		return req->known && req->uid >= low && req->uid <= high;
	}
}

void aad_refuse_service(struct aad_end *end, const struct aad_request *req)
{
	if (is_account(req))
		aad_denied(end, req, PAM_AUTH_ERR, "service-not-listed");
	else
		aad_failed(end, req, PAM_USER_UNKNOWN, LOG_NOTICE, "service-not-listed", NULL);
}

/*
 * 1 for a user whom another module has let in by a name that only has our domain. The host has no
 * uid for the name, so this is no login to this machine, and needs no authorization of ours. 0 in
 * doubt.
 */
int aad_signed_in_elsewhere(const struct aad_request *req, const char *service)
{
	return !req->known && !aad_shows_code(service) && aad_is_stored(req->user) == AAD_NO;
}
