#include "compare.h"

#include "compare_differences.h"
#include "limiter.h"
#include "stats.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define CONFIDENCE .95
#define EVERY_S 600.0     /* between rounds: the path's state of ten minutes ago still lingers */
#define REPEATS_LEAST 6
#define REPEATS_MOST 100

/* The good trials of one direction of a run. */
struct sample {
	double logs[STATS_MAX];   /* of goodput, one a transfer */
	double blocks[STATS_MAX]; /* which round it belongs to */
	size_t n;
	double rounds[STATS_SHIFT_MAX]; /* median of each */
	size_t n_rounds;
	struct compare_side side;
};

/* Of a search only what was there before it counts; the rest are its candidates. */
static const struct setting *
setting_before(const struct run *run, enum direction d)
{
	for (size_t i = 0; i < run->decision.n_directions; i++) {
		if (run->decision.directions[i].direction == d)
			return &run->decision.directions[i].before.setting;
	}
	return NULL;
}

static bool
counts(const struct run *run, const struct trial *t, enum direction d)
{
	const struct setting *s = setting_before(run, d);

	return t->status == TRIAL_OK && t->direction == d && t->goodput_bps > 0 &&
	    (s == NULL || setting_same(s, &t->setting));
}

static double
round_of(const struct run *run, const struct trial *t)
{
	/* Blocks of a search follow each other at once: it is one time. */
	return run->decision.n_directions == 0 ? t->block : 0;
}

static void
take_rounds(struct sample *s)
{
	for (size_t i = 0; i < s->n && s->n_rounds < STATS_SHIFT_MAX; i++) {
		double of[STATS_MAX];
		size_t k = 0, j = 0;

		while (j < i && s->blocks[j] != s->blocks[i])
			j++;
		if (j < i)
			continue; /* was done */
		for (j = i; j < s->n; j++) {
			if (s->blocks[j] == s->blocks[i])
				of[k++] = s->logs[j];
		}
		s->rounds[s->n_rounds++] = stats_median(of, k);
	}
}

static void
take_sample(const struct run *run, enum direction d, struct sample *s)
{
	double rtt[STATS_MAX], lost[STATS_MAX], first_s = NAN, last_s = NAN;
	size_t n_rtt = 0, n_lost = 0;

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < run->n_trials && s->n < STATS_MAX; i++) {
		const struct trial *t = &run->trials[i];

		if (!counts(run, t, d))
			continue;
		s->blocks[s->n] = round_of(run, t);
		s->logs[s->n++] = log(t->goodput_bps);
		if (!isnan(t->rtt.loaded_ms))
			rtt[n_rtt++] = t->rtt.loaded_ms;
		if (!isnan(t->retransmits))
			lost[n_lost++] = t->retransmits;
		first_s = isnan(first_s) ? t->asked_s : first_s;
		last_s = t->asked_s;
	}
	take_rounds(s);
	s->side = (struct compare_side){ exp(stats_median(s->logs, s->n)),
		stats_median(rtt, n_rtt), stats_median(lost, n_lost), (double)s->n,
		(double)s->n_rounds, last_s - first_s };
}

static bool
is_spread(const struct sample *s)
{
	return s->n_rounds >= COMPARE_ROUNDS && s->side.spread_s >= COMPARE_SPREAD_S;
}

/* ---- verdict -------------------------------------------------------------------------------- */

static struct effect
percent(const struct interval *i, double n)
{
	return (struct effect){ 100 * expm1(i->estimate), 100 * expm1(i->low),
		100 * expm1(i->high), i->confidence, n, NAN };
}

static enum compare_verdict
verdict_of(const struct interval *i, bool drift)
{
	/* What drift alone could do is no difference between the two. */
	double margin = drift ? 0 : log(COMPARE_DRIFT), worth = log(COMPARE_WORTH);

	if (i->confidence < CONFIDENCE - .06)
		return COMPARE_UNDECIDED;
	if (i->low > margin && i->estimate > worth)
		return COMPARE_BETTER;
	if (i->high < -margin && i->estimate < -worth)
		return COMPARE_WORSE;
	return drift && i->low > -worth && i->high < worth ? COMPARE_SAME : COMPARE_UNDECIDED;
}

/* How far rounds lie apart in either run; of few the figure of others is the better guess. */
static double
drift_sd(const struct sample *b, const struct sample *a)
{
	double v = (stats_variance(b->rounds, b->n_rounds) +
	    stats_variance(a->rounds, a->n_rounds)) / 2;

	return b->n_rounds < COMPARE_ROUNDS || a->n_rounds < COMPARE_ROUNDS ? COMPARE_DRIFT_SD :
	    sqrt(v);
}

/* For 5 % significance and 80 % power on a difference of the size that was seen, at least 5 %. */
static double
repeats_for(double sd, double estimate)
{
	double z = 1.96 + .84, by = fmax(fabs(estimate), log(COMPARE_WORTH));

	return fmin(REPEATS_MOST, fmax(REPEATS_LEAST, ceil(2 * pow(z * sd / by, 2))));
}

/* From twice as much on a factor is easier to read than per cent. */
static const char *
say_effect(struct arena *a, const struct compare_direction *d)
{
	const struct effect *x = &d->effect;
	const char *of = arena_printf(a, "%.3g %% confidence, %.0f %s", x->confidence * 100,
	    x->pairs, d->drift ? "rounds" : x->pairs == 1 ? "transfer" : "transfers");

	return arena_printf(a, "%s (%s)", x->low >= 100 || x->high <= -50 ?
	    units_say_factor(a, x->estimate, x->low, x->high) :
	    units_say_change(a, x->estimate, x->low, x->high), of);
}

static const char *
say_verdict(struct arena *a, const struct compare_direction *d)
{
	static const char *const words[] = { "Not compared", "Faster", "Slower",
		"No difference of 5 % or more", "Undecided" };

	return arena_printf(a, "%s: %s.", words[d->verdict], say_effect(a, d));
}

static const char *
say_repeats(struct arena *a, const struct compare_direction *d)
{
	double hours = (d->repeats - 1) * d->every_s / 3600;

	if (isnan(d->repeats))
		return "";
	if (d->repeats >= REPEATS_MOST)
		return arena_printf(a, " Even %.0f rounds over %.0f h in each run would hardly "
		    "decide so small a difference.", d->repeats, hours);
	return arena_printf(a, " %.0f rounds over %.2g h in each run, at the same time of day, "
	    "would decide: measure --repeat %.0f --every %.0fm.", d->repeats, hours, d->repeats,
	    d->every_s / 60);
}

static const char *
say_certainty(struct arena *a, const struct compare_direction *d)
{
	const char *more = say_repeats(a, d);

	if (d->drift)
		return arena_printf(a, "The runs were not interleaved: drift of the path within "
		    "each of them is in the interval, a difference between their times of day is "
		    "not.%s", more);
	if (d->verdict == COMPARE_BETTER || d->verdict == COMPARE_WORSE)
		return arena_printf(a, "The runs were not interleaved, and drift of the path "
		    "between them is not in the interval; but even a drift by %.2f times, seen "
		    "between hours elsewhere, does not explain it.", COMPARE_DRIFT);
	return arena_printf(a, "The runs were not interleaved, and drift of the path between them "
	    "is not in the interval: without any cause, paths have been seen to differ by %.2f "
	    "times from one hour to another.%s", COMPARE_DRIFT, more);
}

static size_t
at_most(size_t n)
{
	return n < STATS_SHIFT_MAX ? n : STATS_SHIFT_MAX;
}

static void
judge(struct arena *a, const struct sample *b, const struct sample *s,
    struct compare_direction *d)
{
	struct interval i;

	d->before = b->side;
	d->after = s->side;
	d->drift = is_spread(b) && is_spread(s);
	i = d->drift ? stats_shift(b->rounds, b->n_rounds, s->rounds, s->n_rounds, CONFIDENCE) :
	    stats_shift(b->logs, at_most(b->n), s->logs, at_most(s->n), CONFIDENCE);
	d->effect = percent(&i, d->drift ? fmin(b->side.rounds, s->side.rounds) :
	    fmin(b->side.transfers, s->side.transfers));
	d->verdict = verdict_of(&i, d->drift);
	d->every_s = EVERY_S;
	d->repeats = d->verdict == COMPARE_UNDECIDED ? repeats_for(drift_sd(b, s), i.estimate) :
	    NAN;
	d->words = arena_printf(a, "%s %s", say_verdict(a, d), say_certainty(a, d));
}

static enum compare_verdict
worst(enum compare_verdict a, enum compare_verdict b)
{
	static const int order[] = { [COMPARE_NONE] = 0, [COMPARE_BETTER] = 2,
		[COMPARE_WORSE] = 3, [COMPARE_SAME] = 1, [COMPARE_UNDECIDED] = 4 };

	return order[a] > order[b] ? a : b;
}

bool
compare_runs(struct arena *a, const struct run *before, const struct run *after,
    struct comparison *out, struct err *e)
{
	static const enum direction both[] = { DIR_SEND, DIR_RECEIVE };
	struct comparison c = { before->started, after->started, COMPARE_NONE, NULL, 0, NULL, 0 };

	if (!compare_may(before, after, e))
		return false;
	for (size_t i = 0; i < NELEM(both); i++) {
		struct sample b, s;
		struct compare_direction *d;

		take_sample(before, both[i], &b);
		take_sample(after, both[i], &s);
		if (b.n == 0 || s.n == 0)
			continue;
		d = arena_push(a, &c.directions, &c.n_directions, sizeof(*d));
		d->direction = both[i];
		judge(a, &b, &s, d);
		c.verdict = worst(c.verdict, d->verdict);
	}
	if (c.n_directions == 0)
		return fail(e, ERR_USAGE, "no direction has good trials in both runs");
	compare_differences(a, before, after, &c);
	*out = c;
	return true;
}
