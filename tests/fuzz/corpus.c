/*
 * corpus: run a fuzz target over files, for an ordinary test: corpus DIR..  Every file below them is
 * given whole, and cut in CUTS places, because what a reader gets is often cut.
 */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

#define FILE_BYTES ((size_t)4 * 1024 * 1024)
#define CUTS 16

static void
run_file(const char *path)
{
	uint8_t *data = malloc(FILE_BYTES);
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL || data == NULL) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(1);
	}
	n = fread(data, 1, FILE_BYTES, f);
	fclose(f);
	for (size_t i = 1; i <= CUTS; i++) {
		size_t len = n * i / CUTS;
		uint8_t *exact;

		if (i > 1 && len == n * (i - 1) / CUTS)
			continue;
		exact = malloc(len == 0 ? 1 : len); /* one byte too far is seen */
		memcpy(exact, data, len);
		LLVMFuzzerTestOneInput(exact, len);
		free(exact);
	}
	free(data);
}

/* How many files there were. */
static unsigned
run_tree(const char *path)
{
	char below[4096];
	struct dirent *entry;
	DIR *dir = opendir(path);
	unsigned n = 0;

	if (dir == NULL) {
		run_file(path);
		return 1;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		n += run_tree(below);
	}
	closedir(dir);
	return n;
}

int
main(int argc, char **argv)
{
	unsigned n = 0;

	for (int i = 1; i < argc; i++)
		n += run_tree(argv[i]);
	printf("%u inputs\n", n);
	return n == 0;
}
