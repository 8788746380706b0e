/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The accounts that every name service is asked for, and ids that nobody has. */
#ifndef BENCH_ACCOUNTS_H
#define BENCH_ACCOUNTS_H

#include <stdint.h>
#include <sys/types.h>

#define DOMAIN "contoso.example"

/* Scatters the accounts over the lower half of the default range. */
static inline uid_t account_uid(uint32_t i)
{
	return 1879048208 + i * 2654435761U % (1U << 27);
}

/* In the upper half. */
static inline uid_t nobody_uid(uint32_t i)
{
	return 1879048208 + (1U << 27) + i * 2654435761U % (1U << 26);
}

#endif
