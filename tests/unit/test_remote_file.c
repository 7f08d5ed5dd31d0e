/*
 * Files of a host that is reached through a shell: every byte of them arrives, under every shell.
 *
 * needs: dash busybox bash mksh ksh93 cksum
 */
#include <criterion/criterion.h>

#include "probes/files.h"
#include "probes/remote_file.h"
#include "probes/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const shells[] = { "dash", "busybox sh", "bash --posix", "mksh", "ksh93" };

static struct arena *a;
static struct host *h;
static struct err e;
static char dir[32];

static const char *
in_dir(const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ 0 };
	strcpy(dir, "/tmp/pathtune-far-XXXXXX");
	cr_assert(stop_install() && mkdtemp(dir) != NULL);
	cr_assert(host_open(a, "via:/bin/sh -s", &h, &e), "%s", e.text);
}

static void
teardown(void)
{
	const char *const argv[] = { "rm", "-rf", dir, NULL };
	struct command c = { .argv = argv };
	struct output o;

	cr_assert(host_run(h, a, &c, 1, &o, &e));
	host_close(h);
	arena_free(a);
}

TestSuite(remote_file, .init = setup, .fini = teardown, .timeout = 120);

static void
put(const char *name, const char *text, size_t len)
{
	FILE *f = fopen(in_dir(name), "w");

	cr_assert(f != NULL && fwrite(text, 1, len, f) == len && fclose(f) == 0, "%s", name);
}

static bool
read_one(const char *path, size_t cap, struct persist_found *f)
{
	e = (struct err){ 0 };
	return remote_file_read(h, a, &path, 1, cap, f, &e);
}

/* The figures are cksum(1)'s own. */
Test(remote_file, the_sum_is_that_of_cksum)
{
	cr_expect_str_eq(remote_file_sum(a, "", 0), "4294967295 0");
	cr_expect_str_eq(remote_file_sum(a, "123456789", 9), "930766865 9");
}

static const char *
all_bytes(size_t len, bool nul)
{
	static const char hard[] = "%s%%\\n\\\\'\"$(id)`id` \t\r\n-x\n# BEGIN\n\xff\xfe";
	char *s = arena_alloc(a, len + 1);
	uint32_t x = 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1103515245u + 12345;
		s[i] = (char)(x >> 16);
		if (s[i] == '\0' && !nul)
			s[i] = '\n';
	}
	memcpy(s, hard, len < sizeof(hard) - 1 ? len : sizeof(hard) - 1);
	return s;
}

Test(remote_file, whatever_is_brought_lies_there_under_every_shell)
{
	static const size_t lens[] = { 0, 1, 2, 40, 24 * 1024, 24 * 1024 + 1, 250000 };

	for (size_t s = 0; s < NELEM(shells); s++) {
		struct host *by;

		cr_assert(host_open(a, arena_printf(a, "via:%s -s", shells[s]), &by, &e));
		for (size_t i = 0; i < NELEM(lens); i++) {
			const char *bytes = all_bytes(lens[i], true), *got, *path = in_dir("brought");
			struct command *c = NULL;
			size_t n = 0, len;
			struct output *o;

			remote_file_bring(a, path, bytes, lens[i], &c, &n);
			o = arena_array(a, n, sizeof(*o));
			cr_assert(host_run(by, a, c, n, o, &e), "%s: %s", shells[s], e.text);
			cr_assert(files_read(a, path, 1 << 20, &got, &len, &e), "%s", e.text);
			cr_expect(len == lens[i] && memcmp(got, bytes, len) == 0, "%s: %zu bytes",
			    shells[s], lens[i]);
		}
		host_close(by);
	}
}

Test(remote_file, whatever_is_there_is_read_as_it_is)
{
	static const size_t lens[] = { 0, 1, 40, 1000, 262144, 262145, 700000 };
	struct persist_found f;

	for (size_t i = 0; i < NELEM(lens); i++) {
		const char *bytes = all_bytes(lens[i], false);

		put("file", bytes, lens[i]);
		cr_assert_eq(chmod(in_dir("file"), i % 2 == 0 ? 04751 : 0600), 0);
		cr_assert(read_one(in_dir("file"), 1 << 20, &f), "%zu: %s", lens[i], e.text);
		cr_expect(f.len == lens[i] && memcmp(f.text, bytes, f.len) == 0, "%zu", lens[i]);
		cr_expect_eq(f.st.st_mode, S_IFREG | (i % 2 == 0 ? 04751 : 0600), "%o",
		    (unsigned)f.st.st_mode);
		cr_expect_eq(f.st.st_uid, geteuid());
	}
}

Test(remote_file, what_is_no_file_of_settings_is_an_error_that_says_what)
{
	struct persist_found f = { .text = "" };

	cr_expect(read_one(in_dir("none"), 100, &f), "%s", e.text);
	cr_expect_null(f.text, "what is not there is no error");
	put("file", "x", 1);
	cr_expect(read_one(in_dir("none/none"), 100, &f), "%s", e.text);
	cr_expect_not(read_one(in_dir("file/x"), 100, &f));
	cr_expect_not_null(strstr(e.text, "file/x: Not a directory"), "%s", e.text);
	cr_assert_eq(symlink("file", in_dir("link")), 0);
	cr_expect_not(read_one(in_dir("link"), 100, &f));
	cr_expect_not_null(strstr(e.text, "is a symbolic link, not a file"), "%s", e.text);
	cr_assert_eq(symlink("nowhere", in_dir("dangling")), 0);
	cr_expect_not(read_one(in_dir("dangling"), 100, &f));
	cr_expect_not_null(strstr(e.text, "is a symbolic link"), "%s", e.text);
	cr_expect_not(read_one(dir, 100, &f));
	cr_expect_not_null(strstr(e.text, "is a directory"), "%s", e.text);
	cr_assert_eq(mkfifo(in_dir("pipe"), 0600), 0);
	cr_expect_not(read_one(in_dir("pipe"), 100, &f));
	cr_expect_not_null(strstr(e.text, "is no regular file"), "%s", e.text);
	put("large", "12345", 5);
	cr_expect_not(read_one(in_dir("large"), 4, &f));
	cr_expect_not_null(strstr(e.text, "larger than 4 bytes"), "%s", e.text);
	put("nul", "a\0b", 3);
	cr_expect_not(read_one(in_dir("nul"), 100, &f));
	cr_expect_not_null(strstr(e.text, "it has NUL bytes"), "%s", e.text);
}
