/* tune: what a search will take, said before it begins. */
#include "cmd_tune.h"
#include "expect.h"
#include "resume.h"
#include "units.h"

#include <math.h>

/* What is left of the time of a run that goes on, by its directions. */
static double
left_s(const struct run *run)
{
	double n = (double)run->plan.n_directions, spent_s, left = 0;

	for (size_t i = 0; i < run->plan.n_directions; i++) {
		enum direction d = run->plan.directions[i].direction;
		double more_s = run->plan.directions[i].more_s;

		if (resume_decided(run, d) != NULL)
			continue;
		spent_s = 0;
		for (size_t j = 0; j < run->n_trials; j++) {
			if (run->trials[j].direction == d && run->trials[j].asked_s > spent_s)
				spent_s = run->trials[j].asked_s;
		}
		left += run->options.budget_s / n + (isnan(more_s) ? 0 : more_s) - spent_s;
	}
	return fmax(left, 0);
}

/* To ten seconds, from two minutes on to whole ones. */
static double
rounded(double seconds)
{
	double step = seconds < 120 ? 10 : 60;

	return fmax(step, ceil(seconds / step) * step);
}

/* "about 60 s to 4 min, at most 10 min"; what windows and the link do not bound is not said. */
static const char *
from_to_most(struct arena *a, const char *(*say)(struct arena *, double), double least,
    double likely, double most)
{
	if (!(likely < most))
		return arena_printf(a, "at most %s", say(a, most));
	return least < likely ? arena_printf(a, "about %s to %s, at most %s", say(a, least),
	    say(a, likely), say(a, most)) :
	    arena_printf(a, "about %s, at most %s", say(a, likely), say(a, most));
}

void
tune_announce(struct cmd_context *c, const struct run *run)
{
	const char *feel = run->options.end == NULL ?
	    "live connections of this host may feel the values under trial" :
	    "live connections of both ends may feel the values under trial";
	struct expectation x = expect_run(&run->facts, &run->options, &run->plan);
	const struct plan *plan = &run->plan;
	struct arena *a = c->arena;

	if (run->n_trials != 0)
		cmd_note(c, "measuring goes on after %zu trials: at most %s more, at most %s of "
		    "traffic in all; %s", run->n_trials, units_say_time(a, left_s(run)),
		    units_say_bytes(a, plan->expected_bytes), feel);
	else
		cmd_note(c, "measuring: %s; traffic: %s; %s", from_to_most(a, units_say_time,
		    rounded(x.least_s), rounded(x.likely_s), plan->expected_s),
		    from_to_most(a, units_say_bytes, x.least_bytes, x.likely_bytes,
		    plan->expected_bytes), feel);
}
