// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// What the PAM module asks of the name service's C, before any process of its
// own is started: is this name ours at all?
#ifndef AAD_H
#define AAD_H

#include <stdint.h>

enum aad_claim {
	AAD_CLAIM_NO_STORE, // no readable rules: nothing is known to be ours
	AAD_CLAIM_FOREIGN,  // by its syntax or domain no name of ours
	AAD_CLAIM_OURS,     // in some spelling, ignoring ASCII case
};

// aad_claims reads the rules from the compiled-in store. *low and *high are
// set in every case, to the id range in force or the default one. Safe in any
// thread; keeps no descriptor.
enum aad_claim aad_claims(const char *name, uint32_t *low, uint32_t *high);

#endif
