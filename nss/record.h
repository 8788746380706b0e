/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The records of accounts.cdb. Their layout is documented once, in the package comment of
 * internal/account, which writes them.
 */
#ifndef AAD_RECORD_H
#define AAD_RECORD_H

#include "cdb.h"

enum {
	AAD_FORMAT = 1,
	AAD_MARK = 4,		/* offset of the one byte of the rules record that changes */
	AAD_MIN_ID = 1000,	/* no answer has a lower id */
	AAD_RESERVED = 16,	/* ids at the beginning of the range that belong to groups */
	AAD_MAX_NAME = 113,
};

/* The sections of the rules, by tag. */
enum { AAD_SIGN_IN_SERVICES = 1 };

#define AAD_USERS "aad_users"
#define AAD_ADMINS "aad_admins"

/* Strings point into the store and end in NUL. */
struct aad_rules {
	uint32_t low, high;
	int short_names;
	uint16_t domains, services;
	const char *tenant, *home, *shell;
	const char *domain;	/* the first one; the others follow it */
	const char *service;	/* likewise */
	struct aad_bytes sections;
};

struct aad_entry {
	uint32_t uid;
	int retired;
	uint16_t ngroups;
	const uint8_t *groups;	/* ngroups × u32 */
	uint16_t name_len, gecos_len, home_len, shell_len;
	const char *text;	/* name NUL "*" NUL gecos NUL home NUL shell NUL */
	uint32_t len;		/* of text */
};

struct aad_members {
	uint32_t count;
	const char *text;	/* count names, each with its NUL */
	uint32_t len;
};

struct aad_store {
	struct aad_cdb db;
	struct aad_rules rules;
	const uint8_t *mark;	/* in the rules record */
	int mapped;		/* a change of the mark is visible */
};

/* Returns the string that follows s in a list of strings. */
const char *aad_next_string(const char *s);

/* 0, or -1 if the record is damaged or of another format. */
int aad_rules_parse(struct aad_bytes record, struct aad_rules *r);

/* Finds the content of a section. 0, or -1 if the version that wrote the rules has no such tag. */
int aad_rules_section(const struct aad_rules *r, uint16_t tag, struct aad_bytes *content);

/*
 * Looks for a PAM service in sign_in.services. AAD_FOREIGN if the version that wrote the rules has
 * no such list.
 */
enum aad_result aad_rules_service(const struct aad_rules *r, const char *service);

/* 0, or -1 if the record is damaged. */
int aad_entry_parse(struct aad_bytes record, struct aad_entry *e);
int aad_members_parse(struct aad_bytes record, struct aad_members *m);

enum aad_result aad_entry_by_name(const struct aad_store *s, const char *name,
    struct aad_entry *e);
enum aad_result aad_entry_by_uid(const struct aad_store *s, uint32_t uid, struct aad_entry *e);

#endif
