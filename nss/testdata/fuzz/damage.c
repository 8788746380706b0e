/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads a sound store and damages it: cuts it short at every byte, and changes every byte to other
 * values. Each time it asks for all accounts of the sound store.
 *
 *	damage FILE
 *
 * prints the number of stores, of those that were refused, and of answers.
 */
#include "ask.h"

#include "../../answer.h"
#include "../../store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };	/* accounts */

static struct query known[MOST];
static size_t nknown;
static unsigned long stores, refused, answers;

/* Notes the accounts of the sound store, and one that it does not have. */
static void learn(const uint8_t *data, size_t size)
{
	static char names[MOST][AAD_MAX_NAME + 1];
	struct aad_store s;
	struct aad_cursor c = { 0, 0 };
	struct aad_entry e;

	if (aad_store_init(data, size, &s))
		exit(2);
	while (nknown < MOST - 1 && aad_next_entry(&s, &c, &e) == AAD_OK) {
		snprintf(names[nknown], sizeof names[nknown], "%s", e.text);
		known[nknown] = (struct query){ names[nknown], e.uid };
		nknown++;
	}
	known[nknown++] = (struct query){ "nobody@contoso.com", 1000 };
}

static void try(const uint8_t *data, size_t size)
{
	unsigned got = 0;

	for (size_t i = 0; i < nknown; i++)
		got += ask(data, size, &known[i]);
	stores++;
	refused += got == 0;
	answers += got;
}

static void cut_short(const uint8_t *data, size_t size)
{
	for (size_t n = 0; n < size; n++) {
		uint8_t *part = malloc(n > 0 ? n : 1);

		memcpy(part, data, n);
		try(part, n);
		free(part);
	}
}

static void flip(uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t was = data[i];
		uint8_t others[] = { 0x00, 0xff, was ^ 0x01, was ^ 0x02, was ^ 0x04, was ^ 0x08,
			was ^ 0x10, was ^ 0x20, was ^ 0x40, was ^ 0x80 };

		for (size_t k = 0; k < sizeof others; k++) {
			data[i] = others[k];
			try(data, size);
		}
		data[i] = was;
	}
}

int main(int argc, char **argv)
{
	static uint8_t file[ASK_MOST];
	FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
	size_t size;
	uint8_t *data;

	if (f == NULL)
		return 2;
	size = fread(file, 1, sizeof file, f);
	fclose(f);
	data = malloc(size);
	memcpy(data, file, size);
	learn(data, size);
	cut_short(data, size);
	flip(data, size);
	free(data);
	printf("%lu %lu %lu\n", stores, refused, answers);
	return 0;
}
