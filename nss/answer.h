// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Answers: what the entry points do once there is a store. Each is what glibc
// calls it for, on any store, so that tests bring their own.
#ifndef AAD_ANSWER_H
#define AAD_ANSWER_H

#include "record.h"

#include <grp.h>
#include <pwd.h>

enum aad_result aad_passwd_by_name(const struct aad_store *s, const char *name, struct passwd *pwd, char *buf, size_t len);
enum aad_result aad_passwd_by_uid(const struct aad_store *s, uid_t uid, struct passwd *pwd, char *buf, size_t len);
enum aad_result aad_passwd_fill(const struct aad_entry *e, struct passwd *pwd, char *buf, size_t len);

// aad_had returns AAD_OK for a name and a uid that are or were both this
// store's: the uid an account's, removed or moved ones' too, the name likewise
// or, in any spelling, one that an account could have. Whether it is the same
// account is not asked. Two may have exchanged their names (aadctl account
// rename --swap), and of two with the same first id the second may have looked
// itself up before the other was stored; nobody but a host that is behind has
// such a pair.
enum aad_result aad_had(const struct aad_store *s, const char *name, uint32_t uid);

enum aad_result aad_group_by_name(const struct aad_store *s, const char *name, struct group *grp, char *buf, size_t len);
enum aad_result aad_group_by_gid(const struct aad_store *s, gid_t gid, struct group *grp, char *buf, size_t len);
enum aad_result aad_group_fill(const struct aad_entry *e, struct group *grp, char *buf, size_t len);
enum aad_result aad_users_group(const struct aad_store *s, struct group *grp, char *buf, size_t len);
enum aad_result aad_admins_group(const struct aad_store *s, struct group *grp, char *buf, size_t len);

// aad_gid_list is glibc's array of initgroups, which a module may enlarge.
struct aad_gid_list {
	gid_t skip;   // the primary group, there already
	long *start, *size;
	gid_t **groups;
	long limit;   // none when not positive
};

enum aad_result aad_initgroups(const struct aad_store *s, const char *user, struct aad_gid_list *list);

// aad_cursor is where an enumeration stands.
struct aad_cursor {
	uint32_t pos;     // of the next record
	uint32_t ordinal; // accounts passed
};

// aad_next_entry finds the next account; AAD_ABSENT at the end.
enum aad_result aad_next_entry(const struct aad_store *s, struct aad_cursor *c, struct aad_entry *e);

// aad_resume finds the place in a file that replaced the one enumerated. The
// writer keeps the order, so that is behind as many accounts.
void aad_resume(const struct aad_store *s, struct aad_cursor *c);

#endif
