/* The comparison of named settings, on simulated paths with fixed seeds. */
#include "tuner/try.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static struct arena *a;

static void
setup(void)
{
	a = arena_new();
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(try, .init = setup, .fini = teardown);

/* A path of 100 Mbit/s whose level wanders; settings have factors. */
struct path {
	uint64_t bits, noise;
	double level, drift, wander, white; /* of the log: now; per trial: up, sd, own sd */
	double factor[TRY_SETTINGS_MAX];    /* 0: 1 */
	double stratum[TRY_STRATA_MAX];     /* 0: 1 */
	double rtt_ms[TRY_SETTINGS_MAX];    /* under load; 0: 30 */
	enum trial_status status[TRY_SETTINGS_MAX];
	double now_s, bytes;
	unsigned trials, asked[TRY_SETTINGS_MAX], seen[TRY_STRATA_MAX];
};

static unsigned long long
random_bits(void *arg)
{
	uint64_t *s = arg, z = (*s += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static double
normal(struct path *p)
{
	double u = ((double)(random_bits(&p->noise) >> 11) + 1) / 9007199254740993.;
	double v = (double)(random_bits(&p->noise) >> 11) / 9007199254740992.;

	return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979 * v);
}

static double
or(double x, double otherwise)
{
	return x == 0 ? otherwise : x;
}

static struct trial
run(struct path *p, const struct try_ask *ask)
{
	size_t s = ask->setting;
	struct trial t = { .status = p->status[s], .retransmits = 0, .why = NULL };

	p->level += p->drift + p->wander * normal(p);
	t.goodput_bps = 1e8 * or(p->factor[s], 1) * or(p->stratum[ask->stratum], 1) *
	    exp(p->level + p->white * normal(p));
	t.rtt.idle_ms = 20;
	t.rtt.loaded_ms = or(p->rtt_ms[s], 30);
	if (t.status != TRIAL_OK) {
		t.goodput_bps = NAN;
		t.why = "refused by the kernel";
	}
	p->now_s += .3 + ask->warmup_s + ask->duration_s;
	p->bytes += isnan(t.goodput_bps) ? 0 : t.goodput_bps / 8 * (ask->warmup_s + ask->duration_s);
	p->asked[s]++;
	p->seen[ask->stratum]++;
	p->trials++;
	return t;
}

static struct try_config
config(struct path *p, size_t n, size_t strata)
{
	return (struct try_config){ .n = n, .strata = strata, .idle_rtt_s = .02, .duration_s = NAN,
		.budget_s = 600, .data_cap_bytes = NAN, .rounds = NAN, .policy = POLICY_BALANCED,
		.random = random_bits, .random_arg = &p->bits };
}

static struct try *
tried(struct arena *arena, struct path *p, const struct try_config *c)
{
	struct try *t = try_new(arena, c);
	struct try_ask ask;

	while (p->trials < 10000 && try_next(t, p->now_s, p->bytes, &ask)) {
		struct trial trial = run(p, &ask);

		try_tell(t, &trial);
	}
	cr_assert_lt(p->trials, 10000u, "does not end");
	return t;
}

Test(try, finds_what_is_a_fifth_faster_and_tells_the_others_as_they_are)
{
	struct path p = { .bits = 1, .noise = 2, .white = .06, .factor = { 1, 1.2, .7, 1.001 } };
	struct try_config c = config(&p, 4, 1);
	struct try *t = tried(a, &p, &c);
	struct try_verdict v = try_verdict(t, 1);

	cr_expect_eq(try_best(t), 1u);
	cr_expect_eq(v.class, TRY_BETTER);
	cr_expect(v.effect.low > 8 && v.effect.low < 20 && v.effect.high > 20 && v.effect.high < 32,
	    "[%g, %g]", v.effect.low, v.effect.high);
	cr_expect(v.after.goodput_bps > v.before.goodput_bps);
	cr_expect_eq(try_verdict(t, 2).class, TRY_WORSE);
	cr_expect_eq(try_verdict(t, 3).class, TRY_NO_GAIN);
	cr_expect_lt(p.now_s, 600);
	cr_expect_null(try_why(t));
	cr_expect_lt(p.asked[2], p.asked[0], "what lost is not tried to the end");
}

/* 11 candidates that do nothing, on a path of 28 %: one false "better" in 20 runs is allowed. */
Test(try, of_many_equal_settings_one_is_called_better_in_at_most_a_twentieth_of_runs)
{
	static const struct { size_t n, strata; double drift, wander, white; } t[] = {
		{ 2, 1, 0, .05, .1 }, { 4, 3, .01, .1, .1 }, { 12, 1, 0, .2, .1 },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		unsigned wrong = 0;

		for (unsigned run = 0; run < 2000; run++) {
			struct path p = { .bits = run, .noise = run + 77777 * (i + 1),
				.drift = t[i].drift, .wander = t[i].wander, .white = t[i].white };
			struct try_config c = config(&p, t[i].n, t[i].strata);
			struct arena *own = arena_new();

			wrong += try_best(tried(own, &p, &c)) != 0;
			arena_free(own);
		}
		cr_expect_leq(wrong, 100u, "%zu settings: %u of 2000", t[i].n, wrong);
	}
}

/* Socket windows differ twentyfold and the path doubles within ten trials: neither is an effect. */
Test(try, drift_and_strata_are_no_effect)
{
	struct path p = { .bits = 5, .noise = 6, .drift = .02, .white = .01,
		.stratum = { .05, .2, 1, .5 } };
	struct try_config c = config(&p, 3, 4);
	struct try *t;

	c.rounds = 4;
	t = tried(a, &p, &c);
	cr_expect_eq(try_best(t), 0u);
	for (size_t i = 1; i < 3; i++)
		cr_expect(fabs(try_verdict(t, i).effect.estimate) < 10, "%g",
		    try_verdict(t, i).effect.estimate);
	cr_expect(p.seen[0] > 0 && p.seen[3] > 0);
	cr_expect_lt(try_stratum_bps(t, 1, 0), try_stratum_bps(t, 1, 1) / 2);
	cr_expect_lt(try_stratum_bps(t, 0, 0), try_stratum_bps(t, 0, 1) / 2);
}

Test(try, an_effect_shows_across_socket_windows)
{
	struct path p = { .bits = 5, .noise = 6, .wander = .1, .white = .03, .factor = { 1, 1, 1.2 },
		.stratum = { .1, .3, 1 } };
	struct try_config c = config(&p, 3, 3);

	cr_expect_eq(try_best(tried(a, &p, &c)), 2u);
}

Test(try, every_block_holds_all_live_settings_once_and_rounds_all_strata)
{
	struct path p = { .bits = 9, .noise = 1, .white = .3 };
	struct try_config c = config(&p, 5, 3);
	struct try *t = try_new(a, &c);
	unsigned first[5] = { 0 }, seen = 0;
	struct try_ask ask;

	c.rounds = 20;
	t = try_new(a, &c);
	while (try_next(t, p.now_s, p.bytes, &ask) && ask.block < 6) {
		struct trial trial = run(&p, &ask);

		seen |= 1u << ask.setting;
		first[ask.setting] += ask.slot == 0;
		if (ask.slot == 4) {
			cr_expect_eq(seen, 31u, "block %g: %x", ask.block, seen);
			seen = 0;
		}
		try_tell(t, &trial);
	}
	cr_expect(p.seen[0] == 10 && p.seen[1] == 10 && p.seen[2] == 10);
	cr_expect(first[0] < 6 && first[1] < 6, "the order is random");
}

Test(try, no_block_starts_that_does_not_fit)
{
	static const double budgets[] = { .001, 5, 13, 60, 300 }, caps[] = { 0, 1, 3e8, 1e9 };

	for (size_t i = 0; i < NELEM(budgets); i++)
		for (size_t k = 0; k < NELEM(caps); k++) {
			struct path p = { .bits = 3, .noise = 4, .white = .3 };
			struct try_config c = config(&p, 3, 2);
			struct try *t;
			double first;

			c.budget_s = budgets[i];
			c.data_cap_bytes = caps[k];
			t = tried(a, &p, &c);
			first = 3 * 1.6e8; /* nobody knows what the first block moves */
			cr_expect_leq(p.now_s, budgets[i]);
			cr_expect(caps[k] == 0 || p.bytes <= fmax(caps[k], first), "%g of %g", p.bytes,
			    caps[k]);
			if (try_best(t) == 0 && try_blocks(t) < 8)
				cr_expect_not_null(try_why(t));
		}
}

Test(try, a_single_block_decides_nothing)
{
	struct path p = { .bits = 3, .noise = 4, .white = .01, .factor = { 1, 2 } };
	struct try_config c = config(&p, 2, 1);
	struct try_verdict v;
	struct try *t;

	c.rounds = 1;
	t = tried(a, &p, &c);
	v = try_verdict(t, 1);
	cr_expect_eq(try_best(t), 0u);
	cr_expect_eq(v.class, TRY_INCONCLUSIVE);
	cr_expect(v.effect.pairs == 1 && v.effect.estimate > 90);
	cr_expect_float_eq(try_blocks(t), 1, 0);
}

Test(try, what_fails_is_named_and_the_others_are_judged)
{
	struct path p = { .bits = 3, .noise = 4, .white = .02, .factor = { 1, 1, 1.3, 1 },
		.status = { TRIAL_OK, TRIAL_VOID, TRIAL_OK, TRIAL_TIMEOUT } };
	struct try_config c = config(&p, 4, 1);
	struct try *t = tried(a, &p, &c);

	cr_expect_eq(try_verdict(t, 1).class, TRY_FAILED);
	cr_expect_str_eq(try_verdict(t, 1).why, "refused by the kernel");
	cr_expect_eq(p.asked[1], 3u);
	cr_expect_eq(try_best(t), 2u);
	cr_expect_eq(try_verdict(t, 3).class, TRY_WORSE, "a time-out is a loss");
}

Test(try, when_the_present_setting_gives_nothing_the_run_ends)
{
	static const enum trial_status bad[] = { TRIAL_VOID, TRIAL_TIMEOUT };

	for (size_t i = 0; i < 2; i++) {
		struct path p = { .bits = 3, .noise = 4, .status = { bad[i], bad[i], bad[i] } };
		struct try_config c = config(&p, 3, 1);
		struct try *t = tried(a, &p, &c);

		cr_expect_leq(p.trials, 12u);
		cr_expect_eq(try_best(t), 0u);
		cr_expect_eq(try_verdict(t, 1).class, TRY_FAILED);
		cr_expect_not_null(try_why(t));
	}
}

/* A transfer that reports nonsense is one that failed. */
Test(try, a_goodput_that_is_no_number_counts_as_a_loss)
{
	struct path p = { .bits = 3, .noise = 4, .white = .01 };
	struct try_config c = config(&p, 2, 1);
	struct try *t = try_new(a, &c);
	struct try_ask ask;

	while (try_next(t, p.now_s, p.bytes, &ask)) {
		struct trial trial = run(&p, &ask);

		if (ask.setting == 1)
			trial.goodput_bps = ask.block < 2 ? NAN : ask.block < 4 ? -1 : INFINITY;
		try_tell(t, &trial);
	}
	cr_expect_eq(try_verdict(t, 1).class, TRY_WORSE);
	cr_expect(try_verdict(t, 1).effect.high < -98);
}

Test(try, what_swells_the_queue_is_too_costly_unless_that_is_accepted)
{
	struct path p = { .bits = 3, .noise = 4, .white = .01, .factor = { 1, 1.3 },
		.rtt_ms = { 30, 200 } }, q = p;
	struct try_config c = config(&p, 2, 1);
	struct try *t = tried(a, &p, &c);

	cr_expect_eq(try_verdict(t, 1).class, TRY_GUARD);
	cr_expect(try_verdict(t, 1).guard_rtt);
	cr_expect_float_eq(try_verdict(t, 1).guard_limit_ms, 80, 1e-6);
	cr_expect_eq(try_best(t), 0u);
	c = config(&q, 2, 1);
	c.policy = POLICY_THROUGHPUT;
	cr_expect_eq(try_best(tried(a, &q, &c)), 1u);
}

Test(try, among_equals_the_simplest_is_chosen_and_some_never)
{
	struct path p = { .bits = 3, .noise = 4, .white = .01, .factor = { 1, 1.3, 1.3, 1.6 } }, q = p;
	struct try_config c = config(&p, 4, 1);

	memcpy(c.changes, (double[]){ 0, 3, 1, 1 }, 4 * sizeof(double));
	c.never[3] = true;
	cr_expect_eq(try_best(tried(a, &p, &c)), 2u);
	c.never[3] = false;
	c.random_arg = &q.bits;
	cr_expect_eq(try_best(tried(a, &q, &c)), 3u);
}

/* Else dropping blocks that begin badly would make a change likely. */
Test(try, a_block_cut_short_counts_against_every_candidate_in_it)
{
	struct path p = { .bits = 3, .noise = 4, .white = .01, .factor = { 1, 1.3, 1 } };
	struct try_config c = config(&p, 3, 1);
	struct try *t = try_new(a, &c);
	struct try_ask ask;

	while (try_next(t, p.now_s, p.bytes, &ask)) {
		struct trial trial = run(&p, &ask);

		if (ask.block >= 3) {
			try_stop(t);
			break;
		}
		try_tell(t, &trial);
	}
	cr_expect_not(try_next(t, p.now_s, p.bytes, &ask));
	for (size_t i = 1; i < 3; i++) {
		cr_expect_eq(try_verdict(t, i).effect.pairs, 4);
		cr_expect_lt(try_verdict(t, i).effect.low, 0);
	}
	cr_expect_str_eq(try_why(t), "stopped before the end");
}

/* One stuck connection may be chance, two are a property of the setting. */
Test(try, a_setting_whose_connections_get_stuck_is_not_chosen)
{
	struct path p = { .bits = 3, .noise = 4, .white = .01, .factor = { 1, 3 } };
	struct try_config c = config(&p, 2, 1);
	struct try *t = try_new(a, &c);
	struct try_ask ask;

	while (try_next(t, p.now_s, p.bytes, &ask)) {
		struct trial trial = run(&p, &ask);

		if (ask.setting == 1 && (ask.block == 1 || ask.block == 3))
			trial.goodput_bps /= 10;
		try_tell(t, &trial);
	}
	cr_expect_eq(try_best(t), 0u);
	cr_expect_eq(try_verdict(t, 1).class, TRY_UNSTEADY);
}
