#include "tuner/compare.h"
#include "tuner/stats.h"

#include "error.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new();
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(compare, .init = setup, .fini = teardown);
TestSuite(stats_shift, .init = setup, .fini = teardown);

static unsigned seed;

static double
uniform(void)
{
	seed = seed * 1103515245u + 12345u;
	return (((seed >> 8) & 0xffffff) + .5) / 16777216.0;
}

static double
gauss(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * acos(-1) * uniform());
}

/* ---- the interval --------------------------------------------------------------------------- */

/* P(U <= k) by counting all orders of n + m values. */
static double
counted(size_t n, size_t m, size_t k)
{
	size_t all = 0, at_most = 0;

	for (unsigned set = 0; set < 1u << (n + m); set++) {
		size_t size = 0, u = 0;

		for (size_t i = 0; i < n + m; i++) {
			if (set >> i & 1)
				size++;
			else
				u += size;
		}
		if (size != n)
			continue;
		all++;
		at_most += u <= k;
	}
	return (double)at_most / (double)all;
}

Test(stats_shift, has_the_confidence_that_counting_gives)
{
	static const struct { size_t n, m; } sizes[] = { { 5, 5 }, { 4, 6 }, { 6, 8 }, { 3, 9 },
		{ 8, 8 }, { 7, 4 } };

	for (size_t c = 0; c < NELEM(sizes); c++) {
		size_t n = sizes[c].n, m = sizes[c].m, k = 0;
		double a[8], b[9], d[72];
		struct interval x;

		while (counted(n, m, k + 1) <= .025)
			k++;
		for (size_t i = 0; i < n; i++)
			a[i] = (double)(i * i);
		for (size_t i = 0; i < m; i++)
			b[i] = 3.7 * (double)i + 20;
		x = stats_shift(a, n, b, m, .95);
		cr_expect_float_eq(x.confidence, 1 - 2 * counted(n, m, k), 1e-12, "%zu %zu", n, m);
		for (size_t i = 0; i < n * m; i++)
			d[i] = b[i % m] - a[i / m];
		for (size_t i = 0; i < n * m; i++) {
			size_t below = 0;

			for (size_t j = 0; j < n * m; j++)
				below += d[j] < d[i];
			cr_expect(below != k || x.low == d[i], "%zu %zu", n, m);
			cr_expect(below != n * m - 1 - k || x.high == d[i], "%zu %zu", n, m);
		}
	}
}

Test(stats_shift, says_how_little_few_values_are_worth)
{
	static const double one[] = { 1 }, other[] = { 3 }, two[] = { 1, 2 };
	struct interval x = stats_shift(one, 1, other, 1, .95);

	cr_expect_eq(x.estimate, 2);
	cr_expect_eq(x.confidence, 0);
	x = stats_shift(two, 2, two, 2, .95);
	cr_expect_float_eq(x.confidence, 2. / 3, 1e-12);
	cr_expect_eq(x.low, -1);
	cr_expect_eq(x.high, 1);
	cr_expect(isnan(stats_shift(one, 0, other, 1, .95).estimate));
	cr_expect(isnan(stats_shift(one, STATS_SHIFT_MAX + 1, other, 1, .95).estimate));
}

Test(stats_shift, covers_the_truth_as_often_as_it_says_for_many_values_too)
{
	static const size_t sizes[] = { 6, 12, 30, 60 };

	seed = 11;
	for (size_t s = 0; s < NELEM(sizes); s++) {
		size_t n = sizes[s], covered = 0;

		for (int r = 0; r < 600; r++) {
			double a[60], b[60];
			struct interval x;

			for (size_t i = 0; i < n; i++) {
				a[i] = gauss();
				b[i] = gauss() + .4;
			}
			x = stats_shift(a, n, b, n, .95);
			covered += x.low <= .4 && .4 <= x.high;
		}
		cr_expect_geq(covered, 553, "%zu: %zu", n, covered); /* .95 less 3 sd */
	}
}

/* ---- runs ----------------------------------------------------------------------------------- */

struct making {
	double bps;        /* median */
	size_t rounds, transfers;
	double every_s;
	double drift, noise; /* sd of log goodput, of a round and of a transfer */
};

static struct run *
run_of(const char *started, const struct making *m)
{
	struct run *run = arena_alloc(arena, sizeof(*run));

	record_init(&run_record, run);
	run->started = started;
	run->options.command = "measure";
	run->options.peer = "peer.example";
	run->options.streams = 1;
	run->facts.os = "NetBSD";
	run->facts.rtt_ms = 209;
	for (size_t r = 0; r < m->rounds; r++) {
		double drift = m->drift * gauss();

		for (size_t i = 0; i < m->transfers; i++) {
			struct trial *t = arena_push(arena, &run->trials, &run->n_trials,
			    sizeof(*t));

			record_init(&trial_record, t);
			t->direction = DIR_SEND;
			t->block = (double)r;
			t->asked_s = (double)r * m->every_s + (double)i * 6;
			t->goodput_bps = m->bps * exp(drift + m->noise * gauss());
		}
	}
	return run;
}

static struct comparison
compared(const struct making *before, const struct making *after)
{
	struct err e = { ERR_NONE, "" };
	struct comparison c;

	cr_assert(compare_runs(arena, run_of("2026-11-22T08:00:00Z", before),
	    run_of("2026-11-23T08:00:00Z", after), &c, &e), "%s", e.text);
	return c;
}

static const struct making once = { 7e6, 1, 5, 600, 0, .03 };
static const struct making spread = { 7e6, 6, 5, 600, .05, .03 };

Test(compare, one_round_each_decides_only_what_drift_cannot_do)
{
	struct making after = once;
	struct comparison c;

	seed = 3;
	after.bps = 1.5 * once.bps;
	c = compared(&once, &after);
	cr_expect_eq(c.verdict, COMPARE_UNDECIDED);
	cr_expect_not(c.directions[0].drift);
	cr_expect_gt(c.directions[0].effect.low, 30, "the interval itself is tight");
	cr_expect(strstr(c.directions[0].words, "is not in the interval") != NULL);
	cr_expect(strstr(c.directions[0].words, "measure --repeat 6 --every 10m") != NULL, "%s",
	    c.directions[0].words);
	after.bps = 300e6; /* the story */
	c = compared(&once, &after);
	cr_expect_eq(c.verdict, COMPARE_BETTER);
	cr_expect(strstr(c.directions[0].words, "times the goodput") != NULL, "%s",
	    c.directions[0].words);
	cr_expect(isnan(c.directions[0].repeats));
	cr_expect_eq(compared(&after, &once).verdict, COMPARE_WORSE);
}

Test(compare, rounds_that_are_spread_decide_smaller_differences)
{
	struct making after = spread;
	struct comparison c;

	seed = 5;
	after.bps = 1.3 * spread.bps;
	c = compared(&spread, &after);
	cr_expect_eq(c.verdict, COMPARE_BETTER, "%s", c.directions[0].words);
	cr_expect(c.directions[0].drift);
	cr_expect_eq(c.directions[0].effect.pairs, 6);
	cr_expect_eq(c.directions[0].before.spread_s, 3024);
	after.every_s = 30; /* six rounds within three minutes are one time */
	cr_expect_not(compared(&spread, &after).directions[0].drift);
	after = spread;
	after.rounds = 4;
	cr_expect_not(compared(&spread, &after).directions[0].drift);
}

Test(compare, says_that_two_steady_runs_are_the_same)
{
	const struct making steady = { 7e6, 12, 5, 600, .01, .01 };

	seed = 9;
	cr_expect_eq(compared(&steady, &steady).verdict, COMPARE_SAME);
}

/* Nothing differs, and the path drifts as it was seen to: a verdict would be a lie. */
Test(compare, lies_in_no_more_than_one_of_twenty_comparisons_of_equals)
{
	const struct making quick = { 7e6, 1, 5, 600, .24, .1 };
	const struct making slow = { 7e6, 6, 3, 600, .24, .1 };
	size_t quick_lies = 0, slow_lies = 0;

	seed = 17;
	for (int i = 0; i < 400; i++) {
		enum compare_verdict v = compared(&quick, &quick).verdict;

		quick_lies += v == COMPARE_BETTER || v == COMPARE_WORSE;
		v = compared(&slow, &slow).verdict;
		slow_lies += v == COMPARE_BETTER || v == COMPARE_WORSE;
	}
	cr_expect_leq(quick_lies, 20);
	cr_expect_leq(slow_lies, 20);
}

Test(compare, asks_for_no_more_rounds_than_anybody_would_make)
{
	struct making after = once;
	struct comparison c;

	seed = 23;
	after.bps = 1.02 * once.bps;
	c = compared(&once, &after);
	cr_expect_eq(c.verdict, COMPARE_UNDECIDED);
	cr_expect_leq(c.directions[0].repeats, 100);
	cr_expect(strstr(c.directions[0].words, "hardly") != NULL, "%s", c.directions[0].words);
}

/* ---- what may be compared ------------------------------------------------------------------- */

Test(compare, refuses_what_is_not_comparable)
{
	static const char *const errors[] = { "this is the same run twice",
		"the peers differ: 'peer.example' and 'other.example'",
		"the systems differ: NetBSD and Linux",
		"the numbers of connections differ: 1 and 4",
		"no direction has good trials in both runs",
		"no direction has good trials in both runs",
		"a run of tune --try compares settings itself" };

	for (size_t i = 0; i < NELEM(errors); i++) {
		struct run *before = run_of("2026-11-22T08:00:00Z", &once);
		struct run *after = run_of(i == 0 ? "2026-11-22T08:00:00Z" :
		    "2026-11-23T08:00:00Z", &once);
		struct err e = { ERR_NONE, "" };
		struct comparison c;

		if (i == 1)
			after->options.peer = "other.example";
		else if (i == 2)
			after->facts.os = "Linux";
		else if (i == 3)
			after->options.streams = 4;
		else if (i == 6)
			after->options.try_file = "a.yaml";
		for (size_t t = 0; t < after->n_trials; t++) {
			after->trials[t].status = i == 4 ? TRIAL_VOID : TRIAL_OK;
			after->trials[t].direction = i == 5 ? DIR_RECEIVE : DIR_SEND;
		}
		cr_expect_not(compare_runs(arena, before, after, &c, &e), "case %zu", i);
		cr_expect_eq(e.code, ERR_USAGE);
		cr_expect_str_eq(e.text, errors[i]);
	}
}

static bool
lists(const struct comparison *c, const char *words)
{
	for (size_t i = 0; i < c->n_differences; i++) {
		if (strstr(c->differences[i], words) != NULL)
			return true;
	}
	return false;
}

Test(compare, lists_what_else_differs)
{
	struct run *before = run_of("2026-11-22T08:00:00Z", &once);
	struct run *after = run_of("2026-11-23T08:00:00Z", &once);
	struct knob_fact was = { .name = "kern.sbmax", .text = "262144" };
	struct knob_fact is = { .name = "kern.sbmax", .text = "16777216" };
	struct err e = { ERR_NONE, "" };
	struct comparison c;

	before->facts.nic_model = "virtio-net";
	after->facts.nic_model = "e1000 (82540EM)";
	before->facts.mac = "02:00:00:00:00:01";
	after->facts.mac = "02:00:00:00:00:02";
	before->facts.knobs = &was;
	after->facts.knobs = &is;
	before->facts.n_knobs = after->facts.n_knobs = 1;
	after->facts.rtt_ms = 150;
	cr_assert(compare_runs(arena, before, after, &c, &e), "%s", e.text);
	cr_expect(lists(&c, "NIC: virtio-net, then e1000 (82540EM)"));
	cr_expect(lists(&c, "the MAC is another"));
	cr_expect(lists(&c, "kern.sbmax: 262144, then 16777216"));
	cr_expect(lists(&c, "idle RTT: 209.0 ms, then 150.0 ms"));
	cr_expect_eq(c.n_differences, 4);
}

Test(compare, takes_of_a_search_only_what_was_there_before_it)
{
	struct run *before = run_of("2026-11-22T08:00:00Z", &once);
	struct run *after = run_of("2026-11-23T08:00:00Z", &once);
	struct direction_decision d = { .direction = DIR_SEND };
	struct err e = { ERR_NONE, "" };
	struct comparison c;

	d.before.setting.cc = "newreno";
	d.before.setting.window_bytes = 204800;
	after->decision.directions = &d;
	after->decision.n_directions = 1;
	for (size_t i = 0; i < after->n_trials; i++) {
		after->trials[i].setting = d.before.setting;
		if (i >= 2)
			after->trials[i].setting.window_bytes = 16e6;
	}
	cr_assert(compare_runs(arena, before, after, &c, &e), "%s", e.text);
	cr_expect_eq(c.directions[0].after.transfers, 2);
	cr_expect_eq(c.directions[0].after.rounds, 1);
}
