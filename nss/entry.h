// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// What every entry point does around its answer.
#ifndef AAD_ENTRY_H
#define AAD_ENTRY_H

#include "store.h"

#include <nss.h>

// aad_status makes glibc's status of a result, gives errno back as it was when
// the call began, and sets *errnop, which may be errno itself, on an error.
enum nss_status aad_status(enum aad_result r, int saved, int *errnop);

#endif
