#include <criterion/criterion.h>

#include "tuner/bins.h"

#include <math.h>

/* Bins of 100 ms; v[k] is the k-th half second's bytes, spread evenly. */
static struct bins
halves(const double *v, size_t n)
{
	struct bins b = { .used = 0 };

	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < BINS_GROUP; i++)
			bins_add(&b, ((double)(k * BINS_GROUP + i) + .5) * BINS_S, v[k] / BINS_GROUP);
	return b;
}

Test(bins, a_byte_falls_into_the_interval_of_its_time)
{
	static const struct { double t; size_t bin; } cases[] = {
		{ 0, 0 }, { .0999, 0 }, { .1, 1 }, { .3, 3 }, { 7 * .1, 7 }, { 119.95, 1199 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bins b = { .used = 0 };

		bins_add(&b, cases[i].t, 7);
		cr_assert_eq(b.used, cases[i].bin + 1, "t %g", cases[i].t);
		cr_assert_eq(b.bytes[cases[i].bin], 7, "t %g", cases[i].t);
	}
}

Test(bins, bytes_that_came_over_a_time_are_shared_out_by_it)
{
	struct bins b = { .used = 0 };

	bins_spread(&b, .05, .35, 300); /* half of a bin, two whole ones, half of one */
	bins_spread(&b, .7, .7, 7);
	cr_assert_float_eq(b.bytes[0], 50, 1e-6);
	cr_assert_float_eq(b.bytes[1], 100, 1e-6);
	cr_assert_float_eq(b.bytes[2], 100, 1e-6);
	cr_assert_float_eq(b.bytes[3], 50, 1e-6);
	cr_assert_eq(b.bytes[7], 7);
	bins_spread(&b, 119.95, 1e9, 1e9); /* ends, and within the bins */
	cr_assert_eq(b.used, BINS_MAX);
	cr_assert_lt(b.bytes[BINS_MAX - 1], 1);
}

Test(bins, what_lies_outside_of_all_bins_is_not_counted)
{
	static const double t[] = { -1, 120, 1e9 };
	struct bins b = { .used = 0 };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		bins_add(&b, t[i], 7);
	cr_assert_eq(b.used, 0);
}

Test(bins, a_warm_up_takes_every_bin_that_it_touches)
{
	static const struct { double s; size_t bins; } cases[] = {
		{ 0, 0 }, { .05, 1 }, { .1, 1 }, { .3, 3 }, { 2, 20 }, { 2.01, 21 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(bins_warmup(cases[i].s), cases[i].bins, "%g s", cases[i].s);
}

Test(bins, the_rate_counts_empty_intervals_too)
{
	struct bins b = { .used = 0 };

	bins_add(&b, .05, 100);
	bins_add(&b, .25, 200);
	cr_assert_float_eq(bins_rate(&b, 0, 4), 300 / .4, 1e-9);
	cr_assert_float_eq(bins_rate(&b, 1, 3), 200 / .2, 1e-9);
	cr_assert(isnan(bins_rate(&b, 2, 2)));
}

Test(bins, only_enough_even_half_seconds_are_tight)
{
	static const struct { double v[6]; size_t n; bool tight; } cases[] = {
		{ { 100, 100, 100, 100 }, 4, true },
		{ { 100, 101, 100, 99 }, 4, true },   /* 2.8 * .816 / 2 = 1.14 */
		{ { 100, 102, 100, 98 }, 4, false },  /* 2.29 */
		{ { 100, 102, 100, 98, 100, 100 }, 6, true }, /* 2.8 * 1.265 / 2.449 = 1.45 */
		{ { 100, 100, 100 }, 3, false },
		{ { 0, 0, 0, 0 }, 4, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bins b = halves(cases[i].v, cases[i].n);

		cr_assert_eq(bins_tight(&b, 0, cases[i].n * BINS_GROUP), cases[i].tight, "%zu", i);
	}
}

Test(bins, a_clear_trend_is_not_steady_and_noise_is)
{
	static const struct { double v[8]; size_t n; bool steady; } cases[] = {
		{ { 100, 100, 100, 100, 100, 100 }, 6, true },
		{ { 100, 102, 104, 106, 108, 109 }, 6, true },   /* grows by 9 % */
		{ { 60, 70, 80, 90, 100, 110 }, 6, false },      /* slow start not over */
		{ { 110, 100, 90, 80, 70, 60 }, 6, false },
		{ { 60, 140, 70, 130, 80, 120 }, 6, true },      /* noise, no line */
		{ { 100, 100, 100 }, 3, false },                 /* shows nothing */
		{ { 0, 0, 0, 0 }, 4, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bins b = halves(cases[i].v, cases[i].n);

		cr_assert_eq(bins_steady(&b, 0, cases[i].n * BINS_GROUP), cases[i].steady, "%zu", i);
	}
}

Test(bins, what_came_before_the_first_counted_bin_does_not_matter)
{
	static const double v[] = { 1, 20, 100, 100, 100, 100 };
	struct bins b = halves(v, 6);

	cr_assert_not(bins_steady(&b, 0, 6 * BINS_GROUP));
	cr_assert(bins_steady(&b, 2 * BINS_GROUP, 6 * BINS_GROUP));
	cr_assert(bins_tight(&b, 2 * BINS_GROUP, 6 * BINS_GROUP));
}
