/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* libnss_empty.so.2 has no accounts: its cost is the cost of any module. */
#include <errno.h>
#include <nss.h>
#include <pwd.h>

enum nss_status _nss_empty_getpwnam_r(const char *name, struct passwd *pwd,
    char *buf, size_t len, int *errnop)
{
	(void)name, (void)pwd, (void)buf, (void)len;
	*errnop = ENOENT;
	return NSS_STATUS_NOTFOUND;
}
