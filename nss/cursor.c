/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "answer.h"

/* Reads the next "u" record, of which every account has one. 0, or -1 at the end. */
static int step(const struct aad_store *s, struct aad_cursor *c, struct aad_bytes *value)
{
	struct aad_bytes key;

	if (c->pos < AAD_CDB_HEADER)
		c->pos = AAD_CDB_HEADER;
	while (aad_cdb_next(&s->db, &c->pos, &key, value) == 0) {
		if (key.len > 0 && key.at[0] == 'u') {
			c->ordinal++;
			return 0;
		}
	}
	return -1;
}

enum aad_result aad_next_entry(const struct aad_store *s, struct aad_cursor *c,
    struct aad_entry *e)
{
	struct aad_bytes value;

	while (step(s, c, &value) == 0)
		if (aad_entry_parse(value, e) == 0 && !e->retired)
			return AAD_OK;
	return AAD_ABSENT;
}

void aad_resume(const struct aad_store *s, struct aad_cursor *c)
{
	struct aad_bytes value;
	uint32_t passed = c->ordinal;

	*c = (struct aad_cursor){ 0 };
	while (c->ordinal < passed && step(s, c, &value) == 0)
		;
}
