#include "expect.h"
#include "search_state.h"
#include "units.h"

#include <math.h>

#define KNEE_TRIALS 9
#define CONFIRM_TRIALS 24

struct trials {
	double least, likely;
};

/* The default, a wide-open window, and every other control; some of them are dropped early. */
static struct trials
trials_of(const struct plan_direction *d, bool quick)
{
	double arms = 1 + (d->window_max_bytes > d->window_bytes) +
	    (d->n_cc > 1 ? (double)d->n_cc - 1 : 0);

	if (arms == 1)
		return (struct trials){ 1, 1 };
	return (struct trials){ 1 + (quick ? 2 : 4) * arms,
		1 + (quick ? 2 : 6) * arms + (quick ? 0 : KNEE_TRIALS) + CONFIRM_TRIALS };
}

/* One connection fills its window once in a round trip, at most. */
static double
ceiling_bps(const struct facts *f, double window_bytes)
{
	double bps = 8 * window_bytes / (f->rtt_ms / 1e3);

	return isnan(f->link_bps) ? bps : fmin(bps, f->link_bps);
}

/* Trials are as long as the search has them on a path that loses nothing. */
struct expectation
expect_run(const struct facts *f, const struct options *o, const struct plan *plan)
{
	double rtt = isnan(f->rtt_ms) ? 0 : f->rtt_ms / 1e3;
	double moving = fmax(rtt <= .04 ? 1 : 2, 12 * rtt + .5) + fmax(3, 15 * rtt);
	double share = o->budget_s / (double)plan->n_directions;
	struct expectation x = { 0, 0, 0, 0 };

	for (size_t i = 0; i < plan->n_directions; i++) {
		const struct plan_direction *d = &plan->directions[i];
		struct trials n = trials_of(d, o->mode == BUDGET_QUICK);
		double least = fmin(n.least, share / (moving + GAP_S));
		double likely = fmin(n.likely, share / (moving + GAP_S));

		x.least_s += least * (moving + GAP_S);
		x.likely_s += likely * (moving + GAP_S);
		x.least_bytes += least * moving * ceiling_bps(f, d->window_bytes) / 8;
		x.likely_bytes += likely * moving * ceiling_bps(f, d->window_max_bytes) / 8;
	}
	x.least_bytes = fmin(x.least_bytes, o->data_cap_bytes);
	x.likely_bytes = fmin(x.likely_bytes, o->data_cap_bytes);
	return x;
}

const char *
expect_left(struct arena *a, double left_s, double left_bytes)
{
	const char *time = units_say_time(a, ceil(fmax(0, left_s)));

	if (!isfinite(left_bytes))
		return arena_printf(a, "at most %s left", time);
	return arena_printf(a, "at most %s and %s left", time,
	    units_say_bytes(a, fmax(0, left_bytes)));
}

const char *
expect_left_all(struct arena *a, const struct plan *all, const struct plan_direction *now,
    double left_s, double budget_s, double left_bytes, double cap_bytes)
{
	double later = (double)(&all->directions[all->n_directions] - now) - 1;

	return expect_left(a, fmax(0, left_s) + later * budget_s,
	    !isfinite(left_bytes) ? left_bytes : fmax(0, left_bytes) + later * cap_bytes);
}
