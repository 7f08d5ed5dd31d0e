/*
 * import: the 2012 table concludes as it must, what it would take to credit a change, and tables
 * that are none.
 */
#include "program.h"

#include "probes/files.h"
#include "tuner/import.h"
#include "tuner/report_import.h"

#include <math.h>
#include <stdio.h>

#define TABLE_2012 TESTS_DIR "/unit/data/import-2012.csv"
#define COINS "# order=random interleaved=yes\n"
#define KNOBS "test,maxsockbuf,sendbuf_max,recvbuf_max,"
#define SMALL "2097152,2097152,2097152"
#define LARGE "8388608,6291456,6291456"

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

TestSuite(import, .init = setup, .fini = teardown);

static struct import_system known;

static struct import_result
judged(const char *text)
{
	struct import_table t;
	struct err e = { ERR_NONE, "" };

	cr_assert(import_read(arena, "t", text, strlen(text), &t, &e), "%s", e.text);
	cr_assert(import_system(arena, &t, NULL, NULL, &known, &e), "%s", e.text);
	return import_judge(arena, &t, &known);
}

/* Pairs in rounds: T1 near 100, T2 near 100 * gain; both move together from round to round. */
static const char *
rounds(const char *header, const char *window, size_t n, double gain)
{
	struct text t = { .arena = arena };

	text_add(&t, "%s" KNOBS "%sround,avg\n", header, *window == '\0' ? "" : "iperf_w,");
	for (size_t i = 0; i < n; i++) {
		double level = 100 + 20 * sin(i), noise = 1 + .01 * cos(7 * i);

		text_add(&t, "T1," SMALL ",%s%zu,%.3f\n", window, i + 1, level);
		text_add(&t, "T2," LARGE ",%s%zu,%.3f\n", window, i + 1, level * gain * noise);
	}
	return t.s;
}

/* The reasons' ids, "id id". */
static const char *
ids(const struct import_result *r)
{
	struct text t = { .arena = arena };

	text_bytes(&t, "", 0);
	for (size_t i = 0; i < r->n_reasons; i++)
		text_add(&t, "%s%.*s", i == 0 ? "" : " ", (int)strcspn(r->reasons[i], ":"),
		    r->reasons[i]);
	return t.s;
}

static const char *
text_2012(void)
{
	struct err e = { ERR_NONE, "" };
	const char *text;
	size_t len;

	cr_assert(files_read(arena, TABLE_2012, IMPORT_BYTES, &text, &len, &e), "%s", e.text);
	return text;
}

static bool
some_reason_has(const struct import_result *r, const char *words)
{
	for (size_t i = 0; i < r->n_reasons; i++)
		if (strstr(r->reasons[i], words) != NULL)
			return true;
	return false;
}

Test(import, the_2012_table_keeps_the_defaults_for_four_reasons)
{
	struct import_result r = judged(text_2012());

	cr_expect_str_eq(known.os, "freebsd");
	cr_expect(known.assumed);
	cr_expect_eq(r.verdict, IMPORT_KEEP);
	cr_expect_eq(r.class, IMPORT_NOT_COMPARABLE);
	cr_expect_null(r.credited);
	cr_expect_eq(r.n_change, 0);
	cr_expect_str_eq(ids(&r), "not-interleaved fixed-buffers limit-not-reached few-pairs");
	cr_expect_eq(r.n_wanted, 4);
	cr_expect(some_reason_has(&r, "112 min 30 s for 15 cells"));
	cr_expect(some_reason_has(&r, "sendbuf_max and recvbuf_max"));
	cr_expect(some_reason_has(&r, "1572864 bytes, is within the 1864135 "
	    "(2097152 * 2048 / 2304) that the smallest maxsockbuf, 2097152"));
	cr_expect(some_reason_has(&r, "n = 5 pairs"));
	cr_expect(some_reason_has(&r, "1 of 32"));
}

Test(import, the_2012_estimates_are_those_of_exact_signed_ranks_and_bets)
{
	static const struct import_estimate want[] = {
		{ "T2/T1", -28.3, -31.7, 3.7, .9375, 1.58, 2.42, 5, FINDING_NONE },
		{ "T3/T1", -33.8, -38.8, -28.3, .9375, 1, 11.62, 5, FINDING_NONE },
	};
	struct import_result r = judged(text_2012());

	cr_assert_eq(r.n_estimates, NELEM(want));
	for (size_t i = 0; i < NELEM(want); i++) {
		const struct import_estimate *x = &r.estimates[i];

		cr_expect_str_eq(x->name, want[i].name);
		cr_expect_float_eq(x->hl_pct, want[i].hl_pct, .05, "%g", x->hl_pct);
		cr_expect_float_eq(x->lo_pct, want[i].lo_pct, .05, "%g", x->lo_pct);
		cr_expect_float_eq(x->hi_pct, want[i].hi_pct, .05, "%g", x->hi_pct);
		cr_expect_float_eq(x->conf, want[i].conf, 1e-12, "%g", x->conf);
		cr_expect_float_eq(x->e_better, want[i].e_better, .005, "%g", x->e_better);
		cr_expect_float_eq(x->e_worse, want[i].e_worse, .005, "%g", x->e_worse);
		cr_expect_eq(x->pairs, want[i].pairs);
		cr_expect_eq(x->finding, want[i].finding);
	}
}

Test(import, the_best_window_of_2012_lies_inside_the_noise_and_is_not_recommended)
{
	struct import_result r = judged(text_2012());

	cr_assert_eq(r.n_notes, 1);
	cr_expect(strstr(r.notes[0], "1024K of T1") != NULL, "%s", r.notes[0]);
	cr_expect(strstr(r.notes[0], "+13.0 % over 64K, inside the noise") != NULL, "%s",
	    r.notes[0]);
	cr_expect(strstr(r.notes[0], "105 to 422") != NULL, "%s", r.notes[0]);
}

/* What would have to be different for a change to be credited, one thing after the other. */
Test(import, a_change_takes_coins_pairs_and_a_knob_that_can_act)
{
	static const struct {
		const char *header, *window;
		size_t n;
		double gain;
		const char *reasons;
		enum import_verdict verdict;
		enum import_class class;
		size_t n_change;
	} t[] = {
		{ COINS, "", 12, 1.3, "", IMPORT_CHANGE, IMPORT_COMPARABLE, 3 },
		{ COINS, "-,", 12, 1.3, "", IMPORT_CHANGE, IMPORT_COMPARABLE, 3 },
		{ "", "", 12, 1.3, "not-interleaved", IMPORT_KEEP, IMPORT_NOT_COMPARABLE, 0 },
		{ "# order=random interleaved=no\n", "", 12, 1.3, "not-interleaved", IMPORT_KEEP,
		    IMPORT_NOT_COMPARABLE, 0 },
		{ "# order=alternating interleaved=yes\n", "", 12, 1.3, "fixed-order",
		    IMPORT_KEEP, IMPORT_NOT_COMPARABLE, 0 },
		{ "# interleaved=yes\n", "", 12, 1.3, "fixed-order", IMPORT_KEEP,
		    IMPORT_NOT_COMPARABLE, 0 },
		{ COINS, "", 5, 1.3, "few-pairs", IMPORT_KEEP, IMPORT_COMPARABLE, 0 },
		{ COINS, "", 12, 1.02, "undecided", IMPORT_KEEP, IMPORT_COMPARABLE, 0 },
		{ COINS, "", 12, 1, "undecided", IMPORT_KEEP, IMPORT_COMPARABLE, 0 },
		{ COINS, "", 12, .7, "worse", IMPORT_KEEP, IMPORT_COMPARABLE, 0 },
		{ COINS, "1M,", 12, 1.3, "fixed-buffers limit-not-reached", IMPORT_KEEP,
		    IMPORT_NOT_COMPARABLE, 0 },
		{ COINS, "1864135,", 12, 1.3, "fixed-buffers limit-not-reached", IMPORT_KEEP,
		    IMPORT_NOT_COMPARABLE, 0 },
		{ COINS, "1864136,", 12, 1.3, "fixed-buffers", IMPORT_CHANGE, IMPORT_COMPARABLE,
		    1 },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct import_result r =
		    judged(rounds(t[i].header, t[i].window, t[i].n, t[i].gain));

		cr_expect_str_eq(ids(&r), t[i].reasons, "case %zu: %s", i, ids(&r));
		cr_expect_eq(r.verdict, t[i].verdict, "case %zu", i);
		cr_expect_eq(r.class, t[i].class, "case %zu", i);
		cr_expect_eq(r.n_change, t[i].n_change, "case %zu: %zu", i, r.n_change);
	}
}

Test(import, a_credited_change_names_the_hosts_knobs_and_never_a_window)
{
	struct import_result all = judged(rounds(COINS, "", 12, 1.3)), one;

	cr_assert_eq(all.n_change, 3);
	cr_expect_str_eq(all.credited, "T2");
	cr_expect_str_eq(all.change[0].name, "kern.ipc.maxsockbuf");
	cr_expect_str_eq(all.change[0].old, "2097152");
	cr_expect_str_eq(all.change[0].new, "8388608");
	cr_expect_str_eq(all.change[1].name, "net.inet.tcp.sendbuf_max");
	cr_expect_str_eq(all.change[2].name, "net.inet.tcp.recvbuf_max");
	one = judged(rounds(COINS, "4M,", 12, 1.3));
	cr_assert_eq(one.n_change, 1);
	cr_expect_str_eq(one.change[0].name, "kern.ipc.maxsockbuf");
}

/* Rows with these gains, in rounds that differ tenfold. */
static struct import_estimate
estimated(const double *gains, size_t n)
{
	struct text t = { .arena = arena };

	text_add(&t, COINS KNOBS "round,avg\n");
	for (size_t i = 0; i < n; i++)
		text_add(&t, "T1," SMALL ",%zu,%g\n", i + 1, i % 2 == 0 ? 100. : 10.);
	for (size_t i = n; i-- > 0;)
		text_add(&t, "T2," LARGE ",%zu,%.9g\n", i + 1, (i % 2 == 0 ? 100 : 10) * gains[i]);
	return judged(t.s).estimates[0];
}

Test(import, rows_are_paired_by_their_round_wherever_they_stand)
{
	static const double gains[] = { 1.3, 1.3, 1.3, 1.3 };
	struct import_estimate x = estimated(gains, NELEM(gains));

	cr_expect_float_eq(x.lo_pct, 30, 1e-6, "%g", x.lo_pct);
	cr_expect_float_eq(x.hi_pct, 30, 1e-6, "%g", x.hi_pct);
}

Test(import, no_e_value_changes_anything_below_six_pairs_or_with_an_interval_around_zero)
{
	static const double five[] = { 1.01, 1.105, 2.46, 14.9, 2981 },
			    turned[] = { 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, .5, .55, .6, .65 };
	struct import_estimate x = estimated(five, NELEM(five));

	cr_expect(x.e_better >= IMPORT_THRESHOLD, "%g", x.e_better);
	cr_expect_eq(x.finding, FINDING_UNDECIDED);
	x = estimated(turned, NELEM(turned));
	cr_expect(x.e_better >= IMPORT_THRESHOLD && x.hl_pct > IMPORT_GAIN_PCT && x.lo_pct < 0,
	    "%g %g %g", x.e_better, x.hl_pct, x.lo_pct);
	cr_expect_eq(x.finding, FINDING_UNDECIDED);
}

/* With twenty settings compared the e-value must reach 400. */
Test(import, alpha_is_shared_among_the_settings_that_are_compared)
{
	const char *two = rounds(COINS, "", 8, 1.3);
	struct import_result r = judged(two);
	struct text t = { .arena = arena };
	char *copy = arena_strdup(arena, two), *save = NULL;

	cr_assert_eq(r.estimates[0].finding, FINDING_BETTER);
	cr_assert(r.estimates[0].e_better > 20 && r.estimates[0].e_better < 400);
	for (char *l = strtok_r(copy, "\n", &save); l != NULL; l = strtok_r(NULL, "\n", &save)) {
		text_add(&t, "%s\n", l);
		for (int i = 3; strncmp(l, "T2", 2) == 0 && i < 22; i++)
			text_add(&t, "T%d%s\n", i, l + 2);
	}
	r = judged(t.s);
	cr_expect_eq(r.n_estimates, 20);
	cr_expect_eq(r.estimates[0].finding, FINDING_UNDECIDED, "%g", r.estimates[0].e_better);
	cr_expect_eq(r.verdict, IMPORT_KEEP);
}

Test(import, a_test_with_the_same_settings_is_noise)
{
	struct import_result r = judged("# order=random interleaved=yes\n"
	    "test,maxsockbuf,round,avg\nA,2M,1,1\nB,2097152,1,9\nA,2M,2,1\nB,2M,2,9\n");

	cr_expect_str_eq(ids(&r), "same-settings few-pairs");
	cr_expect_eq(r.class, IMPORT_NOT_COMPARABLE);
}

Test(import, the_system_is_named_or_told_by_columns_and_defaults)
{
	static const struct {
		const char *header, *flag, *os;
		bool assumed;
	} t[] = {
		{ "test,sbmax,avg\nA,262144,1\nB,2M,1\n", NULL, "netbsd", true },
		{ "test,net.ipv4.tcp_rmem,avg\nA,1 2 3,1\nB,1 2 4,1\n", NULL, "linux", true },
		{ "test,tcp_wmem,avg\nA,1 2 3,1\nB,1 2 4,1\n", NULL, "linux", true },
		{ "#os=dragonfly\ntest,sendbuf_max,avg\nA,1M,1\nB,2M,1\n", NULL, "dragonfly", false },
		{ "#os=dragonfly\ntest,sendbuf_max,avg\nA,1M,1\nB,2M,1\n", "freebsd", "freebsd",
		    false },
		{ "test,sendbuf_max,avg\nA,2M,1\nB,4M,1\n", NULL, "freebsd", true },
		{ "test,sendbuf_max,avg\nA,8M,1\nB,4M,1\n", NULL, "freebsd", true },
		{ "test,sendbuf_max,avg\nA,262144,1\nB,4M,1\n", NULL, "netbsd", true },
		{ "test,colour,avg\nA,red,1\nB,blue,1\n", NULL, NULL, false },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct import_table table;
		struct import_system s;
		struct err e = { ERR_NONE, "" };

		cr_assert(import_read(arena, "t", t[i].header, strlen(t[i].header), &table, &e),
		    "%s", e.text);
		cr_assert(import_system(arena, &table, t[i].flag, NULL, &s, &e), "%s", e.text);
		cr_expect(t[i].os == NULL ? s.os == NULL : strcmp(s.os, t[i].os) == 0,
		    "case %zu: %s", i, s.os == NULL ? "none" : s.os);
		cr_expect_eq(s.assumed, t[i].assumed, "case %zu", i);
	}
}

Test(import, of_columns_that_nobody_knows_nothing_is_claimed)
{
	struct import_result r = judged("test,colour,iperf_w,avg\nA,red,1M,1\nB,blue,1M,1\n");

	cr_expect_str_eq(ids(&r), "not-interleaved few-pairs");
	cr_assert_eq(r.n_notes, 1);
	cr_expect(strstr(r.notes[0], "colour is not a knob") != NULL, "%s", r.notes[0]);
}

Test(import, tests_without_a_common_cell_have_no_estimate)
{
	struct import_result r = judged("test,maxsockbuf,iperf_w,avg\nA,2M,1M,1\nB,4M,2M,1\n");
	struct import_table t = { .tests = (struct import_test[]){ { "A", NULL, 1 } } };

	cr_expect(isnan(r.estimates[0].hl_pct));
	cr_expect_eq(r.estimates[0].pairs, 0);
	cr_expect(strstr(report_import(arena, &t, &known, &r), "B/A        no pairs") != NULL);
}

Test(import, what_is_no_table_is_refused_with_its_line)
{
	static const struct {
		const char *text, *error;
	} t[] = {
		{ "", "t: there is no table" },
		{ "\n\n# order=random\n", "t: there is no table" },
		{ "T1,1,2\n", "t:1: 'T1': a header is expected whose first column is test" },
		{ "test,a,avg\n", "t: a header without rows" },
		{ "test,a,avg\nA,1,1\n", "t: all rows are of one test" },
		{ "test,a,avg\nA,1,1\nB,2\n", "t:3: 2 columns, the header has 3" },
		{ "test,a,avg\nA,1,1,1\n", "t:2: 4 columns, the header has 3" },
		{ "test,a,avg\nA,1,NaN\n", "t:2: avg: 'NaN' is not a number" },
		{ "test,a,avg\nA,1,inf\n", "t:2: avg: 'inf' is not a number" },
		{ "test,a,avg\nA,1,-5\n", "t:2: avg: '-5' is not a number" },
		{ "test,a,avg\nA,1,1e3\n", "t:2: avg: '1e3' is not a number" },
		{ "test,a,avg\nA,1,\n", "t:2: avg: '' is not a number" },
		{ "test,a,avg\nA,1,0\n", "t:2: avg: a result of 0 has no ratio" },
		{ "test,a,avg,min,max\nA,1,9,1,8\n", "t:2: avg 9 does not lie between" },
		{ "test,a,avg,min,max\nA,1,1,2,8\n", "t:2: avg 1 does not lie between" },
		{ "test,a,avg,median,min,max\nA,1,5,9,1,8\n", "t:2: min, median and max are not" },
		{ "test,a,window,avg\nA,1,x,1\n", "t:2: window: 'x' is not a size" },
		{ "test,a,window,avg\nA,1,0,1\n", "t:2: window: 0 is no window" },
		{ "test,a,avg\n,1,1\n", "t:2: test: the name is empty" },
		{ "test,a,avg\nA,,1\n", "t:2: a: the value is empty" },
		{ "test,a,avg\nA,1,1\nA,2,1\n", "t:3: A has a 2 here, and 1 in line 2" },
		{ "test,a,avg\nA,1,1\nA,1,2\n", "t:3: the same cell as in line 2" },
		{ "test,a,avg\nA,1,1\ntest,a,avg\n", "t:3: a second header" },
		{ "test,a,avg\nA,1,1\n# order=random\n", "t:3: a comment below the header" },
		{ "test,a,sd\nA,1,1\n", "t:1: there is no column avg" },
		{ "test,avg\nA,1\n", "t:1: there is no column of a knob" },
		{ "test,avg,sd\n", "t:1: column 'sd': behind the knobs only" },
		{ "test,a,a,avg\n", "t:1: column 'a' is there twice" },
		{ "test,a,window,iperf_w,avg\n", "t:1: column 'iperf_w' is there twice" },
		{ "test,a,,avg\n", "t:1: column 3 has no name" },
		{ "test,\"a\",avg\n", "t:1: quotes are not understood" },
		{ "test,\033[1m,avg\n", "t:1: a control character" },
		{ "test,a,avg\nA\xc3\xa4,1,1\n", "t:2: test: a name is made of ASCII" },
		{ "# speed=9\n", "t:1: speed= is not known" },
		{ "# order=random order=random\n", "t:1: order is given twice" },
		{ "# order=shuffled\n", "t:1: order: 'shuffled' is not known" },
		{ "# interleaved=\n", "t:1: interleaved: the value is empty" },
		{ "# run_s=-1\n", "t:1: run_s: '-1' is not a number" },
		{ "# order=sequential interleaved=yes\ntest,a,avg\n",
		    "t:2: order=sequential and interleaved=yes contradict" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct import_table out = { .n_tests = 7 };
		struct err e = { ERR_NONE, "" };

		cr_expect_not(import_read(arena, "t", t[i].text, strlen(t[i].text), &out, &e),
		    "case %zu is accepted", i);
		cr_expect_eq(strncmp(e.text, t[i].error, strlen(t[i].error)), 0, "case %zu: %s", i,
		    e.text);
		cr_expect_eq(e.code, ERR_USAGE, "case %zu", i);
		cr_expect_eq(out.n_tests, 7, "case %zu: output touched", i);
	}
}

Test(import, a_spreadsheets_line_ends_and_mark_change_nothing)
{
	const char *plain = text_2012();
	struct text t = { .arena = arena };
	struct import_result a = judged(plain), b;

	text_add(&t, "\xef\xbb\xbf");
	for (const char *s = plain; *s != '\0'; s++)
		text_add(&t, "%s%c", *s == '\n' ? "\r" : "", *s);
	b = judged(t.s);
	cr_expect_eq(b.estimates[1].e_worse, a.estimates[1].e_worse);
	cr_expect_str_eq(ids(&b), ids(&a));
}

Test(import, too_much_and_nul_bytes_are_refused)
{
	char *big = arena_alloc(arena, IMPORT_BYTES + 1);
	struct import_table out;
	struct err e = { ERR_NONE, "" }, f = { ERR_NONE, "" };

	cr_expect_not(import_read(arena, "t", big, IMPORT_BYTES + 1, &out, &e));
	cr_expect(strstr(e.text, "more than 1 MiB") != NULL, "%s", e.text);
	cr_expect_not(import_read(arena, "t", "test\0,a", 7, &out, &f));
	cr_expect(strstr(f.text, "NUL") != NULL, "%s", f.text);
}

Test(import, an_unknown_system_or_release_is_refused_by_name)
{
	static const char text[] = "test,a,avg\nA,1,1\nB,2,1\n";
	struct import_table t;
	struct import_system s;
	struct err e = { ERR_NONE, "" }, f = { ERR_NONE, "" };

	cr_assert(import_read(arena, "t", text, strlen(text), &t, &e));
	cr_expect_not(import_system(arena, &t, "plan9", NULL, &s, &e));
	cr_expect(strstr(e.text, "os: 'plan9' is not one of") != NULL, "%s", e.text);
	cr_expect_not(import_system(arena, &t, "linux", "new", &s, &f));
	cr_expect(strstr(f.text, "release: 'new' is not a release") != NULL, "%s", f.text);
}

Test(import, the_command_tells_and_prints_one_document)
{
	struct said told = program_run(arena, "import " TABLE_2012);
	struct said json = program_run(arena, "import --json " TABLE_2012);
	struct node *node;
	struct err e = { ERR_NONE, "" };

	cr_expect_eq(told.status, 0, "%s", told.err);
	cr_expect(strstr(told.out, "Keep the defaults") != NULL, "%s", told.out);
	cr_expect(strstr(told.out, "interleaved=yes order=random") != NULL, "%s", told.out);
	cr_expect_eq(json.status, 0, "%s", json.err);
	cr_expect(node_from_json(arena, "out", json.out, strlen(json.out), &node, &e), "%s", e.text);
	cr_expect(strstr(json.out, "\"verdict\": \"keep-defaults\"") != NULL, "%s", json.out);
	cr_expect(strstr(json.out, "\"class\": \"not-comparable\"") != NULL, "%s", json.out);
	cr_expect(strstr(json.out, "\"change\": []") != NULL, "%s", json.out);
	cr_expect(strstr(json.out, "\"T3/T1\": {\n      \"hl_pct\": -33.8,") != NULL, "%s", json.out);
}

Test(import, the_command_refuses_what_it_cannot_read)
{
	char file[] = "/tmp/pathtune-import-XXXXXX";
	int fd = mkstemp(file);
	struct said big, none = program_run(arena, "import"),
			 two = program_run(arena, "import a b"),
			 missing = program_run(arena, "import /nowhere/t.csv");

	cr_assert(fd >= 0 && ftruncate(fd, 10 << 20) == 0);
	close(fd);
	big = program_run(arena, arena_printf(arena, "import %s", file));
	unlink(file);
	cr_expect_neq(big.status, 0);
	cr_expect(strstr(big.err, file) != NULL, "%s", big.err);
	cr_expect_eq(none.status, 2);
	cr_expect_eq(two.status, 2);
	cr_expect_eq(missing.status, 1);
	cr_expect(strstr(missing.err, "/nowhere/t.csv") != NULL, "%s", missing.err);
}
