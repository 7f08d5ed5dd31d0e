/*
 * What the benches of tests/bench make of their figures: the oracle, the smallest sufficient window,
 * the ratios that the bars are about.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "../bench/lab_left.h"

#define MB 1e6

static struct arena *arena;
static struct sheet sheet;

static void
setup(void)
{
	arena = arena_new();
	sheet = sheet_new("oracle", path_named("full"));
	sheet.idle_rtt_ms = 80;
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(bars, .init = setup, .fini = teardown);

/* One more trial of a cell, of which the rest is as usual. */
static struct sheet_trial *
tried(struct cell *c, double mbps, double rtt_ms, double retransmits)
{
	struct sheet_trial *t = arena_push(arena, &c->trials, &c->n_trials, sizeof(*t));

	*t = (struct sheet_trial){ .round = (double)c->n_trials - 1, .status = TRIAL_OK,
		.goodput_bps = mbps * 1e6, .rtt_ms = rtt_ms, .retransmits = retransmits,
		.inflight_bytes = NAN, .rwnd_limited = NAN, .sndbuf_limited = NAN };
	return t;
}

static struct cell *
cell(const char *name, const char *cc, double mb, double mbps, double rtt_ms, double retransmits)
{
	struct cell *c = sheet_cell(arena, &sheet, name, cc, mb * MB);

	tried(c, mbps, rtt_ms, retransmits);
	return c;
}

static const char *
best(const char *cc)
{
	const struct cell *c = sheet_best(&sheet, sheet_find(&sheet, "start"), cc);

	return c == NULL ? "none" : c->name;
}

static const char *
smallest(const char *cc)
{
	const struct cell *c = sheet_smallest(&sheet, sheet_find(&sheet, "start"), cc);

	return c == NULL ? "none" : c->name;
}

Test(bars, the_oracle_is_the_fastest_that_the_guard_admits)
{
	cell("start", "cubic", 4, 100, 90, 0);
	cell("late", "cubic", 32, 200, 141, 0);
	cell("in time", "cubic", 16, 180, 139, 0);
	cell("wasteful", "bbr", 16, 190, 90, .031);
	cell("excepted", "bbr", 8, 185, 90, .029);
	cell("slow and wasteful", "bbr", 6, 140, 90, .011);
	cr_expect_str_eq(best(NULL), "excepted");
	cr_expect_str_eq(best("cubic"), "in time");
	cr_expect_str_eq(best("reno"), "none");
}

Test(bars, the_smallest_sufficient_window_is_within_3_percent_of_its_own_control)
{
	cell("start", "cubic", 4, 100, 80, 0);
	cell("c8", "cubic", 8, 150, 80, 0);
	cell("c16", "cubic", 16, 154, 80, 0);
	cell("b4", "bbr", 4.5, 190, 80, 0);
	cell("b8", "bbr", 8, 195, 80, .2);
	cell("b16", "bbr", 16, 200, 80, 0);
	cr_expect_str_eq(smallest("cubic"), "c8");
	cr_expect_str_eq(smallest("bbr"), "b16");
	cr_expect_str_eq(smallest("reno"), "none");
}

Test(bars, nothing_helps_below_5_percent)
{
	struct cell *start = cell("start", "cubic", 4, 100, 80, 0);

	cell("more", "cubic", 8, 104.9, 80, 0);
	cell("too late", "cubic", 16, 130, 200, 0);
	cr_expect(sheet_nothing_helps(&sheet, start));
	cell("most", "cubic", 12, 105.1, 80, 0);
	start = &sheet.cells[0];
	cr_expect_not(sheet_nothing_helps(&sheet, start));
}

Test(bars, a_ratio_is_of_rounds_that_have_both_and_its_interval_holds_it)
{
	struct cell *y = cell("y", "cubic", 4, 100, 80, 0);
	struct cell *x = cell("x", "cubic", 4, 110, 80, 0);
	struct interval r;

	y = &sheet.cells[0];
	for (int i = 1; i < 8; i++) {
		/* What drifts together cancels. */
		tried(y, 100 + 20 * i, 80, 0);
		tried(x, (100 + 20 * i) * 1.1, 80, 0);
	}
	x->trials[3].goodput_bps = NAN;
	r = cells_ratio(x, y);
	cr_expect_float_eq(r.estimate, 1.1, 1e-9);
	cr_expect_float_eq(r.low, 1.1, 1e-9);
	x->trials[5].goodput_bps /= 2;
	r = cells_ratio(x, y);
	cr_expect_float_eq(r.estimate, 1.1, 1e-9, "one outlier");
	cr_expect_lt(r.low, .9);
	cr_expect_eq(cell_failed(x), 0u);
	x->trials[3].status = TRIAL_VOID;
	cr_expect_eq(cell_failed(x), 1u);
}

Test(bars, a_sheet_goes_on_from_its_file_only_with_the_same_settings)
{
	char file[] = "/tmp/pathtune-test-XXXXXX";
	struct sheet same = sheet_new("oracle", path_named("full")), other = same;
	struct err e = { ERR_NONE, "" };
	int fd = mkstemp(file);

	cr_assert(fd >= 0);
	close(fd);
	cell("start", "cubic", 4, 100, 80, 0);
	sheet.rounds = 1;
	cr_assert(sheet_save(arena, file, &sheet, &e), "%s", e.text);
	sheet_cell(arena, &same, "start", "cubic", 4 * MB);
	sheet_cell(arena, &other, "start", "bbr", 4 * MB);
	cr_expect(sheet_resume(arena, file, &same));
	cr_expect_eq(same.rounds, 1);
	cr_expect_float_eq(cell_goodput_bps(&same.cells[0]), 100e6, 1);
	cr_expect_not(sheet_resume(arena, file, &other));
	cr_expect_eq(other.rounds, 0);
	unlink(file);
}

/* The setting that every comparison is with must be the lab's, not one that is written over it. */
Test(bars, the_start_is_left_as_the_lab_made_it)
{
	cr_expect_null(sheet_cell(arena, &sheet, "start", "cubic", PATH_START_MAX_BYTES)->wmem);
	cr_expect_str_eq(sheet_cell(arena, &sheet, "8", "cubic", 8e6)->wmem, "4096 16384 8000000");
}

Test(bars, every_grid_holds_the_start_once_and_ascends)
{
	for (size_t i = 0; i < PATHS; i++) {
		const struct lab_path *p = &lab_paths[i];
		double last = 0;
		unsigned starts = 0;

		for (size_t k = 0; k < PATH_WINDOWS; k++) {
			struct err e = { ERR_NONE, "" };
			double bytes = PATH_START_MAX_BYTES;

			starts += isnan(p->windows[k]);
			cr_assert(isnan(p->windows[k]) ||
			    path_max_bytes(arena, p->windows[k], &bytes, &e), "%s", e.text);
			cr_expect_gt(bytes, last, "%s, window %zu", p->name, k);
			last = bytes;
		}
		cr_expect_eq(starts, 1u, "%s", p->name);
	}
}
