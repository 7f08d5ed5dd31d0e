/* Extras of the plan: when they are tried, when they stay, and what becomes of refused ones. */
#include "search_lab.h"

static const char *by_window[] = { "rwnd", "sndbuf" }, *by_cwnd[] = { "cwnd" };

static const struct plan_extra extras[] = {
	{ .id = "idle", .binds = by_cwnd, .n_binds = 1, .with_window = true },
	{ .id = "growth", .binds = by_window, .n_binds = 2, .with_window = true },
	{ .id = "buckets", .binds = by_window, .n_binds = 2, .with_window = true },
	{ .id = "stack", .binds = by_window, .n_binds = 2 },
	{ .id = "other-stack", .binds = by_cwnd, .n_binds = 1 },
};

static bool
on(const struct trial *t, const char *id)
{
	return strings_have(t->setting.extras, t->setting.n_extras, id);
}

static bool
is_default(const struct setting *s, double window)
{
	return s->n_extras == 0 && s->window_bytes == window && !is_bbr(s);
}

static void
held_by_window(struct trial *t)
{
	t->rwnd_limited = .9;
	t->sndbuf_limited = .1;
}

static const struct path far = { 300e6, .08, 3e6, .bbr_gain = 1 };
#define FAR_BDP (300e6 * .08 / 8)

/* Which extras the search ever asked for. */
static unsigned tried[NELEM(extras)];
static double last_slot; /* of the largest block */

static struct search_result
run(struct lab *l, const struct search_config *c)
{
	struct arena *a = arena_new();
	struct search *s = search_new(a, c);
	static struct search_result r;
	static char names[2][64];
	struct trial t;
	struct ask ask;

	while (l->trials < 5000 && search_next(s, l->now_s, l->bytes, &ask)) {
		for (size_t i = 0; i < NELEM(extras); i++)
			tried[i] += strings_have(ask.setting.extras, ask.setting.n_extras, extras[i].id);
		last_slot = fmax(last_slot, ask.slot);
		run_trial(l, &ask, &t);
		search_tell(s, &t);
	}
	r = search_result(s);
	names[0][0] = names[1][0] = '\0';
	for (size_t i = 0; i < r.chosen.n_extras; i++)
		snprintf(names[0] + strlen(names[0]), 32, "%s ", r.chosen.extras[i]);
	for (size_t i = 0; i < r.after.setting.n_extras; i++)
		snprintf(names[1] + strlen(names[1]), 32, "%s ", r.after.setting.extras[i]);
	cr_expect_str_eq(names[0], names[1]);
	cr_expect_eq(r.start.n_extras + r.before.setting.n_extras, 0);
	cr_expect(l->now_s <= c->budget_s);
	arena_free(a);
	r.why = names[0]; /* for the tests: what is in force */
	return r;
}

static struct search_config
with_extras(double window, size_t n_cc)
{
	struct search_config c = config(far.rtt_s, window, n_cc);

	c.extras = extras;
	c.n_extras = NELEM(extras);
	return c;
}

/* ---- tried or not --------------------------------------------------------------------------- */

static void
only_window(struct trial *t, unsigned n)
{
	(void)n;
	held_by_window(t);
}

Test(search_extras, one_that_binds_nothing_is_never_tried)
{
	struct lab l = { .path = far, .spoil = only_window };
	struct search_config c = with_extras(.16 * MB, 2);

	cr_expect_eq(run(&l, &c).class, CLASS_WINDOW);
	cr_expect_eq(tried[0] + tried[4], 0, "bound by the cwnd alone");
	cr_expect(tried[1] > 0 && tried[2] > 0 && tried[3] > 0);
}

Test(search_extras, companions_are_not_tried_where_no_window_is_wider)
{
	struct lab l = { .path = far, .spoil = only_window };
	struct search_config c = with_extras(16 * MB, 2);

	c.window_max_bytes = c.window_bytes;
	run(&l, &c);
	cr_expect_eq(tried[1] + tried[2], 0);
	cr_expect(tried[3] > 0);
}

/* Every wide arm has all companions, the others are arms with the default's control. */
Test(search_extras, companions_are_part_of_every_wide_arm)
{
	struct lab l = { .path = far, .spoil = only_window };
	struct search_config c = with_extras(.16 * MB, 2);
	struct arena *a = arena_new();
	struct search *s = search_new(a, &c);
	unsigned arms = 0, stacks = 0;
	struct trial t;
	struct ask ask;

	while (search_next(s, l.now_s, l.bytes, &ask) && !(ask.phase == PHASE_RACE && ask.block > 0)) {
		run_trial(&l, &ask, &t);
		search_tell(s, &t);
		if (ask.phase != PHASE_RACE || is_default(&ask.setting, c.window_bytes))
			continue;
		arms++;
		stacks += on(&t, "stack");
		cr_expect(on(&t, "growth") && on(&t, "buckets") && ask.setting.window_bytes > 1 * MB);
		cr_expect_not(on(&t, "stack") && is_bbr(&ask.setting));
		cr_expect_eq(ask.setting.n_extras, on(&t, "stack") ? 3 : 2);
	}
	cr_expect_eq(arms, 3);
	cr_expect_eq(stacks, 1);
	arena_free(a);
}

/* ---- kept or left out ----------------------------------------------------------------------- */

/* The receiver's window stays at a quarter of the BDP unless its growth is mended. */
static void
grows(struct trial *t, unsigned n)
{
	(void)n;
	held_by_window(t);
	if (!on(t, "growth"))
		t->goodput_bps = fmin(t->goodput_bps, far.capacity_bps / 4);
}

Test(search_extras, the_companion_that_helps_stays_and_the_useless_one_is_left_out)
{
	struct lab l = { .path = far, .spoil = grows };
	struct search_config c = with_extras(.16 * MB, 0);
	struct search_result r = run(&l, &c);

	cr_expect_eq(r.class, CLASS_WINDOW, "%s", decision_class_names[r.class]);
	cr_expect_str_eq(r.why, "growth ");
	cr_expect(r.after.goodput_bps > .95 * far.capacity_bps);
	cr_expect(r.chosen.window_bytes < 2 * FAR_BDP, "%g", r.chosen.window_bytes);
}

Test(search_extras, quick_mode_leaves_them_out_too_where_its_time_allows)
{
	struct lab l = { .path = far, .spoil = grows };
	struct search_config c = with_extras(.16 * MB, 0);
	struct search_result r;

	c.mode = BUDGET_QUICK;
	c.budget_s = 150;
	c.n_extras = 2;
	r = run(&l, &c);
	cr_expect_eq(r.class, CLASS_WINDOW, "%s", decision_class_names[r.class]);
	cr_expect_str_eq(r.why, "growth ");
}

static void
stack_helps(struct trial *t, unsigned n)
{
	(void)n;
	held_by_window(t);
	if (!on(t, "stack"))
		t->goodput_bps /= 1.5;
}

Test(search_extras, one_that_helps_is_found_and_kept)
{
	struct lab l = { .path = far, .spoil = stack_helps };
	struct search_config c = with_extras(16 * MB, 1);
	struct search_result r;

	c.window_max_bytes = c.window_bytes; /* nothing else is left to try */
	r = run(&l, &c);
	cr_expect_eq(r.verdict, VERDICT_CHANGE, "%s", decision_class_names[r.class]);
	cr_expect_eq(r.class, CLASS_EXTRAS, "%s", decision_class_names[r.class]);
	cr_expect_str_eq(r.why, "stack ");
	l = (struct lab){ .path = far, .spoil = stack_helps };
	c = with_extras(.16 * MB, 2);
	r = run(&l, &c);
	cr_expect_str_eq(r.why, "stack ");
	cr_expect(r.after.goodput_bps > .95 * far.capacity_bps);
}

Test(search_extras, one_that_helps_nothing_is_not_recommended)
{
	struct lab l = { .path = far, .spoil = only_window };
	struct search_config c = with_extras(16 * MB, 1);
	struct search_result r;

	c.window_max_bytes = c.window_bytes;
	r = run(&l, &c);
	cr_expect_eq(r.class, CLASS_NO_GAIN, "%s", decision_class_names[r.class]);
}

/* ---- refused -------------------------------------------------------------------------------- */

static enum trial_status refusal;

static void
companion_refused(struct trial *t, unsigned n)
{
	(void)n;
	held_by_window(t);
	if (on(t, "buckets"))
		t->status = refusal;
}

static void
stack_refused(struct trial *t, unsigned n)
{
	(void)n;
	held_by_window(t);
	if (on(t, "stack"))
		t->status = refusal;
}

Test(search_extras, a_refused_one_goes_with_its_arm_and_fails_nothing)
{
	static const enum trial_status how[] = { TRIAL_VOID, TRIAL_TIMEOUT };

	for (size_t i = 0; i < NELEM(how); i++) {
		struct lab l = { .path = far, .spoil = companion_refused };
		struct search_config c = with_extras(.16 * MB, 2);
		struct search_result r;

		refusal = how[i];
		r = run(&l, &c);
		cr_expect_eq(r.class, CLASS_WINDOW, "%s", decision_class_names[r.class]);
		cr_expect_str_eq(r.why, "");
		l = (struct lab){ .path = far, .spoil = stack_refused };
		c = with_extras(.16 * MB, 2);
		r = run(&l, &c);
		cr_expect_eq(r.class, CLASS_WINDOW, "%s", decision_class_names[r.class]);
	}
}

Test(search_extras, where_the_only_arm_is_refused_the_default_is_kept)
{
	struct lab l = { .path = far, .spoil = stack_refused };
	struct search_config c = with_extras(16 * MB, 1);
	struct search_result r;

	refusal = TRIAL_VOID;
	c.window_max_bytes = c.window_bytes;
	r = run(&l, &c);
	cr_expect_eq(r.verdict, VERDICT_KEEP);
	cr_expect_eq(r.class, CLASS_CANNOT_BIND, "%s", decision_class_names[r.class]);
	cr_expect(l.trials < 8, "%u", l.trials);
}

Test(search_extras, no_more_than_six_are_looked_at)
{
	static struct plan_extra many[SEARCH_EXTRAS_MAX + 3];
	struct lab l = { .path = far, .spoil = only_window };
	struct search_config c = with_extras(.16 * MB, 2);

	for (size_t i = 0; i < NELEM(many); i++)
		many[i] = extras[3];
	c.extras = many;
	c.n_extras = NELEM(many);
	cr_expect_eq(run(&l, &c).class, CLASS_WINDOW);
	cr_expect_eq(last_slot, 2 + SEARCH_EXTRAS_MAX, "default, wide, bbr and six: %g", last_slot);
}
