/* A search that ended goes on where it stopped when it is told the same trials again. */
#include "search_lab.h"

#define RECORDS 400

/* What a run file holds of a trial. */
struct told {
	struct ask ask;
	struct trial trial;
	double asked_s, asked_bytes;
};

struct recorded {
	struct told at[RECORDS];
	size_t n;
	double end_s, end_bytes;
	struct search_result result;
};

/* A fifth of noise, so that a gain of a tenth takes more pairs than the budget has. */
static void
noisy(struct trial *t, unsigned n)
{
	static const double noise[] = { .1, -.2, .2, 0, -.1, .15, -.15, .05, .25, -.25, -.05 };

	t->goodput_bps *= 1 + noise[n * 7 % NELEM(noise)];
}

static double budget_s = 300;
static const struct path tenth = { 300e6, .05, 1e6, .bbr_gain = 1.1 };

static struct search_config
tenth_config(double more_s)
{
	struct search_config c = config(tenth.rtt_s, 16 * MB, 2);

	c.budget_s = budget_s;
	c.more_s = more_s;
	return c;
}

/* Until it ends, or dies after so many asks, the last of which has no answer. */
static void
record(struct recorded *r, size_t die_after)
{
	struct lab l = { .path = tenth, .spoil = noisy };
	struct search_config c = tenth_config(0);
	struct arena *a = arena_new();
	struct search *s = search_new(a, &c);
	struct told *at = r->at;

	while (r->n < RECORDS && search_next(s, l.now_s, l.bytes, &at->ask)) {
		at->ask.setting.cc = is_bbr(&at->ask.setting) ? "bbr" : "cubic";
		at->asked_s = l.now_s;
		at->asked_bytes = l.bytes;
		r->n++;
		if (r->n == die_after) {
			at->trial = (struct trial){ .setting = at->ask.setting, .status = TRIAL_CUT };
			break;
		}
		run_trial(&l, &at->ask, &at->trial);
		search_tell(s, &at->trial);
		at++;
	}
	r->end_s = l.now_s;
	r->end_bytes = l.bytes;
	r->result = search_result(s);
	arena_free(a);
}

static void
expect_same(const struct ask *a, const struct ask *b, size_t i)
{
	cr_assert_str_eq(a->setting.cc, b->setting.cc, "trial %zu", i);
	cr_assert_eq(a->setting.window_bytes, b->setting.window_bytes, "trial %zu", i);
	cr_assert_eq(a->phase, b->phase, "trial %zu", i);
	cr_assert(a->block == b->block && a->slot == b->slot, "trial %zu", i);
	cr_assert(a->coin == b->coin || (isnan(a->coin) && isnan(b->coin)), "trial %zu", i);
	cr_assert(a->warmup_s == b->warmup_s && a->duration_s == b->duration_s, "trial %zu", i);
}

/* Tells all of it again; every ask must be as recorded. */
static struct search *
replay(struct arena *a, double more_s, const struct recorded *r)
{
	struct search_config c = tenth_config(more_s); /* the bits begin again */
	struct search *s = search_new(a, &c);
	struct ask ask;

	for (size_t i = 0; i < r->n; i++) {
		cr_assert(search_next(s, r->at[i].asked_s, r->at[i].asked_bytes, &ask), "trial %zu", i);
		expect_same(&ask, &r->at[i].ask, i);
		search_tell(s, &r->at[i].trial);
	}
	return s;
}

/* Goes on in the same lab; how many trials of each phase were asked for. */
static struct search_result
go_on(struct search *s, const struct recorded *r, unsigned *asked)
{
	struct lab l = { .path = tenth, .spoil = noisy, .now_s = r->end_s, .bytes = r->end_bytes,
		.trials = (unsigned)r->n };
	struct trial t;
	struct ask ask;

	while (l.trials < 2000 && search_next(s, l.now_s, l.bytes, &ask)) {
		asked[ask.phase]++;
		run_trial(&l, &ask, &t);
		search_tell(s, &t);
	}
	return search_result(s);
}

Test(search_resume, an_inconclusive_search_goes_on_with_more_pairs_and_decides)
{
	static struct recorded r;
	unsigned asked[PHASE_MEASURE + 1] = { 0 };
	struct arena *a = arena_new();
	struct search_result result;

	record(&r, 0);
	cr_assert_eq(r.result.class, CLASS_INCONCLUSIVE, "%s", decision_class_names[r.result.class]);
	result = go_on(replay(a, 1500, &r), &r, asked);
	cr_expect_eq(asked[PHASE_RACE] + asked[PHASE_KNEE] + asked[PHASE_PROBE], 0);
	cr_expect(asked[PHASE_CONFIRM] >= 2);
	cr_expect(result.effect.pairs > r.result.effect.pairs);
	cr_expect_eq(result.verdict, VERDICT_CHANGE, "%s", decision_class_names[result.class]);
	cr_expect_str_eq(result.chosen.cc, "bbr");
	arena_free(a);
}

Test(search_resume, without_more_time_nothing_more_is_asked)
{
	static struct recorded r;
	unsigned asked[PHASE_MEASURE + 1] = { 0 };
	struct arena *a = arena_new();
	struct search_result result;

	record(&r, 0);
	result = go_on(replay(a, 0, &r), &r, asked);
	cr_expect_eq(asked[PHASE_CONFIRM], 0);
	cr_expect_eq(result.class, CLASS_INCONCLUSIVE);
	cr_expect_eq(result.effect.estimate, r.result.effect.estimate);
	arena_free(a);
}

/* Whatever the budget ends: the race, the knee or the pairs. */
Test(search_resume, more_time_changes_nothing_before_the_confirmation)
{
	struct arena *a = arena_new();

	for (budget_s = 20; budget_s <= 300; budget_s += 20) {
		static struct recorded r;

		r = (struct recorded){ .n = 0 };
		record(&r, 0);
		replay(a, 86400, &r); /* asserts that every ask is the same */
	}
	arena_free(a);
}

/* The place of the n-th trial that a phase asked for, from 1. */
static size_t
place_of(const struct recorded *r, enum trial_phase phase, size_t n)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->at[i].ask.phase == phase && --n == 0)
			return i + 1;
	cr_assert_fail("no such trial");
	return 0;
}

Test(search_resume, a_pair_cut_by_death_is_the_largest_loss)
{
	static struct recorded whole;

	record(&whole, 0);
	for (size_t slot = 0; slot < 2; slot++) {
		static struct recorded r;
		unsigned asked[PHASE_MEASURE + 1] = { 0 };
		struct arena *a = arena_new();
		struct search *s;
		struct search_result cut;

		r = (struct recorded){ .n = 0 };
		record(&r, place_of(&whole, PHASE_CONFIRM, 7 + slot)); /* of the fourth pair */
		s = replay(a, 600, &r);
		search_stop(s);
		cut = search_result(s);
		cr_expect_eq(cut.effect.pairs, 4, "%g", cut.effect.pairs);
		cr_expect(cut.effect.low < 0, "%g", cut.effect.low);
		s = replay(a, 600, &r);
		cr_expect(go_on(s, &r, asked).effect.pairs > 4);
		cr_expect_eq(asked[PHASE_RACE], 0);
		arena_free(a);
	}
}

Test(search_resume, a_race_block_cut_by_death_is_run_again)
{
	static struct recorded whole, r;
	unsigned asked[PHASE_MEASURE + 1] = { 0 };
	struct arena *a = arena_new();
	struct search *s;
	struct ask ask;

	record(&whole, 0);
	record(&r, place_of(&whole, PHASE_RACE, 5)); /* in the second block of three */
	cr_assert_eq(r.at[r.n - 1].ask.slot, 1);
	s = replay(a, 600, &r);
	cr_assert(search_next(s, r.end_s, r.end_bytes, &ask));
	cr_expect_eq(ask.phase, PHASE_RACE);
	cr_expect(ask.block == 1 && ask.slot == 0, "%g %g", ask.block, ask.slot);
	s = replay(a, 600, &r);
	cr_expect_neq(go_on(s, &r, asked).class, CLASS_FAILED);
	cr_expect(asked[PHASE_RACE] >= 3, "%u", asked[PHASE_RACE]);
	arena_free(a);
}
