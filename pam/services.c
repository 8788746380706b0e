// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Where a code is shown: sign_in.services. On most machines this module is in a stack that every service includes, and most of
 * those have nobody in front of them who reads a prompt: servers for mail and files, which answer it themselves, crash at it or wait
 * for minutes. There an account of ours is refused at once, before a process is started, the network is asked, another
 * module asks for a password that the account does not have, or pam_faillock counts.
 */
#include <libgen.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "door.h"
#include "../nss/aad.h"

/* Each was seen to show the whole prompt and to wait for ENTER (docs/programs.md). internal/config has the same list. */
static const char *const usual[] = {
	"sshd", "sudo", "sudo-i", "su", "su-l", "login", "remote", "doas", "vlock", "polkit-1", "cockpit",
};

/* Under whatever name it calls PAM: PAMServiceName, or the name it was started by (before OpenSSH 9.8). */
int aad_in_sshd(void)
{
	char path[256];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	path[n > 0 ? n : 0] = 0;
	return strncmp(basename(path), "sshd", 4) == 0;
}

/* Without a store, or by one that an earlier version wrote, the usual ones: nobody is to be locked out by a file that is missing. */
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
 * A name with a record is an account of ours, and the answer is no, for all modules below as well. One that merely has our domain may
 * be another module's, a mailbox for instance. If the store cannot say, a uid that the host has from our range tells.
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
		aad_claims(req->user, &low, &high);
		return req->known && req->uid >= low && req->uid <= high;
	}
}

void aad_refuse_unseen(struct aad_end *end, const struct aad_request *req)
{
	if (is_account(req))
		aad_denied(end, req, PAM_AUTH_ERR, "service-not-listed");
	else
		aad_failed(end, req, PAM_USER_UNKNOWN, LOG_NOTICE, "service-not-listed", NULL);
}

/*
 * Whom another module has let in there by a name that only has our domain. The host has no uid for it, so it is no login to this
 * machine, and needs nobody's authorization of ours. In doubt it does.
 */
int aad_is_anothers(const struct aad_request *req, const char *service)
{
	return !req->known && !aad_shows_code(service) && aad_is_stored(req->user) == AAD_NO;
}
