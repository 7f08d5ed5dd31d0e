/*
 * pathtune profile as a user runs it.
 */
#include "program.h"

#include "probes/files.h"
#include "tuner/record.h"

#include <sys/stat.h>

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new();
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(cmd_profile, .init = setup, .fini = teardown);

#define ILLUMOS TESTS_DIR "/unit/data/illumos.yaml"

static bool
is_json(const char *text)
{
	struct err e = { 0 };
	struct node *n;

	return node_from_json(arena, "x", text, strlen(text), &n, &e);
}

Test(cmd_profile, lists_what_there_is)
{
	static const char *const names[] = { "dragonfly", "freebsd", "linux", "netbsd", "openbsd" };
	struct said s = program_run(arena, "profile");

	cr_assert_eq(s.status, 0);
	for (size_t i = 0; i < NELEM(names); i++)
		cr_expect(strstr(s.out, arena_printf(arena, "%s ", names[i])) != NULL, "%s", s.out);
	cr_expect(strstr(s.out, "7.4 to 7.8") != NULL, "%s", s.out);
	cr_expect_null(strstr(s.out, "nics"));
	s = program_run(arena, "profile --json");
	cr_expect_eq(s.status, 0);
	cr_expect(is_json(s.out), "%s", s.out);
}

Test(cmd_profile, prints_one_so_that_it_can_be_checked_again)
{
	char dir[] = "/tmp/pathtune-profile-XXXXXX";
	struct err e = { 0 };
	struct said s = program_run(arena, "profile netbsd");
	const char *file;

	cr_assert_eq(s.status, 0);
	cr_assert_not_null(mkdtemp(dir));
	file = arena_printf(arena, "%s/own.yaml", dir);
	cr_assert(files_write(file, s.out, strlen(s.out), 0644, &e), "%s", e.text);
	s = program_run(arena, arena_printf(arena, "profile %s", file));
	cr_expect_eq(s.status, 0, "%s", s.err);
	cr_expect_str_eq(s.out, arena_printf(arena, "%s: sound, profile of NetBSD\n", file));
	s = program_run(arena, "profile --json netbsd");
	cr_expect(s.status == 0 && is_json(s.out), "%s", s.err);
	unlink(file);
	rmdir(dir);
}

Test(cmd_profile, a_sixth_system_is_sound_without_any_c)
{
	struct said s = program_run(arena, "profile " ILLUMOS);

	cr_expect_eq(s.status, 0, "%s", s.err);
	cr_expect_str_eq(s.out, ILLUMOS ": sound, profile of SunOS\n");
	s = program_run(arena, "profile --json " ILLUMOS);
	cr_expect(s.status == 0 && is_json(s.out), "%s", s.err);
}

Test(cmd_profile, what_is_wrong_is_one_line_with_the_documented_status)
{
	static const struct { const char *words; int status; const char *says; } cases[] = {
		{ "plan9", 2, "'plan9' is not one of dragonfly, freebsd, linux, netbsd, openbsd" },
		{ "a b", 2, "'b': one profile or file at a time" },
		{ "--name x", 2, "--name is not a flag" },
		{ "./there-is-none", 1, "./there-is-none: No such file or directory" },
		{ "/", 1, "/: " },
		{ "/dev/null", 2, "/dev/null:1: empty" },
		{ "/dev/zero", 1, "/dev/zero: larger than " },
		{ TESTS_DIR "/unit/data/stats_vectors.txt", 2, "stats_vectors.txt:" },
		{ TESTS_DIR "/unit/test_cmd_profile.c", 2, "test_cmd_profile.c:" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct said s = program_run(arena, arena_printf(arena, "profile %s", cases[i].words));

		cr_expect_eq(s.status, cases[i].status, "%s: %d", cases[i].words, s.status);
		cr_expect(strstr(s.err, cases[i].says) != NULL, "%s: %s", cases[i].words, s.err);
		cr_expect_eq(strchr(s.err, '\n'), s.err + strlen(s.err) - 1, "%s", s.err);
		cr_expect_str_eq(s.out, "");
	}
}
