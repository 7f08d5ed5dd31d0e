/* What a quick race does differently: windows that the path can use, and less doubt at its end. */
#include "search_lab.h"

#define BDP(p) ((p).capacity_bps * (p).rtt_s / 8)

static struct search_config
quick_config(const struct path *p, double window_bytes)
{
	struct search_config c = config(p->rtt_s, window_bytes, 2);

	c.mode = BUDGET_QUICK;
	c.budget_s = 150;
	return c;
}

/* Windows beyond 3 MB are slower by a third, whatever the control. */
static void
slower_when_large(struct trial *t, unsigned n)
{
	(void)n;
	if (t->setting.window_bytes > 3 * MB)
		t->goodput_bps *= .66;
}

Test(search_quick, wide_windows_that_are_slower_hide_no_other_control)
{
	const struct path p = { 20e6, .1, 1e6, .cubic_bps = 15e6 };
	struct lab l = { .path = p, .spoil = slower_when_large };
	struct search_config c = quick_config(&p, 1 * MB);
	struct search_result r = search(&l, &c);

	cr_assert_eq(r.verdict, VERDICT_CHANGE, "%s", decision_class_names[r.class]);
	cr_expect_str_eq(r.chosen.cc, "bbr");
	cr_expect(r.chosen.window_bytes <= 3 * MB, "%g", r.chosen.window_bytes);
	c.mode = BUDGET_STANDARD;
	l = (struct lab){ .path = p, .spoil = slower_when_large };
	cr_expect_eq(search(&l, &c).verdict, VERDICT_KEEP, "only the quick race needs this");
}

/* The wide-open windows of the race by block. */
static void
race_windows(const struct path *p, void (*spoil)(struct trial *, unsigned), double most[3])
{
	struct lab l = { .path = *p, .spoil = spoil };
	struct search_config c = quick_config(p, .1 * BDP(*p));
	struct arena *a = arena_new();
	struct search *s = search_new(a, &c);
	struct trial t;
	struct ask ask;

	most[0] = most[1] = most[2] = 0;
	while (search_next(s, l.now_s, l.bytes, &ask)) {
		if (ask.phase == PHASE_RACE && ask.block < 3)
			most[(size_t)ask.block] = fmax(most[(size_t)ask.block], ask.setting.window_bytes);
		run_trial(&l, &ask, &t);
		search_tell(s, &t);
	}
	arena_free(a);
}

Test(search_quick, after_one_block_the_windows_are_some_bdps_of_the_fastest)
{
	const struct path p = { 50e6, .05, 1e6, .bbr_gain = .98 };
	double most[3];

	race_windows(&p, NULL, most);
	cr_expect_gt(most[0], 8 * BDP(p));
	cr_expect(most[1] >= 4 * BDP(p) && most[1] <= 6 * BDP(p), "%g", most[1] / BDP(p));
}

/* Some per cent ahead: likely after four blocks of a quick race, not beyond doubt. */
Test(search_quick, takes_the_likely_control_where_a_longer_race_would_ask_for_more)
{
	const struct path p = { 100e6, .03, 3e5, .bbr_gain = 1.055 };
	struct lab l = { .path = p };
	struct search_config c = quick_config(&p, .3 * BDP(p));
	struct search_result r = search(&l, &c);

	cr_assert_eq(r.verdict, VERDICT_CHANGE, "%s", decision_class_names[r.class]);
	cr_expect_str_eq(r.chosen.cc, "bbr");
}

/* cubic gains nothing by a window; the race cannot tell since its wide arm is a little ahead. */
static void
wide_cubic_a_little_ahead(struct trial *t, unsigned n)
{
	(void)n;
	if (t->phase == PHASE_RACE && !is_bbr(&t->setting) && t->setting.window_bytes > 2 * MB)
		t->goodput_bps *= 1.1;
	if (is_bbr(&t->setting))
		t->goodput_bps *= 1.08;
}

Test(search_quick, a_window_that_comes_to_nothing_leaves_the_pairs_to_another_control)
{
	const struct path p = { 40e6, .1, 5e5, .bbr_gain = 1 };
	struct lab l = { .path = p, .spoil = wide_cubic_a_little_ahead };
	struct search_config c = quick_config(&p, 1.9 * MB);
	struct search_result r = search(&l, &c);

	cr_assert_eq(r.verdict, VERDICT_CHANGE, "%s", decision_class_names[r.class]);
	cr_expect_str_eq(r.chosen.cc, "bbr");
}

/* However little time is left, another control is not recommended after a handful of connections. */
Test(search_quick, time_that_ends_early_leaves_another_control_unrecommended)
{
	const struct path p = { 200e6, .2, 2e6, .cubic_bps = 40e6 };
	unsigned changed = 0, crossed = 0;

	for (double budget_s = 80; budget_s <= 150; budget_s += 2) {
		struct lab l = { .path = p };
		struct search_config c = quick_config(&p, 8 * MB);
		struct search_result r;

		c.budget_s = budget_s;
		r = search(&l, &c);
		changed += r.verdict == VERDICT_CHANGE;
		crossed += r.effect.pairs >= 6 && r.verdict == VERDICT_KEEP;
		cr_expect(r.verdict == VERDICT_KEEP || r.connections >= 13, "%g s: %g", budget_s,
		    r.connections);
	}
	cr_expect_gt(changed, 0u);
	cr_expect_gt(crossed, 0u);
}
