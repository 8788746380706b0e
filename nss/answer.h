/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Answers: what the entry points do once they have a store. Each function does what glibc calls its
 * entry point for, on any store, so that tests bring their own.
 */
#ifndef AAD_ANSWER_H
#define AAD_ANSWER_H

#include <grp.h>
#include <pwd.h>

#include "record.h"

enum aad_result aad_passwd_by_name(const struct aad_store *s, const char *name, struct passwd *pwd,
    char *buf, size_t len);
enum aad_result aad_passwd_by_uid(const struct aad_store *s, uid_t uid, struct passwd *pwd,
    char *buf, size_t len);
enum aad_result aad_passwd_fill(const struct aad_entry *e, struct passwd *pwd,
    char *buf, size_t len);

/*
 * AAD_OK if this store has, or once had, both the name and the uid: the uid as an account's, also a
 * removed or a moved one's, and the name as an account's or, in any spelling, as one that an
 * account could have. Both need not belong to one account: two accounts may have exchanged their
 * names (aadctl account rename --swap), and of two with the same first id the second may have been
 * looked up before the other was stored. Only a host with an outdated answer has such a pair.
 */
enum aad_result aad_had(const struct aad_store *s, const char *name, uint32_t uid);

enum aad_result aad_group_by_name(const struct aad_store *s, const char *name, struct group *grp,
    char *buf, size_t len);
enum aad_result aad_group_by_gid(const struct aad_store *s, gid_t gid, struct group *grp,
    char *buf, size_t len);
enum aad_result aad_group_fill(const struct aad_entry *e, struct group *grp,
    char *buf, size_t len);
enum aad_result aad_users_group(const struct aad_store *s, struct group *grp,
    char *buf, size_t len);
enum aad_result aad_admins_group(const struct aad_store *s, struct group *grp,
    char *buf, size_t len);

/* The array of groups that glibc passes to initgroups. A module may enlarge it. */
struct aad_gid_list {
	gid_t skip;		/* the primary group, which is in the array already */
	long *start, *size;
	gid_t **groups;
	long limit;		/* no limit if not positive */
};

enum aad_result aad_initgroups(const struct aad_store *s, const char *user,
    struct aad_gid_list *list);

/* The position of an enumeration. */
struct aad_cursor {
	uint32_t pos;		/* of the next record */
	uint32_t ordinal;	/* number of accounts passed */
};

/* Reads the next account. AAD_ABSENT at the end. */
enum aad_result aad_next_entry(const struct aad_store *s, struct aad_cursor *c,
    struct aad_entry *e);

/*
 * Finds the position in a file that has replaced the enumerated one. The writer keeps the order of
 * the accounts, so the position is behind as many of them.
 */
void aad_resume(const struct aad_store *s, struct aad_cursor *c);

#endif
