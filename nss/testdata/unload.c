/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Loads the library, looks up and unloads it, again and again. At the end the process has as many
 * mappings and descriptors as before.
 *
 *	unload LIBRARY STORE TEMPLATE NAME UID TIMES
 */
#define _GNU_SOURCE
#include "store.h"

#include <dirent.h>

struct held {
	int mappings, descriptors;
};

static struct held count(void)
{
	struct held h = { 0, 0 };
	FILE *f = fopen("/proc/self/maps", "r");
	DIR *d = opendir("/proc/self/fd");

	if (f == NULL || d == NULL)
		die("/proc/self");
	for (int c; (c = getc(f)) != EOF;)
		h.mappings += c == '\n';
	while (readdir(d) != NULL)
		h.descriptors++;
	fclose(f);
	closedir(d);
	return h;
}

static void again(const char *path)
{
	void *lib = load(path);

	EXPECT(SUCCESS, 0);
	if (dlclose(lib) != 0)
		die(dlerror());
}

int main(int argc, char **argv)
{
	struct held before;
	struct held after;

	if (argc != 7)
		return 2;
	dlclose(begin(argv));
	for (int i = 0; i < 10; i++)	/* the C library allocates something once */
		again(argv[1]);
	before = count();
	for (int i = 0; i < atoi(argv[6]); i++)
		again(argv[1]);
	after = count();
	CHECK(before.mappings == after.mappings, "%d mappings, before %d", after.mappings,
	    before.mappings);
	CHECK(before.descriptors == after.descriptors, "%d descriptors, before %d",
	    after.descriptors, before.descriptors);
	return wrong != 0;
}
