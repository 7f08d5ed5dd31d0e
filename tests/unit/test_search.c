#include "search_lab.h"
#include "tuner/search_state.h"

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
		cr_expect_eq(r.verdict == VERDICT_CHANGE, r.class <= CLASS_EXTRAS, "%s", table[i].what);
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

/* Seen at 600 Mbit/s and 209 ms: of three wide-open connections one lost much at its start. */
static void
knee_falls_short_and_the_third_pick_stalls(struct trial *t, unsigned n)
{
	(void)n;
	if (t->phase != PHASE_KNEE)
		return;
	if (t->setting.window_bytes < 24 * MB)
		t->goodput_bps *= .73;
	else if (t->block == 2 && t->setting.window_bytes > 32 * MB)
		t->goodput_bps *= .13;
}

Test(search, one_stalled_connection_does_not_make_a_window_that_is_too_small_look_good)
{
	struct lab l = { .path = { 550e6, .209, 4e6, .bbr_gain = 1 },
		.spoil = knee_falls_short_and_the_third_pick_stalls };
	struct search_config c = config(.209, 2.5 * MB, 1);
	struct search_result r = search(&l, &c);

	cr_expect_eq(r.class, CLASS_WINDOW, "%s: %s", decision_class_names[r.class], r.why);
	cr_expect(r.chosen.window_bytes >= 24 * MB, "%g", r.chosen.window_bytes / MB);
}

static void
nothing_between(struct trial *t, unsigned n)
{
	double w = t->setting.window_bytes;

	(void)n;
	cr_expect(w == .16 * MB || w >= 2.5 * MB, "%g", w);
}

Test(search, no_window_is_tried_that_no_setting_can_give)
{
	struct lab l = { .path = { 50e6, .04, 3e5, .bbr_gain = 1 }, .spoil = nothing_between };
	struct search_config c = config(.04, .16 * MB, 2);
	struct search_result r;

	c.window_next_bytes = 2.5 * MB;
	r = search(&l, &c);
	cr_expect_eq(r.class, CLASS_WINDOW);
	cr_expect_eq(r.chosen.window_bytes, 2.5 * MB);
}

/* The race and the knee leave as much of the data for the pairs as they leave of the time. */
Test(search, a_fast_path_reaches_its_verdict_within_the_data_cap)
{
	struct lab l = { .path = { 550e6, .209, 4e6, .bbr_gain = 1 },
		.spoil = knee_falls_short_and_the_third_pick_stalls };
	struct search_config c = config(.209, 2.5 * MB, 2);
	struct search_result r;

	c.data_cap_bytes = 10e9;
	r = search(&l, &c);
	cr_expect_eq(r.class, CLASS_WINDOW, "%s: %s", decision_class_names[r.class], r.why);
	cr_expect(l.bytes <= 10e9, "%g", l.bytes);
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
	static const struct {
		double asked_s;
		enum budget_mode mode;
		double budget_s;
	} t[] = { { NAN, BUDGET_STANDARD, 600 }, { 0, BUDGET_QUICK, 150 },
		{ NAN, BUDGET_THOROUGH, 1800 }, { 77, BUDGET_STANDARD, 77 } };

	for (size_t i = 0; i < NELEM(t); i++) {
		struct arena *a = arena_new();
		struct search_config c = config(.08, .16 * MB, 2);

		c.budget_s = t[i].asked_s;
		c.mode = t[i].mode;
		cr_expect_eq(search_new(a, &c)->budget_s, t[i].budget_s, "row %zu", i);
		arena_free(a);
	}
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

/*
 * Should a guard object, there is a second try one step down, where that step still holds the BDP:
 * 768 KiB do for 80 Mbit/s, 1 MiB do not for 128 Mbit/s.
 */
Test(search, where_a_second_try_may_come_more_pairs_are_asked_for)
{
	struct lab may = {.path = {80e6, .08, 2e5, .bbr_gain = 1}}, may_not = may;
	struct search_config c = config(.08, .16 * MB, 2);
	struct search_result r = search(&may, &c), without;

	may_not.path.capacity_bps = 128e6;
	c = config(.08, .16 * MB, 2);
	without = search(&may_not, &c);
	cr_assert_eq(r.chosen.window_bytes, MB);
	cr_assert_eq(without.chosen.window_bytes, 1.5 * MB);
	cr_expect(r.effect.pairs > without.effect.pairs, "%g, %g", r.effect.pairs,
	    without.effect.pairs);
}

/* One lucky trial makes the step down look too small; the pairs say that it is not. */
static void
lucky_once_then_bloated(struct trial *t, unsigned n)
{
	(void)n;
	if (t->phase == PHASE_KNEE && t->block == 0 && t->slot == 0)
		t->goodput_bps *= 1.1;
	if (t->phase == PHASE_CONFIRM && t->setting.window_bytes > .9 * MB)
		t->rtt.loaded_ms = 400;
}

Test(search, no_second_candidate_is_confirmed_that_the_threshold_does_not_allow_for)
{
	struct lab l = {.path = {80e6, .08, 2e5, .bbr_gain = 1}, .spoil = lucky_once_then_bloated};
	struct search_config c = config(.08, .16 * MB, 1);
	struct arena *a = arena_new();
	struct search *s = search_new(a, &c);
	double window = NAN;
	unsigned candidates = 0;
	struct trial t;
	struct ask ask;

	while (search_next(s, l.now_s, l.bytes, &ask)) {
		if (ask.phase == PHASE_CONFIRM && ask.setting.window_bytes > .17 * MB &&
		    ask.setting.window_bytes != window) {
			window = ask.setting.window_bytes;
			candidates++;
		}
		run_trial(&l, &ask, &t);
		search_tell(s, &t);
	}
	cr_expect_eq(s->confirm.threshold, 20);
	cr_expect_eq(candidates, 1, "%u", candidates);
	cr_expect_eq(search_result(s).class, CLASS_GUARD);
	arena_free(a);
}

Test(search, quick_mode_looks_at_the_knee_once_and_keeps_its_budget)
{
	struct lab l = {.path = {300e6, .08, 3e6, .bbr_gain = 1}};
	struct search_config c = config(.08, .16 * MB, 2);
	struct arena *a = arena_new();
	double knee = 0;
	struct search *s;
	struct trial t;
	struct ask ask;

	c.mode = BUDGET_QUICK;
	c.budget_s = 150;
	s = search_new(a, &c);
	while (search_next(s, l.now_s, l.bytes, &ask)) {
		knee += ask.phase == PHASE_KNEE;
		run_trial(&l, &ask, &t);
		search_tell(s, &t);
	}
	cr_expect_eq(search_result(s).class, CLASS_WINDOW);
	cr_expect(knee == 0 || knee == 6, "%g", knee);
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
