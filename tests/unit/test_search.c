#include "tuner/search.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MB 1048576.

/* ---- a small path without noise, and what may go wrong on it -------------------------------- */

struct path {
	double capacity_bps, rtt_s, queue_bytes;
	double bbr_gain;        /* of bbr over the capacity; 0: 1 too */
	double cubic_bps;       /* cubic never gets more; 0: no limit */
	double bbr_retransmits;
	unsigned stuck;         /* every so manieth bbr connection at a tenth; 0: none */
};

struct lab {
	struct path path;
	double now_s, bytes;
	unsigned bbr_connections, trials;
	/* Spoils the answer of a trial; NULL: none. */
	void (*spoil)(struct trial *t, unsigned n);
};

static unsigned long long
bits(void *arg)
{
	uint64_t *s = arg, z = (*s += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static bool
is_bbr(const struct setting *s)
{
	return s->cc != NULL && strcmp(s->cc, "bbr") == 0;
}

static double
goodput(struct lab *l, const struct setting *s)
{
	const struct path *p = &l->path;
	double bps = fmin(p->capacity_bps, 8 * s->window_bytes / p->rtt_s);

	if (is_bbr(s)) {
		bps *= p->bbr_gain > 0 ? p->bbr_gain : 1;
		if (p->stuck > 0 && ++l->bbr_connections % p->stuck == 0)
			bps /= 10;
	} else if (p->cubic_bps > 0) {
		bps = fmin(bps, p->cubic_bps);
	}
	return bps;
}

static void
run_trial(struct lab *l, const struct ask *ask, struct trial *t)
{
	const struct path *p = &l->path;
	double bdp = p->capacity_bps * p->rtt_s / 8;
	double queue = fmin(fmax(ask->setting.window_bytes - bdp, 0), p->queue_bytes);

	*t = (struct trial){.setting = ask->setting, .phase = ask->phase, .block = ask->block,
	    .slot = ask->slot, .coin = ask->coin, .status = TRIAL_OK, .inflight_bytes = NAN};
	t->goodput_bps = goodput(l, &ask->setting);
	t->rtt.idle_ms = t->rtt.min_ms = p->rtt_s * 1000;
	t->rtt.loaded_ms = t->rtt.idle_ms + (is_bbr(&ask->setting) ? 0 : 8000 * queue / p->capacity_bps);
	t->retransmits = is_bbr(&ask->setting) ? p->bbr_retransmits : 0;
	t->bytes = t->goodput_bps / 8 * (ask->warmup_s + ask->duration_s);
	l->now_s += .3 + ask->warmup_s + ask->duration_s;
	l->bytes += t->bytes;
	if (l->spoil != NULL)
		l->spoil(t, l->trials);
	l->trials++;
}

static const char *const cubic_bbr[] = {"cubic", "bbr"};

static struct search_config
config(double rtt_s, double window_bytes, size_t n_cc)
{
	static uint64_t seed;
	struct search_config c = {.direction = DIR_SEND, .window_bytes = window_bytes,
	    .window_max_bytes = 64 * MB, .cc = cubic_bbr, .n_cc = n_cc, .idle_rtt_s = rtt_s,
	    .link_bps = NAN, .budget_s = 600, .policy = POLICY_BALANCED, .confirmations = 1,
	    .random = bits, .random_arg = &seed};

	seed = 42;
	return c;
}

static struct search_result
search(struct lab *l, const struct search_config *c)
{
	static char why[256];
	struct arena *a = arena_new();
	struct search *s = search_new(a, c);
	struct search_result r;
	struct trial t;
	struct ask ask;

	while (l->trials < 5000 && search_next(s, l->now_s, l->bytes, &ask)) {
		run_trial(l, &ask, &t);
		search_tell(s, &t);
	}
	cr_expect(l->trials < 5000, "does not end");
	r = search_result(s);
	if (r.why != NULL) {
		snprintf(why, sizeof(why), "%s", r.why);
		r.why = why;
	}
	r.chosen.cc = is_bbr(&r.chosen) ? "bbr" : r.chosen.cc == NULL ? NULL : "cubic";
	arena_free(a);
	return r;
}

/* ---- what is decided ------------------------------------------------------------------------ */

Test(search, verdicts_on_paths_without_noise)
{
	static const struct {
		const char *what;
		struct path path;
		double window;
		size_t n_cc;
		enum policy policy;
		enum decision_class class;
	} table[] = {
		{"window far too small", {300e6, .08, 3e6, .bbr_gain = 1}, .16 * MB, 2, POLICY_BALANCED, CLASS_WINDOW},
		{"receiving", {300e6, .08, 3e6, .bbr_gain = 1}, .16 * MB, 0, POLICY_BALANCED, CLASS_WINDOW},
		{"loss holds cubic back", {100e6, .1, 1e6, .cubic_bps = 3e6}, 2.6 * MB, 2,
		    POLICY_BALANCED, CLASS_CONGESTION},
		{"both", {600e6, .2, 8e6, .cubic_bps = 60e6}, 1 * MB, 2, POLICY_BALANCED, CLASS_BOTH},
		{"nothing helps", {500e6, .001, 1e5, .bbr_gain = 1}, 2.6 * MB, 2, POLICY_BALANCED, CLASS_NO_GAIN},
		{"window beyond need, no choice", {500e6, .001, 1e5, .bbr_gain = 1}, 2.6 * MB, 1, POLICY_BALANCED,
		    CLASS_CANNOT_BIND},
		{"bbr 2 % better is not worth it", {500e6, .03, 1e6, .bbr_gain = 1.02}, 16 * MB, 2,
		    POLICY_BALANCED, CLASS_NO_GAIN},
		{"more than 1 % of retransmits for a third", {90e6, .05, 1e6, .cubic_bps = 65e6,
		    .bbr_retransmits = .02}, 16 * MB, 2, POLICY_BALANCED, CLASS_GUARD},
		{"the same for threefold", {200e6, .05, 1e6, .cubic_bps = 65e6,
		    .bbr_retransmits = .02}, 16 * MB, 2, POLICY_BALANCED, CLASS_CONGESTION},
		{"too many even so", {200e6, .05, 1e6, .cubic_bps = 65e6, .bbr_retransmits = .04},
		    16 * MB, 2, POLICY_BALANCED, CLASS_GUARD},
		{"every fifth connection gets stuck", {100e6, .1, 1e6, .cubic_bps = 3e6, .stuck = 5},
		    2.6 * MB, 2, POLICY_BALANCED, CLASS_UNSTEADY},
	};

	for (size_t i = 0; i < NELEM(table); i++) {
		struct lab l = {.path = table[i].path};
		struct search_config c = config(table[i].path.rtt_s, table[i].window, table[i].n_cc);
		struct search_result r;

		c.policy = table[i].policy;
		r = search(&l, &c);
		cr_expect_eq(r.class, table[i].class, "%s: %s", table[i].what,
		    decision_class_names[r.class]);
		cr_expect_eq(r.verdict == VERDICT_CHANGE, r.class <= CLASS_BOTH, "%s", table[i].what);
		cr_expect(l.now_s <= 600, "%s: %g s", table[i].what, l.now_s);
	}
}

Test(search, chooses_a_window_that_fills_the_path_and_little_more)
{
	static const double rtts[] = {.005, .02, .08, .2};

	for (size_t i = 0; i < NELEM(rtts); i++) {
		struct lab l = {.path = {300e6, rtts[i], 3e6, .bbr_gain = 1}};
		struct search_config c = config(rtts[i], .0625 * MB, 1);
		struct search_result r = search(&l, &c);
		double bdp = 300e6 * rtts[i] / 8;

		cr_expect_eq(r.class, CLASS_WINDOW);
		cr_expect(r.chosen.window_bytes >= .95 * bdp && r.chosen.window_bytes < 2 * bdp,
		    "rtt %g: %g of %g", rtts[i], r.chosen.window_bytes, bdp);
		cr_expect(r.effect.low > 0 && r.effect.low <= r.effect.estimate);
		cr_expect(r.effect.estimate <= r.effect.high && r.effect.pairs >= 6);
		cr_expect(r.after.goodput_bps > .95 * 300e6 && r.before.goodput_bps < r.after.goodput_bps);
	}
}

Test(search, names_the_retransmit_exception_and_only_that)
{
	struct lab costly = {.path = {200e6, .05, 1e6, .cubic_bps = 65e6, .bbr_retransmits = .02}};
	struct lab clean = {.path = {200e6, .05, 1e6, .cubic_bps = 65e6, .bbr_retransmits = .005}};
	struct search_config c = config(.05, 16 * MB, 2);

	cr_expect(search(&costly, &c).retransmit_exception);
	cr_expect_not(search(&clean, &c).retransmit_exception);
}

/* Between 95 % of the path and its deep queue there is no step: what is faster also queues. */
Test(search, delay_guard_depends_on_the_policy)
{
	struct lab l = {.path = {100e6, .01, 40e6, .bbr_gain = 1}};
	struct search_config c = config(.01, .0625 * MB, 1);
	struct search_result r;

	c.window_max_bytes = 2 * MB;
	r = search(&l, &c);
	cr_expect_eq(r.class, CLASS_WINDOW);
	cr_expect(r.after.rtt_ms <= 1.1 * 60, "%g", r.after.rtt_ms);
	cr_expect_float_eq(r.guard_limit_ms, 60, 1e-6);
	c.policy = POLICY_LATENCY;
	l = (struct lab){.path = l.path};
	cr_expect(search(&l, &c).after.rtt_ms <= 1.1 * 22.5);
	c.policy = POLICY_THROUGHPUT;
	l = (struct lab){.path = l.path};
	r = search(&l, &c);
	cr_expect_eq(r.class, CLASS_WINDOW);
	cr_expect(isnan(r.guard_limit_ms));
}

/* ---- budgets -------------------------------------------------------------------------------- */

Test(search, no_block_starts_that_does_not_fit)
{
	static const double budgets[] = {.001, 1, 5, 20, 40, 60, 90, 150, 301};
	static const double caps[] = {0, 1e3, 1e8, 1e9, 3e9, 1e10};

	for (size_t i = 0; i < NELEM(budgets); i++)
		for (size_t k = 0; k < NELEM(caps); k++) {
			struct lab l = {.path = {300e6, .08, 3e6, .bbr_gain = 1}};
			struct search_config c = config(.08, .16 * MB, 2);
			struct search_result r;

			c.budget_s = budgets[i];
			c.data_cap_bytes = caps[k];
			r = search(&l, &c);
			cr_expect(l.now_s <= budgets[i], "%g s of %g", l.now_s, budgets[i]);
			cr_expect(caps[k] == 0 || l.bytes <= caps[k], "%g of %g", l.bytes, caps[k]);
			cr_expect(r.verdict != VERDICT_NONE);
			if (r.verdict == VERDICT_KEEP)
				cr_expect(r.class == CLASS_INCONCLUSIVE && r.why != NULL, "%s",
				    decision_class_names[r.class]);
		}
}

Test(search, an_unusable_budget_means_that_of_the_mode)
{
	struct search_config c = config(.08, .16 * MB, 2);

	c.budget_s = NAN;
	cr_expect_eq(search_expected_s(&c), 600);
	c.mode = BUDGET_QUICK;
	cr_expect_eq(search_expected_s(&c), 150);
	c.mode = BUDGET_THOROUGH;
	cr_expect_eq(search_expected_s(&c), 1200);
	c.budget_s = 77;
	cr_expect_eq(search_expected_s(&c), 77);
}

/* ---- bad answers ---------------------------------------------------------------------------- */

static void
answer_nan(struct trial *t, unsigned n)
{
	(void)n;
	t->goodput_bps = NAN;
}

static void
answer_nothing(struct trial *t, unsigned n)
{
	t->goodput_bps = n == 0 ? t->goodput_bps : n % 2 ? 0 : -5e6;
	t->retransmits = t->rtt.loaded_ms = NAN;
}

static void
answer_infinity(struct trial *t, unsigned n)
{
	t->goodput_bps = n == 0 ? t->goodput_bps : INFINITY;
	t->rtt.loaded_ms = -1;
}

static void
answer_refused(struct trial *t, unsigned n)
{
	t->status = n == 0 ? TRIAL_OK : TRIAL_VOID;
}

static void
answer_cut(struct trial *t, unsigned n)
{
	t->status = n == 0 ? TRIAL_OK : TRIAL_CUT;
}

static void
cut_pairs(struct trial *t, unsigned n)
{
	(void)n;
	t->status = t->phase == PHASE_CONFIRM ? TRIAL_CUT : TRIAL_OK;
}

static void
bbr_times_out(struct trial *t, unsigned n)
{
	(void)n;
	if (is_bbr(&t->setting))
		t->status = TRIAL_TIMEOUT;
}

static void
large_window_fails(struct trial *t, unsigned n)
{
	(void)n;
	if (t->setting.window_bytes > 2.7 * MB)
		t->goodput_bps = 0;
}

static void
all_equal(struct trial *t, unsigned n)
{
	(void)n;
	t->goodput_bps = 1e6;
}

static void
halves(struct trial *t, unsigned n)
{
	t->goodput_bps /= n >= 20 ? 2 : 1; /* a peer that throttles in the middle */
}

Test(search, bad_answers_never_recommend_a_change)
{
	static const struct {
		const char *what;
		void (*spoil)(struct trial *, unsigned);
		enum decision_class class;
	} table[] = {
		{"never a number", answer_nan, CLASS_FAILED},
		{"nothing after the first", answer_nothing, CLASS_NO_GAIN},
		{"infinite after the first", answer_infinity, CLASS_NO_GAIN},
		{"refused after the first", answer_refused, CLASS_FAILED},
		{"cut after the first", answer_cut, CLASS_FAILED},
		{"pairs cut short", cut_pairs, CLASS_INCONCLUSIVE},
		{"all equal", all_equal, CLASS_NO_GAIN},
	};

	for (size_t i = 0; i < NELEM(table); i++) {
		struct lab l = {.path = {100e6, .1, 1e6, .cubic_bps = 3e6}, .spoil = table[i].spoil};
		struct search_config c = config(.1, 2.6 * MB, 2);
		struct search_result r = search(&l, &c);

		cr_expect_eq(r.verdict, VERDICT_KEEP, "%s", table[i].what);
		cr_expect_eq(r.class, table[i].class, "%s: %s", table[i].what,
		    decision_class_names[r.class]);
		cr_expect(r.class != CLASS_FAILED || r.why != NULL);
	}
}

Test(search, a_candidate_that_fails_loses)
{
	struct lab l = {.path = {100e6, .1, 1e6, .cubic_bps = 3e6}, .spoil = bbr_times_out};
	struct search_config c = config(.1, 2.6 * MB, 2);

	cr_expect_eq(search(&l, &c).verdict, VERDICT_KEEP);
	l = (struct lab){.path = {300e6, .08, 3e6, .bbr_gain = 1}, .spoil = large_window_fails};
	c = config(.08, .16 * MB, 1);
	cr_expect(search(&l, &c).chosen.window_bytes <= 2.7 * MB ||
	    search(&l, &c).verdict == VERDICT_KEEP);
}

Test(search, survives_a_throttle_in_the_middle)
{
	struct lab l = {.path = {300e6, .08, 3e6, .bbr_gain = 1}, .spoil = halves};
	struct search_config c = config(.08, .16 * MB, 2);
	struct search_result r = search(&l, &c);

	cr_expect_eq(r.class, CLASS_WINDOW);
}

Test(search, an_unknown_idle_rtt_is_learned_from_the_first_trial)
{
	struct lab l = {.path = {300e6, .08, 3e6, .bbr_gain = 1}};
	struct search_config c = config(NAN, .16 * MB, 2);

	cr_expect_eq(search(&l, &c).class, CLASS_WINDOW);
}

/* ---- order and coins ------------------------------------------------------------------------ */

Test(search, blocks_hold_the_default_and_pairs_follow_their_coin)
{
	struct lab l = {.path = {100e6, .1, 1e6, .cubic_bps = 80e6}};
	struct search_config c = config(.1, 2.6 * MB, 2);
	struct arena *a = arena_new();
	struct search *s = search_new(a, &c);
	unsigned race = 0, race_default = 0, heads = 0, pairs = 0;
	struct trial t;
	struct ask ask;

	while (search_next(s, l.now_s, l.bytes, &ask)) {
		bool is_default = !is_bbr(&ask.setting) && ask.setting.window_bytes == 2.6 * MB;

		cr_expect_eq(isnan(ask.coin), ask.phase != PHASE_CONFIRM || ask.duration_s < 3);
		race += ask.phase == PHASE_RACE && ask.slot == 0;
		race_default += ask.phase == PHASE_RACE && is_default;
		if (ask.phase == PHASE_CONFIRM && !isnan(ask.coin)) {
			cr_expect_eq(is_default, ask.slot == ask.coin);
			heads += ask.coin == 1 && ask.slot == 0;
			pairs += ask.slot == 0;
		}
		run_trial(&l, &ask, &t);
		t.goodput_bps *= 1 + .1 * ((double)(l.trials % 7) - 3) / 3;
		search_tell(s, &t);
	}
	cr_expect(race >= 2 && race == race_default, "%u %u", race, race_default);
	cr_expect(pairs >= 6 && heads > 0 && heads < pairs, "%u of %u", heads, pairs);
	arena_free(a);
}

Test(search, more_confirmations_ask_for_more_pairs)
{
	struct lab one = {.path = {100e6, .1, 1e6, .cubic_bps = 3e6}}, four = one;
	struct search_config c = config(.1, 2.6 * MB, 2);
	double pairs = search(&one, &c).effect.pairs;

	c.confirmations = 4;
	cr_expect(search(&four, &c).effect.pairs > pairs);
}

Test(search, quick_mode_skips_the_knee_and_keeps_its_budget)
{
	struct lab l = {.path = {300e6, .08, 3e6, .bbr_gain = 1}};
	struct search_config c = config(.08, .16 * MB, 2);
	struct arena *a = arena_new();
	struct search *s;
	struct trial t;
	struct ask ask;

	c.mode = BUDGET_QUICK;
	c.budget_s = 150;
	s = search_new(a, &c);
	while (search_next(s, l.now_s, l.bytes, &ask)) {
		cr_expect_neq(ask.phase, PHASE_KNEE);
		run_trial(&l, &ask, &t);
		search_tell(s, &t);
	}
	cr_expect_eq(search_result(s).class, CLASS_WINDOW);
	cr_expect(l.now_s <= 150);
	arena_free(a);
}

Test(search, the_same_bits_and_answers_give_the_same_search)
{
	struct search_result r[2];

	for (size_t i = 0; i < 2; i++) {
		struct lab l = {.path = {600e6, .2, 8e6, .cubic_bps = 60e6}};
		struct search_config c = config(.2, 1 * MB, 2);

		r[i] = search(&l, &c);
	}
	cr_expect_eq(r[0].class, r[1].class);
	cr_expect_eq(r[0].effect.seconds, r[1].effect.seconds);
	cr_expect_eq(r[0].chosen.window_bytes, r[1].chosen.window_bytes);
}

/* ---- stopping ------------------------------------------------------------------------------- */

/* Stop at the n-th trial of CONFIRM, before it is told. */
static struct search_result
stop_in_confirm(unsigned n, unsigned *told)
{
	struct lab l = {.path = {100e6, .1, 1e6, .cubic_bps = 3e6}};
	struct search_config c = config(.1, 2.6 * MB, 2);
	struct arena *a = arena_new();
	struct search *s = search_new(a, &c);
	struct search_result r;
	struct trial t;
	struct ask ask;

	*told = 0;
	while (search_next(s, l.now_s, l.bytes, &ask)) {
		if (ask.phase == PHASE_CONFIRM && ++*told == n)
			break;
		run_trial(&l, &ask, &t);
		search_tell(s, &t);
	}
	search_stop(s);
	cr_expect_not(search_next(s, l.now_s, l.bytes, &ask));
	search_tell(s, &t); /* late answers change nothing */
	r = search_result(s);
	cr_expect(r.why != NULL);
	r.why = NULL;
	arena_free(a);
	return r;
}

Test(search, an_interrupted_pair_counts_against_the_candidate)
{
	static const struct {
		unsigned stop_at;
		double pairs;
	} table[] = {{1, 1}, {2, 1}, {5, 3}, {6, 3}};
	unsigned told;

	for (size_t i = 0; i < NELEM(table); i++) {
		struct search_result r = stop_in_confirm(table[i].stop_at, &told);

		cr_expect_eq(r.verdict, VERDICT_KEEP);
		cr_expect_eq(r.class, CLASS_INCONCLUSIVE);
		cr_expect_eq(r.effect.pairs, table[i].pairs, "%u: %g", table[i].stop_at, r.effect.pairs);
		cr_expect(r.effect.low < 0, "%g", r.effect.low);
	}
}

Test(search, stopping_before_anything_was_tried_keeps_the_default)
{
	struct search_config c = config(.1, 2.6 * MB, 2);
	struct arena *a = arena_new();
	struct search *s = search_new(a, &c);
	struct search_result r;
	struct ask ask;

	search_stop(s);
	cr_expect_not(search_next(s, 0, 0, &ask));
	r = search_result(s);
	cr_expect_eq(r.verdict, VERDICT_KEEP);
	cr_expect(isnan(r.effect.estimate) && isnan(r.before.goodput_bps));
	arena_free(a);
}
