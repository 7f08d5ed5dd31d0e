/* What a search found, in the numbers of search.h. */
#include "search_state.h"

#include <math.h>

static struct setting
setting_of(const struct search *s, size_t cc, double window, extras_set extras)
{
	struct setting setting = { .cc = s->cc[cc], .window_bytes = window };

	setting.extras = extras_names(s, extras, &setting.n_extras);
	return setting;
}

static struct side
side_of(struct setting setting, const struct sample *v, size_t n)
{
	struct side side = {setting, exp(samples_median_y(v, n)), samples_median_rtt(v, n) * 1000,
	    samples_median_retransmits(v, n)};

	return side;
}

static double
per_cent(double log_ratio)
{
	return 100 * expm1(log_ratio);
}

static struct effect
effect_of(const struct search *s)
{
	const struct confirm *c = &s->confirm;
	struct interval i = stats_signed_rank(c->d, c->n, .95);
	struct effect e = {NAN, NAN, NAN, NAN, NAN, NAN};

	if (c->n == 0)
		return e;
	e.estimate = per_cent(i.estimate);
	e.low = per_cent(i.low);
	e.high = per_cent(i.high);
	e.confidence = fmin(i.confidence, .95);
	e.pairs = (double)c->n;
	e.seconds = s->elapsed_s - c->start_s;
	return e;
}

/* Without a confirmation the sides are what the race saw, for orientation. */
static void
sides_from_race(const struct search *s, struct search_result *r)
{
	const struct arm *best = NULL;
	double most = -INFINITY;

	for (size_t i = 1; i < s->race.n_arms; i++) {
		double y = samples_median_y(s->race.arms[i].at, s->race.blocks);

		if (y > most) {
			most = y;
			best = &s->race.arms[i];
		}
	}
	r->before = side_of(r->start, &s->probe, s->fastest_bps > 0 ? 1 : 0);
	r->after = side_of(r->start, NULL, 0);
	if (best == NULL)
		return;
	r->chosen = setting_of(s, best->cc, best->window, best->extras);
	r->before = side_of(r->start, s->race.arms[0].at, s->race.blocks);
	r->after = side_of(r->chosen, best->at, s->race.blocks);
}

/* How much longer until pairs like these would decide. */
static double
more_seconds(const struct search *s, double estimate)
{
	const struct confirm *c = &s->confirm;
	double sd = sqrt(stats_winsorised_variance(c->d, c->n));
	double pairs = pow((1.645 + 1.282) * sd / fmax(estimate, WORTH), 2);
	double each = (s->elapsed_s - c->start_s) / (double)c->n;

	return c->n < 2 ? NAN : fmax(pairs - (double)c->n, 1) * each;
}

/* What the worst connections of the candidate get: one in ten is below. */
static double
low_decile(const struct confirm *c)
{
	double y[STATS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (!isnan(c->side[1][i].y))
			y[n++] = c->side[1][i].y;
	return exp(stats_quantile(y, n, .1));
}

struct search_result
search_result(const struct search *s)
{
	struct search_result r = s->result;
	const struct confirm *c = &s->confirm;

	r.start = r.chosen = setting_of(s, 0, s->config.window_bytes, 0);
	r.effect = effect_of(s);
	r.more_s = r.low_decile_bps = NAN;
	r.retransmit_exception = r.retransmit_exception && r.verdict == VERDICT_CHANGE;
	r.guard_rtt = r.guard_rtt && r.class == CLASS_GUARD;
	r.guard_retransmits = r.guard_retransmits && r.class == CLASS_GUARD;
	if (c->n == 0) {
		sides_from_race(s, &r);
		return r;
	}
	r.chosen = setting_of(s, c->cc, c->window, c->extras);
	r.before = side_of(r.start, c->side[0], c->n);
	r.after = side_of(r.chosen, c->side[1], c->n);
	r.low_decile_bps = low_decile(c);
	r.connections = (double)search_connections(s);
	if (r.class == CLASS_INCONCLUSIVE && !r.out_of_data)
		r.more_s = more_seconds(s, stats_hodges_lehmann(c->d, c->n));
	return r;
}
