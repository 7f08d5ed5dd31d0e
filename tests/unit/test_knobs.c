#include <criterion/criterion.h>

#include "probes/knobs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files in a directory of the test's stand for knobs. */
static char dir[] = "/tmp/pathtune-knobs-XXXXXX";
static char file[64], other[64];
static struct arena *a;
static struct host *h;
static struct err e;

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

static void
setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/wmem", dir);
	snprintf(other, sizeof(other), "%s/rmem", dir);
	put(file, "4096\t16384\t4194304\n");
	put(other, "4096\t131072\t6291456\n");
	a = arena_new();
	cr_assert(host_open(a, "local", &h, &e));
}

static void
teardown(void)
{
	host_close(h);
	arena_free(a);
	unlink(file);
	unlink(other);
	rmdir(dir);
}

TestSuite(knobs, .init = setup, .fini = teardown);

Test(knobs, values_are_compared_as_fields_and_numbers)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "4096\t131072  33554432\n", "4096 131072 33554432", true },
		{ "", "\n", true },
		{ "cubic\n", "cubic", true },
		{ "007", "7", true },
		{ "0", "000", true },
		{ "99999999999999999999999", "099999999999999999999999", true },
		{ "99999999999999999999999", "99999999999999999999998", false },
		{ "4096 131072", "4096 131072 33554432", false },
		{ "4096 131072 33554432", "4096 131072", false },
		{ "cubic", "bbr", false },
		{ "bbr", "bbr2", false },
		{ "40 96", "4096", false },
		{ "", "0", false },
		{ "-1", "1", false },
	};
	size_t i;

	for (i = 0; i < NELEM(cases); i++)
		cr_expect_eq(knobs_same(cases[i].a, cases[i].b), cases[i].same, "\"%s\" and \"%s\"",
		    cases[i].a, cases[i].b);
}

Test(knobs, a_value_is_read_with_one_blank_between_its_fields)
{
	const char *text;

	cr_assert(knobs_read(h, a, file, &text, &e), "%s", e.text);
	cr_expect_str_eq(text, "4096 16384 4194304");
	put(file, "");
	cr_assert(knobs_read(h, a, file, &text, &e), "%s", e.text);
	cr_expect_str_eq(text, "");
}

Test(knobs, values_that_are_set_hold)
{
	struct knob_value v[] = {
		{ .name = "tcp_wmem", .file = file, .text = "4096 16384 1000000" },
		{ .name = "tcp_rmem", .file = other, .text = "4096 131072 2000000" },
	};
	const char *text;

	cr_assert(knobs_set(h, a, v, 2, &e), "%s", e.text);
	cr_assert(knobs_hold(h, a, v, 2, &e), "%s", e.text);
	cr_assert(knobs_read(h, a, file, &text, &e));
	cr_expect_str_eq(text, "4096 16384 1000000");
	put(other, "4096 131072 1\n");
	cr_expect_not(knobs_hold(h, a, v, 2, &e));
	cr_expect_str_eq(e.text,
	    "tcp_rmem: should be \"4096 131072 2000000\", is \"4096 131072 1\"");
}

Test(knobs, a_knob_that_is_not_there_is_named)
{
	struct knob_value v = { .name = "tcp_none", .file = "/nonexistent/knob", .text = "1" };

	cr_expect_not(knobs_set(h, a, &v, 1, &e));
	cr_expect_str_eq(e.text, "tcp_none: /nonexistent/knob: No such file or directory");
}

/* /dev/null takes everything and holds nothing; as before, it is empty afterwards. */
Test(knobs, a_value_that_reads_back_differently_is_an_error_and_earlier_ones_stay)
{
	struct knob_value v[] = {
		{ .name = "tcp_wmem", .file = file, .text = "1 2 3" },
		{ .name = "tcp_null", .file = "/dev/null", .text = "4" },
		{ .name = "tcp_rmem", .file = other, .text = "5 6 7" },
	};

	cr_expect_not(knobs_set(h, a, v, 3, &e));
	cr_expect_str_eq(e.text, "tcp_null: /dev/null: was set to \"4\", reads back \"\"; "
	    "it holds what it held before");
	e = (struct err){ 0 };
	cr_expect(knobs_hold(h, a, v, 1, &e), "%s", e.text);
	cr_expect_not(knobs_hold(h, a, v + 2, 1, &e), "nothing after the failure is set");
}
