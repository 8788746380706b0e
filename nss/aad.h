// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// What the PAM module asks of the name service's C, before any process of its
// own is started: is this name ours at all?
#ifndef AAD_H
#define AAD_H

#include <stdbool.h>
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

// aad_was_ours says whether a name that the host knows, with the uid that the
// host has for it, can be an account of ours as it is or ever was: nscd and
// others answer for a while, some across reboots, what is so no more. The store
// keeps every name and every id that it has had. See aad_had for the rule.
enum aad_claim aad_was_ours(const char *name, uint32_t uid);

// aad_store_exists: there is a store, or was one: its former version is there.
bool aad_store_exists(void);

// aad_local_line says whether the file, in the format of passwd(5), has a line
// of this name and uid. It asks no name service, takes no lock and no memory.
bool aad_local_line(const char *path, const char *name, uint32_t uid);

enum aad_answer { AAD_NO, AAD_YES, AAD_UNCERTAIN };

// aad_is_stored says whether the store has a record of this name, ignoring ASCII
// case: of an account, of a removed one, or as the former name of one.
// AAD_UNCERTAIN: there is no store that can be read.
enum aad_answer aad_is_stored(const char *name);

// aad_is_sign_in_service says whether sign_in.services has this PAM service, in
// lower case, as libpam has it. AAD_UNCERTAIN: no store, or one without that list.
enum aad_answer aad_is_sign_in_service(const char *service);

#endif
