// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// The accounts every name service is asked about, and ids that are nobody's.
#ifndef BENCH_ACCOUNTS_H
#define BENCH_ACCOUNTS_H

#include <stdint.h>
#include <sys/types.h>

#define DOMAIN "contoso.example"

// account_uid scatters the accounts over the lower half of the default range.
static inline uid_t account_uid(uint32_t i)
{
	return 1879048208 + i * 2654435761U % (1U << 27);
}

// nobody_uid is in the upper half.
static inline uid_t nobody_uid(uint32_t i)
{
	return 1879048208 + (1U << 27) + i * 2654435761U % (1U << 26);
}

#endif
