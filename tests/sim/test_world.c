#include "scenarios.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool
within(double a, double b, double part)
{
	return fabs(a - b) <= part * fabs(b);
}

Test(world, noise_free_answers_agree_with_the_reference)
{
	FILE *f = fopen(TESTS_DIR "/sim/data/response.csv", "r");
	char line[256], name[32], direction[8], cc[16];
	double window, goodput, rtt_ms, retransmits;
	size_t rows = 0;

	cr_assert_not_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		const struct scenario *sc;
		struct answer a;

		if (sscanf(line, "%31[^,],%7[^,],%15[^,],%lf,%lf,%lf,%lf", name, direction, cc, &window,
		    &goodput, &rtt_ms, &retransmits) != 7)
			continue;
		sc = scenario_find(name);
		cr_assert_not_null(sc, "%s", name);
		a = path_answer(&sc->path, cc, window, path_capacity(&sc->path, 0));
		cr_expect(within(a.goodput_bps, goodput, .001), "%s%g", line, a.goodput_bps);
		cr_expect(within(a.rtt_s * 1000, rtt_ms, .001), "%s%g", line, a.rtt_s * 1000);
		cr_expect(within(a.retransmits, retransmits, .001), "%s%g", line, a.retransmits);
		rows++;
	}
	fclose(f);
	cr_assert_eq(rows, 275);
}

/* Spread of the log goodput of trials minutes apart, over many sessions. */
static double
spread(const struct path *p)
{
	static double y[400];
	struct ask ask = {.setting = {.cc = "cubic", .window_bytes = 6291456}, .warmup_s = 1, .duration_s = 3};
	double sum = 0, squares = 0;

	for (size_t i = 0; i < 400; i++) {
		struct world w;
		struct trial t;

		world_start(&w, p, i + 1);
		for (int k = 0; k < 3; k++)
			world_trial(&w, &ask, &t);
		y[i] = log(t.goodput_bps);
		sum += y[i];
	}
	for (size_t i = 0; i < 400; i++)
		squares += (y[i] - sum / 400) * (y[i] - sum / 400);
	return sqrt(squares / 399);
}

Test(world, noise_profiles_spread_as_named)
{
	static const struct {
		const struct noise *noise;
		double low, high;
	} table[] = {
		{&noise_quiet, .01, .02}, {&noise_moderate, .08, .12},
		{&noise_seed1, .26, .36}, {&noise_heavy, .33, .47},
	};
	struct path p = {100e6, .01, 1e6, 0, .bbr_gain = 1};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		double sd;

		p.noise = table[i].noise;
		sd = spread(&p);
		cr_expect(sd > table[i].low && sd < table[i].high, "%s: %g", p.noise->name, sd);
	}
}

Test(world, the_same_seed_gives_the_same_trials)
{
	struct ask ask = {.setting = {.cc = "bbr", .window_bytes = 6291456}, .warmup_s = 1, .duration_s = 3};
	const struct scenario *sc = scenario_find("n8-wan-null");
	struct world a, b;
	struct trial s, t;

	world_start(&a, &sc->path, 5);
	world_start(&b, &sc->path, 5);
	for (int i = 0; i < 20; i++) {
		world_trial(&a, &ask, &s);
		world_trial(&b, &ask, &t);
		cr_assert_eq(s.goodput_bps, t.goodput_bps);
	}
	cr_expect_eq(a.now_s, b.now_s);
	world_start(&b, &sc->path, 6);
	world_trial(&b, &ask, &t);
	cr_expect_neq(s.goodput_bps, t.goodput_bps);
}
