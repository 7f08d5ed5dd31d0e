#include "tuner/cmd.h"
#include "tuner/units.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

typedef bool (*reader)(const char *, double *, struct err *);

Test(units, reads_what_people_write)
{
	static const struct {
		reader read;
		const char *text;
		double value;
	} t[] = {
		{ units_rate, "300M", 300e6 }, { units_rate, "1.5G", 1.5e9 },
		{ units_rate, "64000", 64000 }, { units_rate, "10Mbit/s", 10e6 },
		{ units_rate, "10000k", 1e7 }, { units_rate, "64Kbps", 64e3 },
		{ units_rate, "0", 0 }, { units_bytes, "64K", 65536 },
		{ units_bytes, "16MiB", 16777216 }, { units_bytes, "1500", 1500 },
		{ units_bytes, "64k", 65536 }, { units_bytes, "1.5G", 1610612736 },
		{ units_time, "200us", 2e-4 }, { units_time, "1min", 60 }, { units_time, "2h", 7200 },
		{ units_time, "80ms", .08 }, { units_time, "2s", 2 }, { units_time, "10m", 600 },
		{ units_time, ".5s", .5 }, { units_fraction, "0.5%", .005 },
		{ units_fraction, "1e-5", 1e-5 }, { units_fraction, "0", 0 },
		{ units_fraction, "1", 1 }, { units_number, "42", 42 },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct err e = { ERR_NONE, "" };
		double v = -1;

		cr_assert(t[i].read(t[i].text, &v, &e), "%s: %s", t[i].text, e.text);
		cr_assert_float_eq(v, t[i].value, fabs(t[i].value) * 1e-12, "%s gives %g", t[i].text, v);
	}
}

Test(units, refuses_anything_else_and_quotes_it)
{
	static const struct {
		reader read;
		const char *text;
	} t[] = {
		{ units_rate, "10X" }, { units_rate, "" }, { units_rate, "M" }, { units_rate, "-5M" },
		{ units_rate, "+5M" }, { units_rate, "1e9" }, { units_rate, "5M " },
		{ units_rate, "0x10" }, { units_rate, "nan" }, { units_rate, "inf" },
		{ units_rate, "1.2.3M" }, { units_bytes, "64Q" }, { units_bytes, "-1" },
		{ units_time, "80" }, { units_time, "ms" }, { units_time, "-1s" },
		{ units_fraction, "101%" }, { units_fraction, "2" }, { units_fraction, "-1%" },
		{ units_number, "1k" }, { units_rate, "99999999999999999999999999999999999999" },
		{ units_rate, "9999999999999G" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct err e = { ERR_NONE, "" };
		double v = -1;

		cr_assert_not(t[i].read(t[i].text, &v, &e), "%s was read as %g", t[i].text, v);
		cr_assert_eq(e.code, ERR_USAGE);
		cr_assert_eq(v, -1, "the output is untouched");
		cr_assert(strstr(e.text, "'") != NULL, "%s", e.text);
	}
}

Test(units, says_quantities_with_three_digits)
{
	struct arena *a = arena_new();

	cr_assert_str_eq(units_say_rate(a, 481.4e6), "481 Mbit/s");
	cr_assert_str_eq(units_say_rate(a, 6.41e6), "6.41 Mbit/s");
	cr_assert_str_eq(units_say_rate(a, 1.25e9), "1.25 Gbit/s");
	cr_assert_str_eq(units_say_rate(a, NAN), "unknown");
	cr_assert_str_eq(units_say_rate(a, 64e3), "64 kbit/s");
	cr_assert_str_eq(units_say_bytes(a, 1500), "1.46 KiB");
	cr_assert_str_eq(units_say_bytes(a, 1000), "1000 B");
	cr_assert_str_eq(units_say_bytes(a, 16777216), "16 MiB");
	cr_assert_str_eq(units_say_bytes(a, 10737418240), "10 GiB");
	cr_assert_str_eq(units_say_bytes(a, NAN), "unknown");
	cr_assert_str_eq(units_say_time(a, 0), "0 s");
	cr_assert_str_eq(units_say_time(a, .209), "209 ms");
	cr_assert_str_eq(units_say_time(a, 90), "1 min 30 s");
	cr_assert_str_eq(units_say_time(a, 600), "10 min");
	cr_assert_str_eq(units_say_percent(a, .0213, 1), "2.1 %");
	arena_free(a);
}

static const struct cmd test_cmd = { "test", "", "", NULL };

/* Parses one line of blank-separated words; gives the error's text, or NULL. */
static const char *
parse(struct arena *a, char *line, struct opt *opts, const char ***words, size_t *n)
{
	struct cmd_context c = { .arena = a };
	struct err *e = arena_alloc(a, sizeof(*e));
	char *argv[16], *save = NULL;
	int argc = 0;
	bool help;

	for (char *w = strtok_r(line, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	return cmd_options(&c, &test_cmd, opts, argc, argv, false, words, n, &help, e) ? NULL : e->text;
}

Test(options, name_the_flag_that_is_wrong_and_leave_the_default)
{
	static const struct {
		const char *line, *expected;
	} t[] = {
		{ "test --rate 10X", "--rate: '10X' is not a rate" },
		{ "test --rate 5000G", "--rate: '5000G' is out of range" },
		{ "test --rate", "--rate needs a value" },
		{ "test --rate 1M --rate 2M", "--rate is given twice" },
		{ "test --colour", "--colour is not a flag of pathtune test" },
		{ "test word --way up", "--way: 'up' is not one of send|receive" },
		{ "test -z", "-z is not a flag" },
	};
	static const char *const ways[] = { "send", "receive", NULL };

	for (size_t i = 0; i < NELEM(t); i++) {
		struct arena *a = arena_new();
		double rate = 7;
		int way = 1;
		struct opt opts[] = {
			{ "rate", 'r', OPT_RATE, &rate, 1e3, 1e12, NULL, "RATE", "", false },
			{ "way", 0, OPT_ENUM, &way, 0, 0, ways, "send|receive", "", false },
			{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
		};
		const char **words;
		size_t n;
		const char *error = parse(a, arena_strdup(a, t[i].line), opts, &words, &n);

		cr_assert(error != NULL && strstr(error, t[i].expected) != NULL, "%s: %s", t[i].line,
		    error == NULL ? "no error" : error);
		cr_assert(way == 1);
		arena_free(a);
	}
}

Test(options, mix_flags_and_words_and_end_at_two_dashes)
{
	struct arena *a = arena_new();
	double rate = 7;
	struct opt opts[] = {
		{ "rate", 'r', OPT_RATE, &rate, 0, 0, NULL, "RATE", "", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	const char **words;
	size_t n;
	const char *error = parse(a, arena_strdup(a, "test one -r 2M two -- --three"), opts, &words, &n);

	cr_assert_null(error, "%s", error);
	cr_assert_eq(rate, 2e6);
	cr_assert(cmd_given(opts, "rate"));
	cr_assert_eq(n, 3u);
	cr_assert_str_eq(words[1], "two");
	cr_assert_str_eq(words[2], "--three");
	arena_free(a);
}

Test(units, a_change_that_rounds_to_nothing_has_no_sign)
{
	struct arena *a = arena_new();

	cr_expect_str_eq(units_say_change(a, 6.4, 5.6, 7.4), "+6 % [6, 7]");
	cr_expect_str_eq(units_say_change(a, -34.2, -41, -.4), "-34 % [-41, 0]");
	cr_expect_str_eq(units_say_change(a, -.3, -.4, .4), "0 % [0, 0]");
	cr_expect_str_eq(units_say_change(a, .4, -.1, 1), "0 % [0, 1]");
	arena_free(a);
}

Test(options, progress_is_one_line_on_any_terminal)
{
	struct cmd_context c = { .tty = true };
	struct winsize size = { .ws_row = 24, .ws_col = 20 };
	int master = posix_openpt(O_RDWR | O_NOCTTY), terminal, saved = dup(STDERR_FILENO);
	char seen[256] = "";

	cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	cr_assert(terminal >= 0 && ioctl(terminal, TIOCSWINSZ, &size) == 0);
	dup2(terminal, STDERR_FILENO);
	cmd_progress(&c, "%s", "0123456789\033[2J456789 and much more than fits");
	dup2(saved, STDERR_FILENO);
	cr_assert(read(master, seen, sizeof(seen) - 1) > 0);
	cr_assert_str_eq(seen, "\r\033[K0123456789?[2J45678");
	close(saved);
	close(terminal);
	close(master);
}
