#include "tuner/stats.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fmax(1, fabs(b));
}

struct vector {
	size_t n;
	double d[STATS_MAX];
	double estimate, low, high, max_e;
	size_t decision; /* first n >= 6 with max E >= 20; 0: none */
};

static bool
read_vector(FILE *f, struct vector *v)
{
	if (fscanf(f, "%zu", &v->n) != 1)
		return false;
	for (size_t i = 0; i < v->n; i++)
		if (fscanf(f, "%lf", &v->d[i]) != 1)
			return false;
	return fscanf(f, "%lf %lf %lf %lf %zu", &v->estimate, &v->low, &v->high, &v->max_e,
	    &v->decision) == 5;
}

static size_t
decision_of(const struct vector *v)
{
	struct bets b;

	stats_bets_start(&b);
	for (size_t i = 0; i < v->n; i++) {
		stats_bet(&b, v->d[i]);
		if (i + 1 >= 6 && b.max_e >= 20)
			return i + 1;
	}
	return 0;
}

Test(stats, agrees_with_every_vector)
{
	FILE *f = fopen(TESTS_DIR "/unit/data/stats_vectors.txt", "r");
	struct vector v;
	size_t line = 0;

	cr_assert_not_null(f);
	for (; read_vector(f, &v); line++) {
		struct interval r = stats_signed_rank(v.d, v.n, .95);
		double max_e;

		stats_e_process(v.d, v.n, &max_e);
		cr_expect(near(r.estimate, v.estimate), "line %zu: HL %g", line + 1, r.estimate);
		cr_expect(near(stats_hodges_lehmann(v.d, v.n), v.estimate), "line %zu", line + 1);
		cr_expect(near(r.low, v.low), "line %zu: low %g not %g", line + 1, r.low, v.low);
		cr_expect(near(r.high, v.high), "line %zu: high %g not %g", line + 1, r.high, v.high);
		cr_expect(near(max_e, v.max_e), "line %zu: E %.12g not %.12g", line + 1, max_e, v.max_e);
		cr_expect_eq(decision_of(&v), v.decision, "line %zu", line + 1);
	}
	fclose(f);
	cr_assert_eq(line, 35);
}

Test(stats, small_samples_say_what_confidence_they_can_give)
{
	static const struct {
		size_t n;
		double confidence;
	} table[] = {
		{1, 0}, {2, .5}, {3, .75}, {4, .875}, {5, .9375}, {6, .96875}, {8, 1 - 2 * 5. / 256},
	};
	const double v[] = {.1, .2, .3, .4, .5, .6, .7, .8};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct interval r = stats_signed_rank(v, table[i].n, .95);

		cr_expect(near(r.confidence, table[i].confidence), "n %zu: %g", table[i].n, r.confidence);
		cr_expect(r.low >= .1 - 1e-12 && r.high <= v[table[i].n - 1] + 1e-12);
	}
}

Test(stats, estimators_of_known_samples)
{
	const double v[] = {5, 1, 4, 2, 100};
	const double w[] = {0, 1, 2, 3, 4, 5, 6, 1000};

	cr_expect(near(stats_mean(v, 5), 22.4));
	cr_expect(near(stats_median(v, 5), 4));
	cr_expect(near(stats_median(v, 4), 3));
	cr_expect(near(stats_quantile(v, 5, .25), 2));
	cr_expect(near(stats_quantile(v, 4, .5), 3));
	cr_expect(near(stats_variance(v, 4), 10. / 3));
	cr_expect(near(stats_mad_sd(v, 5), 1.4826 * 2));
	cr_expect(near(stats_hodges_lehmann(v, 4), 3));
	/* 0 becomes 1, 1000 becomes 6 */
	cr_expect(near(stats_winsorised_variance(w, 8), 30. / 7));
	cr_expect(near(stats_variance(v, 1), 0));
	cr_expect(isnan(stats_median(v, 0)) && isnan(stats_mean(v, 0)));
	cr_expect(isnan(stats_hodges_lehmann(v, 0)));
}

/* The selection among pairwise means against all of them written out. */
static double
slow_hodges_lehmann(const double *v, size_t n)
{
	static double mean[60 * 61 / 2];
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++) {
			double x = (v[i] + v[j]) / 2;
			size_t k = m++;

			for (; k > 0 && mean[k - 1] > x; k--)
				mean[k] = mean[k - 1];
			mean[k] = x;
		}
	return m % 2 == 1 ? mean[m / 2] : (mean[m / 2 - 1] + mean[m / 2]) / 2;
}

Test(stats, selection_agrees_with_sorting_all_pairwise_means)
{
	double v[60];
	unsigned x = 7;

	for (size_t n = 1; n <= 60; n++) {
		for (size_t i = 0; i < n; i++) {
			x = x * 1103515245 + 12345;
			v[i] = (double)(x >> 16 & (n % 3 == 0 ? 3 : 4095)); /* every third: many ties */
		}
		cr_expect(near(stats_hodges_lehmann(v, n), slow_hodges_lehmann(v, n)), "n %zu", n);
	}
}

/* Ville over all sign patterns: however the sizes are, E reaches 20 in at most 1 of 20. */
Test(stats, e_process_crosses_in_at_most_one_in_twenty_sign_patterns)
{
	static const double sizes[][12] = {
		{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
		{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048},
		{9, 1, 8, 1, 7, 1, 6, 1, 5, 1, 4, 1},
		{0, 0, 1, 3, 0, 2, 2, 2, .1, .1, 5, 1},
	};

	for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
		unsigned crossed = 0;

		for (unsigned pattern = 0; pattern < 4096; pattern++) {
			double d[12], max_e;

			for (size_t i = 0; i < 12; i++)
				d[i] = (pattern >> i & 1 ? -1 : 1) * sizes[s][i];
			stats_e_process(d, 12, &max_e);
			crossed += max_e >= 20;
		}
		cr_expect(crossed <= 4096 / 20, "sizes %zu: %u", s, crossed);
		cr_expect(crossed > 0);
	}
}

Test(stats, large_samples_pass_smoothly_into_the_normal_approximation)
{
	double v[STATS_MAX];
	struct interval exact, normal;

	for (size_t i = 0; i < STATS_MAX; i++)
		v[i] = (double)((i * 37) % 128);
	exact = stats_signed_rank(v, 128, .95);
	normal = stats_signed_rank(v, 129, .95);
	cr_expect(fabs(exact.low - normal.low) < 1.5 && fabs(exact.high - normal.high) < 1.5);
	cr_expect(exact.confidence >= .95 && normal.confidence >= .95 - 1e-12);
	cr_expect(stats_signed_rank(v, STATS_MAX, .95).high > 63);
}
