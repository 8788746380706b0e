/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* pam_empty.so ignores every call: its cost is the cost of any module. */
#include <security/pam_modules.h>

int pam_sm_authenticate(pam_handle_t *h, int flags, int argc, const char **argv)
{
	(void)h, (void)flags, (void)argc, (void)argv;
	return PAM_IGNORE;
}

int pam_sm_setcred(pam_handle_t *, int, int, const char **)
    __attribute__((alias("pam_sm_authenticate")));
int pam_sm_acct_mgmt(pam_handle_t *, int, int, const char **)
    __attribute__((alias("pam_sm_authenticate")));
int pam_sm_open_session(pam_handle_t *, int, int, const char **)
    __attribute__((alias("pam_sm_authenticate")));
int pam_sm_close_session(pam_handle_t *, int, int, const char **)
    __attribute__((alias("pam_sm_authenticate")));
int pam_sm_chauthtok(pam_handle_t *, int, int, const char **)
    __attribute__((alias("pam_sm_authenticate")));
