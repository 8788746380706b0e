/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "answer.h"
#include "preauth.h"

enum aad_result aad_passwd_fill(const struct aad_entry *e, struct passwd *pwd,
    char *buf, size_t len)
{
	char *gecos, *home;

	if (e->retired)
		return AAD_ABSENT;
	if (len < e->len)
		return AAD_SMALL;
	memcpy(buf, e->text, e->len);
	gecos = buf + e->name_len + 3;
	home = gecos + e->gecos_len + 1;
	*pwd = (struct passwd){
		.pw_name = buf,
		.pw_passwd = buf + e->name_len + 1,
		.pw_uid = e->uid,
		.pw_gid = e->uid,
		.pw_gecos = gecos,
		.pw_dir = home,
		.pw_shell = home + e->home_len + 1,
	};
	return AAD_OK;
}

enum aad_result aad_passwd_by_name(const struct aad_store *s, const char *name, struct passwd *pwd,
    char *buf, size_t len)
{
	struct aad_entry e;
	struct aad_new_account a;
	enum aad_result r = aad_entry_by_name(s, name, &e);

	if (r == AAD_OK)
		return aad_passwd_fill(&e, pwd, buf, len);
	if (r == AAD_ABSENT)
		r = aad_preauth(s, name, &a);
	return r == AAD_OK ? aad_new_account_passwd(&s->rules, &a, pwd, buf, len) : r;
}

enum aad_result aad_passwd_by_uid(const struct aad_store *s, uid_t uid, struct passwd *pwd,
    char *buf, size_t len)
{
	struct aad_entry e;
	enum aad_result r = aad_entry_by_uid(s, uid, &e);

	return r == AAD_OK ? aad_passwd_fill(&e, pwd, buf, len) : r;
}
