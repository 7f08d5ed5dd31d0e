/*
 * What real kernels taught the search about windows: bbr that is held short of what it starts with,
 * and loss-based control on a queue that ends before the delay guard does.
 */
#include "search_lab.h"

#define BDP(p) ((p).capacity_bps * (p).rtt_s / 8)

/* With less than 3.5 BDP of window bbr stays in STARTUP: a fifth slower, a fifth sent again. */
static void
cramped(struct trial *t, unsigned n)
{
	bool stays = is_bbr(&t->setting) && t->setting.window_bytes < 3.5 * 300e6 * .08 / 8;

	(void)n;
	if (stays) {
		t->goodput_bps *= .8;
		t->retransmits = .2;
	}
}

static const struct path shallow = { 300e6, .08, 3e5, .cubic_bps = 85e6, .bbr_retransmits = .024 };

Test(search, quick_mode_gives_bbr_the_window_it_starts_with)
{
	struct lab l = { .path = shallow, .spoil = cramped };
	struct search_config c = config(.08, 2.6 * MB, 2);
	struct search_result r;

	c.mode = BUDGET_QUICK;
	c.budget_s = 150;
	r = search(&l, &c);
	cr_assert_eq(r.verdict, VERDICT_CHANGE, "%s", decision_class_names[r.class]);
	cr_assert_str_eq(r.chosen.cc, "bbr");
	cr_assert(r.chosen.window_bytes >= 3.5 * BDP(shallow), "%g", r.chosen.window_bytes);
	cr_assert(r.chosen.window_bytes <= 8 * BDP(shallow), "%g", r.chosen.window_bytes);
	cr_assert(r.retransmit_exception);
}

Test(search, the_knee_steps_up_when_the_wide_window_keeps_a_guard_that_the_small_one_breaks)
{
	struct lab l = { .path = shallow, .spoil = cramped };
	struct search_config c = config(.08, 2.6 * MB, 2);
	struct search_result r = search(&l, &c);

	cr_assert_eq(r.verdict, VERDICT_CHANGE, "%s", decision_class_names[r.class]);
	cr_assert(r.chosen.window_bytes >= 3.5 * BDP(shallow), "%g", r.chosen.window_bytes);
}

/* The window of the pairs, where a quick run has no time to look at the knee. */
static double
confirmed_window(const struct path *p)
{
	struct lab l = { .path = *p };
	struct search_config c = config(p->rtt_s, .1 * BDP(*p), 1);

	c.mode = BUDGET_QUICK;
	c.budget_s = 150;
	c.confirmations = 2;
	return search(&l, &c).chosen.window_bytes;
}

Test(search, quick_mode_caps_the_window_by_delay_only_where_the_wide_one_showed_delay)
{
	static const struct path short_queue = { 600e6, .2, 3.7e6, .bbr_gain = 1 };
	static const struct path deep = { 600e6, .2, 60e6, .bbr_gain = 1 };

	cr_assert(confirmed_window(&short_queue) >= 1.5 * BDP(short_queue));
	cr_assert(confirmed_window(&deep) < 1.5 * BDP(deep));
	cr_assert(confirmed_window(&deep) >= .95 * BDP(deep));
}

static double
warmup_after_probe(double retransmits)
{
	struct lab l = { .path = { 100e6, .1, 1e6, .cubic_bps = 3e6 } };
	struct search_config c = config(.1, 2.6 * MB, 2);
	struct arena *a = arena_new();
	struct search *s = search_new(a, &c);
	struct trial t;
	struct ask ask;

	cr_assert(search_next(s, 0, 0, &ask));
	run_trial(&l, &ask, &t);
	t.retransmits = retransmits;
	search_tell(s, &t);
	cr_assert(search_next(s, l.now_s, l.bytes, &ask));
	arena_free(a);
	return ask.warmup_s;
}

Test(search, warms_up_a_second_longer_where_the_default_loses_segments)
{
	cr_assert_float_eq(warmup_after_probe(.005), warmup_after_probe(0) + 1, 1e-9);
}

/* bbr whose start takes longer than the warm-up that the RTT asks for. */
static void
starts_slowly(struct trial *t, unsigned n)
{
	(void)n;
	if (is_bbr(&t->setting) && t->warmup_s < 3)
		t->retransmits = .07;
}

/* The run of a search that keeps each trial's warm-up where spoil finds it. */
static struct search_result
warmed_search(struct lab *l, const struct search_config *c, double *last_s)
{
	struct arena *a = arena_new();
	struct search *s = search_new(a, c);
	struct search_result r;
	struct trial t;
	struct ask ask;

	while (search_next(s, l->now_s, l->bytes, &ask)) {
		run_trial(l, &ask, &t);
		t.warmup_s = *last_s = ask.warmup_s;
		starts_slowly(&t, 0);
		search_tell(s, &t);
	}
	r = search_result(s);
	r.chosen.cc = is_bbr(&r.chosen) ? "bbr" : "cubic";
	arena_free(a);
	return r;
}

Test(search, warms_up_longer_once_an_arm_sends_much_again_and_does_not_cut_it_for_its_start)
{
	struct lab l = { .path = { 200e6, .15, 4e6, .cubic_bps = 40e6 } };
	struct search_config c = config(.15, 2.6 * MB, 2);
	double last_s = 0;
	struct search_result r = warmed_search(&l, &c, &last_s);

	cr_expect_float_eq(last_s, 12 * .15 + .5 + 1, 1e-9);
	cr_assert_eq(r.verdict, VERDICT_CHANGE, "%s", decision_class_names[r.class]);
	cr_expect_str_eq(r.chosen.cc, "bbr");
	cr_expect(r.chosen.window_bytes >= BDP(l.path), "%g", r.chosen.window_bytes);
}

/* bbr drops a little with much more window than it needs, and stays in STARTUP with too little. */
static void
drops_when_wide(struct trial *t, unsigned n)
{
	double bdps = t->setting.window_bytes / (200e6 * .15 / 8);

	(void)n;
	if (!is_bbr(&t->setting))
		return;
	if (bdps > 6)
		t->retransmits = .035;
	if (bdps < 3.5) {
		t->goodput_bps *= .6;
		t->retransmits = .2;
	}
}

Test(search, cuts_a_bbr_that_drops_to_the_window_that_it_starts_with)
{
	struct lab l = { .path = { 200e6, .15, 4e6, .cubic_bps = 40e6 }, .spoil = drops_when_wide };
	struct search_config c = config(.15, 2.6 * MB, 2);
	struct search_result r = search(&l, &c);

	cr_assert_eq(r.verdict, VERDICT_CHANGE, "%s", decision_class_names[r.class]);
	cr_expect_str_eq(r.chosen.cc, "bbr");
	cr_expect(r.chosen.window_bytes >= 3.5 * BDP(l.path), "%g", r.chosen.window_bytes);
}
