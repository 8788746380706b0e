/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The questions that the PAM module asks this C code, before it starts a process of its own: is
 * this name ours at all? Each function is safe in any thread and keeps no descriptor.
 */
#ifndef AAD_H
#define AAD_H

#include <stdint.h>

enum aad_answer {
	AAD_NO,
	AAD_YES,
	AAD_UNCERTAIN,	/* there is no store that can be read */
};

/*
 * Is this a name of ours, by the rules of the store, in any ASCII case? AAD_NO: its syntax or its
 * domain rules it out. *low and *high are set in every case, to the id range in force or to the
 * default one.
 */
enum aad_answer aad_is_ours(const char *name, uint32_t *low, uint32_t *high);

/*
 * Can a name that the host knows, with the uid that the host has for it, be an account of ours, now
 * or in the past? nscd and others answer for a while, some of them across reboots, with what is no
 * longer true. The store keeps every name and every id that it has had. aad_had has the rule.
 */
enum aad_answer aad_was_ours(const char *name, uint32_t uid);

/* 1 if there is a store, or was one: its previous version is there. */
int aad_store_exists(void);

/*
 * 1 if the file, in the format of passwd(5), has a line with this name and this uid. The function
 * asks no name service, takes no lock and allocates nothing.
 */
int aad_has_local_line(const char *path, const char *name, uint32_t uid);

/*
 * Does the store have a record of this name, in any ASCII case: of an account, of a removed
 * account, or as the former name of one?
 */
enum aad_answer aad_is_stored(const char *name);

/*
 * Does sign_in.services have this PAM service? libpam gives it in lower case. AAD_UNCERTAIN also
 * for a store without that list.
 */
enum aad_answer aad_is_sign_in_service(const char *service);

#endif
