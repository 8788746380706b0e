/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* In place of the header that cgo generates: the harness plays the Go side. */
#include "../door.h"

void aadWork(struct aad_request *, int);
