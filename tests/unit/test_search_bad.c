/* The search when trials fail, lie or are interrupted. */
#include "search_lab.h"

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

static void
bbr_queues(struct trial *t, unsigned n)
{
	(void)n;
	if (is_bbr(&t->setting))
		t->rtt.loaded_ms = 400;
}

Test(search, faster_with_too_much_delay_is_kept_back_unless_asked_for)
{
	struct lab l = {.path = {100e6, .1, 1e6, .cubic_bps = 3e6}, .spoil = bbr_queues}, again = l;
	struct search_config c = config(.1, 2.6 * MB, 2);
	struct search_result r = search(&l, &c);

	cr_expect_eq(r.class, CLASS_GUARD, "%s", decision_class_names[r.class]);
	cr_expect(r.guard_rtt && !r.guard_retransmits && r.effect.estimate > 100);
	c.policy = POLICY_THROUGHPUT;
	cr_expect_eq(search(&again, &c).class, CLASS_CONGESTION);
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

/* ---- the world changes under way ------------------------------------------------------------ */

static enum trial_phase throttled_in;
static unsigned throttled_after;

/* From the n-th trial of a phase on everybody gets half. */
static void
throttle(struct trial *t, unsigned n)
{
	static unsigned seen;
	static bool on;

	if (n == 0) {
		seen = 0;
		on = false;
	}
	seen += t->phase == throttled_in;
	on = on || (t->phase == throttled_in && seen > throttled_after);
	if (on)
		t->goodput_bps /= 2;
}

Test(search, a_peer_that_throttles_in_any_phase_makes_no_change_where_nothing_helps)
{
	for (throttled_in = PHASE_RACE; throttled_in <= PHASE_CONFIRM; throttled_in++)
		for (throttled_after = 0; throttled_after < 8; throttled_after++) {
			struct lab l = {.path = {500e6, .03, 1e6, .bbr_gain = 1}, .spoil = throttle};
			struct search_config c = config(.03, 16 * MB, 2);

			cr_expect_eq(search(&l, &c).verdict, VERDICT_KEEP, "phase %d after %u", throttled_in,
			    throttled_after);
		}
}

Test(search, a_peer_that_throttles_in_any_phase_hides_no_large_gain)
{
	for (throttled_in = PHASE_RACE; throttled_in <= PHASE_CONFIRM; throttled_in++)
		for (throttled_after = 0; throttled_after < 8; throttled_after++) {
			struct lab l = {.path = {300e6, .08, 3e6, .bbr_gain = 1}, .spoil = throttle};
			struct search_config c = config(.08, .16 * MB, 2);
			struct search_result r = search(&l, &c);

			cr_expect_eq(r.verdict, VERDICT_CHANGE, "phase %d after %u: %s", throttled_in,
			    throttled_after, decision_class_names[r.class]);
		}
}

static struct search_result
search_by_clock(struct lab *l, const struct search_config *c, double (*clock)(double, unsigned))
{
	struct arena *a = arena_new();
	struct search *s = search_new(a, c);
	struct search_result r;
	struct trial t;
	struct ask ask;

	while (l->trials < 5000 && search_next(s, clock(l->now_s, l->trials), l->bytes, &ask)) {
		run_trial(l, &ask, &t);
		search_tell(s, &t);
	}
	r = search_result(s);
	cr_expect(l->trials < 5000, "does not end");
	r.why = r.why == NULL ? NULL : "said";
	r.chosen.cc = NULL;
	arena_free(a);
	return r;
}

static double
stands_still(double now_s, unsigned n)
{
	(void)now_s, (void)n;
	return 0;
}

static double
jumps_ahead(double now_s, unsigned n)
{
	return now_s + (n >= 9 ? 86400 : 0);
}

static double
jumps_back(double now_s, unsigned n)
{
	return now_s - (n >= 5 ? 30 : 0);
}

static double
not_a_number(double now_s, unsigned n)
{
	return n == 4 ? NAN : now_s;
}

Test(search, a_clock_that_lies_ends_the_search_and_makes_no_change)
{
	static double (*const clocks[])(double, unsigned) = {
		stands_still, jumps_ahead, jumps_back, not_a_number,
	};

	for (size_t i = 0; i < NELEM(clocks); i++) {
		struct lab l = {.path = {500e6, .03, 1e6, .bbr_gain = 1}};
		struct search_config c = config(.03, 16 * MB, 2);
		struct search_result r = search_by_clock(&l, &c, clocks[i]);

		cr_expect_eq(r.verdict, VERDICT_KEEP, "clock %zu", i);
	}
}

Test(search, a_clock_that_jumps_ahead_is_out_of_time_and_says_so)
{
	struct lab l = {.path = {300e6, .08, 3e6, .bbr_gain = 1}};
	struct search_config c = config(.08, .16 * MB, 2);
	struct search_result r = search_by_clock(&l, &c, jumps_ahead);

	cr_expect_eq(r.class, CLASS_INCONCLUSIVE, "%s", decision_class_names[r.class]);
	cr_expect_not_null(r.why);
}

/* A refusal that never ends, also while only more connections are looked at. */
static void
cut_checks(struct trial *t, unsigned n)
{
	(void)n;
	if (t->phase == PHASE_CONFIRM && isnan(t->coin))
		t->status = TRIAL_CUT;
}

Test(search, checks_that_are_cut_short_end_too)
{
	struct lab l = {.path = {100e6, .1, 1e6, .cubic_bps = 3e6}, .spoil = cut_checks};
	struct search_config c = config(.1, 2.6 * MB, 2);

	c.mode = BUDGET_THOROUGH;
	c.budget_s = 1e6;
	cr_expect_neq(search_by_clock(&l, &c, stands_still).class, CLASS_NONE);
}

Test(search, what_is_too_small_for_a_block_is_named)
{
	struct lab l = {.path = {300e6, .08, 3e6, .bbr_gain = 1}};
	struct search_config c = config(.08, .16 * MB, 2);
	struct search_result r;

	c.data_cap_bytes = .1e9;
	r = search(&l, &c);
	cr_expect_eq(r.class, CLASS_INCONCLUSIVE);
	cr_expect_str_eq(r.why, "the data cap is too small for one block of 3 trials");
	cr_expect(r.out_of_data);
	c = config(.08, .16 * MB, 2);
	c.budget_s = 15;
	r = search(&l, &c);
	cr_expect_str_eq(r.why, "the budget is too small for one block of 3 trials");
	cr_expect_not(r.out_of_data);
}

Test(search, data_that_runs_out_in_any_phase_is_said_and_makes_no_change_unproven)
{
	struct lab whole = {.path = {300e6, .08, 3e6, .bbr_gain = 1}};
	struct search_config c = config(.08, .16 * MB, 2);
	unsigned cut = 0, pairs = 0;

	search(&whole, &c);
	for (double cap = .02; cap < 1; cap += .02) {
		struct lab l = {.path = whole.path};
		struct search_result r;

		c = config(.08, .16 * MB, 2);
		c.data_cap_bytes = cap * whole.bytes;
		r = search(&l, &c);
		cr_expect(l.bytes <= c.data_cap_bytes, "%g of %g", l.bytes, c.data_cap_bytes);
		if (r.verdict == VERDICT_CHANGE) {
			cr_expect(r.effect.pairs >= 6 && r.effect.low > 0);
		} else {
			cr_expect_eq(r.class, CLASS_INCONCLUSIVE, "%s", decision_class_names[r.class]);
			cr_expect_not_null(r.why);
			cr_expect(isnan(r.more_s), "time does not lift the cap");
			cut++;
			pairs += r.out_of_data && r.effect.pairs > 1;
		}
	}
	cr_expect(cut > 10, "%u", cut);
	cr_expect(pairs > 0, "a cap that is reached among the pairs");
}
