// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

/* pam_sss.so of a machine where sssd does not run. */
#include <security/pam_modules.h>

#define UNAVAILABLE(name)                                                                                      \
	int name(pam_handle_t *pamh, int flags, int argc, const char **argv)                                   \
	{                                                                                                      \
		return (void)pamh, (void)flags, (void)argc, (void)argv, PAM_AUTHINFO_UNAVAIL;                  \
	}

UNAVAILABLE(pam_sm_authenticate)
UNAVAILABLE(pam_sm_setcred)
UNAVAILABLE(pam_sm_acct_mgmt)
UNAVAILABLE(pam_sm_open_session)
UNAVAILABLE(pam_sm_close_session)
