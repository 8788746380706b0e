// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// The records of accounts.cdb. Their layout is documented once, in the package
// comment of internal/account, which writes them.
#ifndef AAD_RECORD_H
#define AAD_RECORD_H

#include "cdb.h"

enum {
	AAD_FORMAT = 1,
	AAD_MARK = 4, // of the rules record, the byte that changes
	AAD_MIN_ID = 1000, // never an answer below
	AAD_RESERVED = 16, // ids at the beginning of the range that are groups
	AAD_MAX_NAME = 113,
};

// The sections of the rules, by tag.
enum { AAD_SIGN_IN_SERVICES = 1 };

#define AAD_USERS "aad_users"
#define AAD_ADMINS "aad_admins"

// Strings point into the store and end in NUL.
struct aad_rules {
	uint32_t low, high;
	bool short_names;
	uint16_t domains, services;
	const char *tenant, *home, *shell;
	const char *domain;  // the first; the others follow it
	const char *service; // likewise
	struct aad_bytes sections;
};

struct aad_entry {
	uint32_t uid;
	bool retired;
	uint16_t ngroups;
	const uint8_t *groups; // ngroups × u32
	uint16_t name, gecos, home, shell; // lengths
	const char *text; // name NUL "*" NUL gecos NUL home NUL shell NUL
	uint32_t len;     // of text
};

struct aad_members {
	uint32_t count;
	const char *text; // count names, each with its NUL
	uint32_t len;
};

struct aad_store {
	struct aad_cdb db;
	struct aad_rules rules;
	const uint8_t *mark; // in the rules record
	bool mapped;         // so that a change of the mark is seen
};

// aad_next_string steps from one string of a list to the following.
const char *aad_next_string(const char *s);

bool aad_rules_parse(struct aad_bytes record, struct aad_rules *r);

// aad_rules_section finds what a section of the rules holds; false when the
// writer was of a version that has none with this tag.
bool aad_rules_section(const struct aad_rules *r, uint16_t tag, struct aad_bytes *content);

// aad_rules_service looks for a PAM service in sign_in.services; AAD_FOREIGN when
// the writer was of a version that has no such list.
enum aad_result aad_rules_service(const struct aad_rules *r, const char *service);

bool aad_entry_parse(struct aad_bytes record, struct aad_entry *e);
bool aad_members_parse(struct aad_bytes record, struct aad_members *m);

enum aad_result aad_entry_by_name(const struct aad_store *s, const char *name, struct aad_entry *e);
enum aad_result aad_entry_by_uid(const struct aad_store *s, uint32_t uid, struct aad_entry *e);

#endif
