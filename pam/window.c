/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The one message from the door to later workers: the door has let somebody in. So a sign-in that
 * is broken off at the prompt, after the browser, leaves no window open. The two directories are
 * those of internal/signin/reusemarks.go.
 */
#include <stdio.h>

#include "door.h"

#define AAD_PENDING "/run/aad-login/pending"
#define AAD_OPENED "/run/aad-login/opened"

void aad_open_window(const struct aad_request *req)
{
	char pending[96], opened[96];

	snprintf(pending, sizeof pending, AAD_PENDING "/%s", req->attempt);
	snprintf(opened, sizeof opened, AAD_OPENED "/%s", req->attempt);
	/* Most sign-ins have no window. If this fails, the next sign-in takes a code. */
	rename(pending, opened);
}
