#include <criterion/criterion.h>

#include "fake_sysctl.h"
#include "probes/knobs.h"
#include "probes/stop.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Files in a directory of the test's stand for knobs. */
static char dir[] = "/tmp/pathtune-knobs-XXXXXX";
static char file[64], other[64], fake[64];
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
	const char *const argv[] = { "rm", "-rf", dir, NULL };
	struct command c = { .argv = argv, .even_stopped = true };
	struct output out;

	cr_assert(host_run(h, a, &c, 1, &out, &e));
	host_close(h);
	arena_free(a);
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
	const struct knob_value v[] = { { .name = "w", .file = file }, { .name = "r", .file = other } };
	const char *text[2];

	cr_assert(knobs_read(h, a, v, 2, text, &e), "%s", e.text);
	cr_expect_str_eq(text[0], "4096 16384 4194304");
	cr_expect_str_eq(text[1], "4096 131072 6291456");
	put(file, "");
	cr_assert(knobs_read(h, a, v, 2, text, &e), "%s", e.text);
	cr_expect_str_eq(text[0], "");
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
	cr_assert(knobs_read(h, a, v, 1, &text, &e));
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

/* ---- by commands ------------------------------------------------------------------------------ */

/* A knob of the fake sysctl's, with what it holds. */
static struct knob_value
by_command(const char *name, const char *holds, const char *text)
{
	const char **read = arena_array(a, 4, sizeof(*read));
	const char **write = arena_array(a, 3, sizeof(*write));

	fake_sysctl(dir, fake, sizeof(fake));
	if (holds != NULL)
		put(arena_printf(a, "%s/%s", dir, name), holds);
	read[0] = write[0] = fake;
	read[1] = "-n";
	read[2] = name;
	write[1] = arena_printf(a, "%s={value}", name);
	return (struct knob_value){ .name = name, .text = text, .read = read, .write = write };
}

static const char *
get(struct knob_value v)
{
	const char *text = "";

	cr_assert(knobs_read(h, a, &v, 1, &text, &e), "%s", e.text);
	return text;
}

Test(knobs, commands_set_and_read_values_among_files)
{
	struct knob_value v[] = {
		by_command("kern.maxsockbuf", "2097152", "4194304"),
		{ .name = "tcp_rmem", .file = other, .text = "4096 131072 2000000" },
		by_command("net.triple", "1\t2 3\n", "4 5 6"),
	};
	const char *text[3];

	cr_assert(knobs_read(h, a, v, 3, text, &e), "%s", e.text);
	cr_expect_str_eq(text[0], "2097152");
	cr_expect_str_eq(text[2], "1 2 3");
	cr_assert(knobs_set(h, a, v, 3, &e), "%s", e.text);
	cr_expect(knobs_hold(h, a, v, 3, &e), "%s", e.text);
	cr_expect_str_eq(get(v[2]), "4 5 6");
	put(arena_printf(a, "%s/net.triple", dir), "4 5 7");
	cr_expect_not(knobs_hold(h, a, v, 3, &e));
	cr_expect_str_eq(e.text, "net.triple: should be \"4 5 6\", is \"4 5 7\"");
}

/* What a program exits with is not what it did. */
Test(knobs, what_reads_back_decides_and_not_the_exit_status)
{
	static const struct {
		const char *name, *old, *set;
		const char *says; /* NULL: it was set */
	} cases[] = {
		{ "a.fails", "1", "2", NULL },
		{ "a.quiet", "1", "2", "reads back \"1\"; it holds what it held" },
		{ "a.wraps", "7", "4294967300", "reads back \"4\"; set back to \"7\"" },
		{ "a.clamps", "500", "5000", "reads back \"1000\"; set back to \"500\"" },
		{ "a.rounds", "2048", "3000", "reads back \"2048\"; it holds what it held" },
		{ "a.partial", "1 2 3", "9 9 9", "reads back \"9 2 3\" (exit status 1); set back" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct knob_value v = by_command(cases[i].name, cases[i].old, cases[i].set);

		e = (struct err){ 0 };
		cr_expect_eq(knobs_set(h, a, &v, 1, &e), cases[i].says == NULL, "%s: %s", v.name,
		    e.text);
		cr_expect(cases[i].says == NULL || strstr(e.text, cases[i].says) != NULL, "%s",
		    e.text);
		cr_expect_str_eq(get(v), cases[i].says == NULL ? cases[i].set : cases[i].old, "%s",
		    v.name);
	}
	cr_expect_not(knobs_set(h, a, (struct knob_value[]){ by_command("a.quiet", "1", "2") }, 1,
	    &(struct err){ 0 }));
}

Test(knobs, a_name_or_a_program_that_is_not_there_is_named)
{
	struct knob_value quiet = by_command("a.quiet", "1", "2");
	struct knob_value none = by_command("a.none", NULL, "2");
	struct knob_value no_program = quiet;

	no_program.read = (const char *const[]){ "/nonexistent/sysctl", NULL };
	cr_expect_not(knobs_set(h, a, &none, 1, &e));
	cr_expect_str_eq(e.text, arena_printf(a, "a.none: %s printed nothing", fake));
	e = (struct err){ 0 };
	cr_expect_not(knobs_hold(h, a, &no_program, 1, &e));
	cr_expect_not_null(strstr(e.text, "a.quiet: /nonexistent/sysctl"), "%s", e.text);
	cr_expect_neq(access(arena_printf(a, "%s/a.none", dir), F_OK), 0, "nothing was set");
}

/* From a file of somebody's: no line ends early, no option, no shell. */
Test(knobs, what_would_be_more_than_a_value_is_refused_before_the_write)
{
	static const char *const bad[] = { "1\x1b[2J", "\x7f", "", " \t" };
	struct knob_value v = by_command("a.value", "1", NULL);
	const char *const whole[] = { fake, "a.value={value}", "{value}", NULL };

	for (size_t i = 0; i < NELEM(bad); i++) {
		v.text = bad[i];
		cr_expect_not(knobs_set(h, a, &v, 1, &e), "%zu", i);
		e = (struct err){ 0 };
	}
	v.write = whole;
	v.text = "--system";
	cr_expect_not(knobs_set(h, a, &v, 1, &e));
	cr_expect_not_null(strstr(e.text, "taken for an option"), "%s", e.text);
	cr_expect_neq(access(arena_printf(a, "%s/log", dir), F_OK), 0, "it never ran");
	v = by_command("a.value", "1", "$(touch /tmp/x); `id` 'a' \"b\" \\");
	e = (struct err){ 0 };
	cr_expect(knobs_set(h, a, &v, 1, &e), "%s", e.text);
	v.file = file;
	v.text = "1\x01";
	cr_expect_not(knobs_set(h, a, &v, 1, &e));
}

Test(knobs, commands_are_run_even_after_a_stop)
{
	struct knob_value v = by_command("a.value", "1", "2");

	cr_assert(stop_install());
	raise(SIGTERM);
	cr_assert_eq(stop_requested(), SIGTERM);
	cr_expect(knobs_set(h, a, &v, 1, &e), "%s", e.text);
	cr_expect_str_eq(get(v), "2");
	stop_reset();
}
