#include "try_state.h"

#include <math.h>

#define THRESHOLD 20 /* 1 / .05 */
#define LEAST_BLOCKS 6
#define GROSS_BLOCKS 4
#define NO_GAIN_BLOCKS 8

void
try_drop(struct candidate *c, enum try_class class)
{
	c->live = false;
	c->class = class;
}

static double
threshold(const struct try *t)
{
	return THRESHOLD * (double)(t->config.n - 1) * (double)t->config.directions;
}

static double
rtt_limit_s(const struct try *t, double present_rtt_s)
{
	return fmax(t->rtt0_s, present_rtt_s) + guard_policy_s(t->config.policy, t->rtt0_s);
}

/* An unknown number breaks nothing: every comparison with NAN is false. */
static bool
breaks_guard(const struct try *t, struct candidate *c, double factor)
{
	struct load present = samples_load(c->side[0], c->n);
	struct load now = samples_load(c->side[1], c->n);
	double gain = stats_hodges_lehmann(c->d, c->n);

	c->guard_rtt = now.rtt_s > factor * rtt_limit_s(t, present.rtt_s);
	return c->guard_rtt ||
	    now.retransmits - present.retransmits > factor * guard_retransmit_allowance(gain);
}

static bool
no_gain(const struct candidate *c)
{
	return c->n >= NO_GAIN_BLOCKS && stats_hodges_lehmann(c->d, c->n) +
	    1.645 * pairs_spread(c->d, c->n) / sqrt((double)c->n) < WORTH;
}

static double
median_y(const struct candidate *c, size_t which, size_t stratum)
{
	double y[STATS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->stratum[i] == stratum && !isnan(c->side[which][i].y))
			y[n++] = c->side[which][i].y;
	return stats_median(y, n);
}

/* Connections far below the others of their stratum and below their partner, as in the search. */
static size_t
stuck(const struct candidate *c)
{
	double ahead = stats_median(c->d, c->n);
	double far = fmax(log(2), 3 * stats_mad_sd(c->d, c->n));
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->d[i] < ahead - far &&
		    c->side[1][i].y < median_y(c, 1, c->stratum[i]) - log(2);
	return n;
}

static bool
is_worse(const struct candidate *c)
{
	return c->against_it.max_e >= THRESHOLD && stats_signed_rank(c->d, c->n, .95).high < 0;
}

void
try_judge(const struct try *t, struct candidate *c)
{
	bool crossed = c->n >= LEAST_BLOCKS && c->for_it.max_e >= threshold(t);

	c->class = TRY_NONE;
	if (c->n >= GROSS_BLOCKS && breaks_guard(t, c, crossed ? 1.1 : 1.5))
		try_drop(c, TRY_GUARD);
	else if (crossed && pairs_gain_is_sure(c->d, c->n) && stuck(c) > 1)
		try_drop(c, TRY_UNSTEADY);
	else if (crossed && pairs_gain_is_sure(c->d, c->n))
		c->class = TRY_BETTER; /* and goes on, for the choice among several */
	else if (no_gain(c))
		try_drop(c, is_worse(c) ? TRY_WORSE : TRY_NO_GAIN);
}

/* ---- what came of it ------------------------------------------------------------------------ */

static double
percent(double ratio)
{
	return 100 * expm1(ratio);
}

/* A whole number: it is the same when it was saved and read again. */
static double
bps(double y)
{
	return round(exp(y));
}

static struct side
side_of(const struct candidate *c, size_t which)
{
	struct load l = samples_load(c->side[which], c->n);
	struct side s = { .goodput_bps = bps(samples_median_y(c->side[which], c->n)),
		.rtt_ms = l.rtt_s * 1000,
		.retransmits = l.retransmits };

	s.setting.window_bytes = NAN;
	return s;
}

static enum try_class
class_of(const struct try *t, const struct candidate *c)
{
	if (c->class != TRY_NONE)
		return c->class;
	if (c->n == 0 && (c->voids > 0 || t->lost_in_row >= TRY_LOST_BLOCKS))
		return TRY_FAILED;
	return c->n >= LEAST_BLOCKS && is_worse(c) ? TRY_WORSE : TRY_INCONCLUSIVE;
}

/* Blocks until a gain of this size, or its absence, would show. */
static double
more_s(const struct try *t, const struct candidate *c)
{
	double gain, blocks;

	if (c->n < 2)
		return NAN;
	gain = fmax(stats_hodges_lehmann(c->d, c->n), WORTH);
	blocks = pow((1.645 + 1.282) * pairs_spread(c->d, c->n) / gain, 2);
	return fmax(blocks, (double)c->n + 1) * try_block_cost_s(t, 2);
}

struct try_verdict
try_verdict(const struct try *t, size_t setting)
{
	const struct candidate *c = t->candidate[setting];
	struct interval i = stats_signed_rank(c->d, c->n, .95);
	double limit_s;
	struct try_verdict v = { .class = class_of(t, c),
		.before = side_of(c, 0),
		.after = side_of(c, 1),
		.guard_rtt = c->guard_rtt,
		.more_s = NAN,
		.why = c->why[0] == '\0' ? NULL : c->why };

	v.effect = (struct effect){ percent(i.estimate), percent(i.low), percent(i.high),
		i.confidence, (double)c->n, t->elapsed_s };
	limit_s = rtt_limit_s(t, v.before.rtt_ms / 1000);
	v.guard_limit_ms = isinf(limit_s) ? NAN : limit_s * 1000;
	if (v.class == TRY_INCONCLUSIVE)
		v.more_s = more_s(t, c);
	return v;
}

double
try_stratum_bps(const struct try *t, size_t setting, size_t stratum)
{
	double y = NAN;

	if (setting != 0)
		return bps(median_y(t->candidate[setting], 1, stratum));
	for (size_t i = 1; i < t->config.n && isnan(y); i++)
		y = median_y(t->candidate[i], 0, stratum);
	return bps(y);
}

size_t
try_best(const struct try *t)
{
	size_t best = 0;
	double most = 0;

	for (size_t i = 1; i < t->config.n; i++) {
		const struct candidate *c = t->candidate[i];
		double x = c->class == TRY_BETTER ? stats_hodges_lehmann(c->d, c->n) : -1;

		if (c->class != TRY_BETTER || t->config.never[i])
			continue;
		if (best == 0 || x > most + BETTER ||
		    (x > most - BETTER && t->config.changes[i] < t->config.changes[best])) {
			best = i;
			most = x;
		}
	}
	return best;
}

double
try_blocks(const struct try *t)
{
	return t->blocks;
}

const char *
try_why(const struct try *t)
{
	return t->why;
}
