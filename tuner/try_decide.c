#include "try_decide.h"
#include "decide.h"
#include "limiter.h"
#include "units.h"

#include <math.h>
#include <string.h>

struct deciding {
	struct arena *arena;
	const struct plan_direction *plan;
	const struct try_file *file;
	const struct try_choice *choices;
	size_t n;
	const struct try *try;
};

static bool
other_streams(const struct deciding *x, size_t i)
{
	return x->choices[i].streams != x->choices[0].streams;
}

static const char *
say_guard(struct arena *a, const struct try_verdict *v)
{
	if (v->guard_rtt)
		return arena_printf(a,
		    "the RTT under load goes from %.3g to %.3g ms (limit %.3g); "
		    "--policy throughput accepts it",
		    v->before.rtt_ms, v->after.rtt_ms, v->guard_limit_ms);
	return arena_printf(a, "%s of the segments are sent again (was %s)",
	    units_say_percent(a, v->after.retransmits, 2),
	    units_say_percent(a, v->before.retransmits, 2));
}

static const char *
say_candidate(const struct deciding *x, size_t i, const struct try_verdict *v)
{
	struct arena *a = x->arena;

	switch (v->class) {
	case TRY_BETTER:
		return !other_streams(x, i) ? NULL
					    : arena_printf(a,
						  "%.0f connections at a time are "
						  "an application's matter: compared, never chosen",
						  x->choices[i].streams);
	case TRY_GUARD:
		return say_guard(a, v);
	case TRY_UNSTEADY:
		return "some connections are stuck at less than half of the rate of the others";
	case TRY_FAILED:
		return v->why != NULL ? v->why : "no trial succeeded";
	case TRY_INCONCLUSIVE:
		return isnan(v->more_s)
		    ? NULL
		    : arena_printf(a, "about %s with this setting alone would decide (--budget)",
			  units_say_time(a, ceil(v->more_s / 60) * 60));
	default:
		return NULL;
	}
}

static void
fill_strata(const struct deciding *x, size_t i, struct try_result *r)
{
	r->n_strata = x->file->n_pin_bytes == 0 ? 1 : x->file->n_pin_bytes;
	r->strata = arena_array(x->arena, r->n_strata, sizeof(*r->strata));
	for (size_t s = 0; s < r->n_strata; s++)
		r->strata[s] =
		    (struct try_stratum){ x->file->n_pin_bytes == 0 ? NAN : x->file->pin_bytes[s],
			    try_stratum_bps(x->try, i, s) };
}

static const struct effect no_effect = { NAN, NAN, NAN, NAN, NAN, NAN };

static struct try_result
result_of(const struct deciding *x, size_t i)
{
	const struct try_choice *c = &x->choices[i];
	struct try_result r = {
		.name = c->setting->name, .streams = c->streams, .more_s = NAN, .effect = no_effect
	};
	struct try_verdict v;

	fill_strata(x, i, &r);
	r.settings = c->lines;
	r.n_settings = c->n_lines;
	if (i == 0)
		return r;
	v = try_verdict(x->try, i);
	r.class = v.class;
	r.chosen = i == try_best(x->try);
	r.effect = v.effect;
	r.side = v.after;
	r.side.setting = c->as;
	r.more_s = v.more_s;
	r.words = say_candidate(x, i, &v);
	return r;
}

/* The candidate that the decision speaks of: the best, else the one that came furthest. */
static size_t
leading(const struct deciding *x, const struct try_result *r)
{
	size_t best = try_best(x->try), lead = 1;

	if (best != 0)
		return best;
	for (size_t i = 2; i < x->n; i++) {
		bool known = !isnan(r[i].effect.estimate);

		if (known && !(r[lead].effect.estimate >= r[i].effect.estimate))
			lead = i;
	}
	return lead;
}

static bool
has(const struct try_result *r, size_t n, enum try_class class)
{
	for (size_t i = 1; i < n; i++)
		if (r[i].class == class)
			return true;
	return false;
}

static enum decision_class
class_of(const struct deciding *x, const struct try_result *r, size_t best)
{
	const struct try_choice *c = &x->choices[best], *now = &x->choices[0];
	bool cc = c->as.cc != NULL && now->as.cc != NULL && strcmp(c->as.cc, now->as.cc) != 0;

	if (best != 0 && c->setting->n_knobs != 0)
		return CLASS_TRIED;
	if (best != 0 && isnan(c->setting->window_bytes))
		return CLASS_CONGESTION;
	if (best != 0)
		return cc ? CLASS_BOTH : CLASS_WINDOW;
	if (has(r, x->n, TRY_INCONCLUSIVE))
		return CLASS_INCONCLUSIVE;
	if (has(r, x->n, TRY_GUARD))
		return CLASS_GUARD;
	if (has(r, x->n, TRY_UNSTEADY))
		return CLASS_UNSTEADY;
	return has(r, x->n, TRY_NO_GAIN) || has(r, x->n, TRY_WORSE) || has(r, x->n, TRY_BETTER)
	    ? CLASS_NO_GAIN
	    : CLASS_FAILED;
}

static const char *
say_keep(struct arena *a, enum decision_class class, const char *why)
{
	switch (class) {
	case CLASS_NO_GAIN:
		return "Keep the present settings: none of those tried is worth a change.";
	case CLASS_GUARD:
		return "Keep the present settings: what else was tried costs too much in RTT under "
		       "load or retransmits, or gains nothing.";
	case CLASS_UNSTEADY:
		return "Keep the present settings: connections with what was faster fall into two "
		       "groups, some of them stuck at less than half of the rate.";
	case CLASS_FAILED:
		return "Keep the present settings: measuring what else was tried failed.";
	default:
		return arena_printf(a,
		    "Inconclusive: %s before all was decided; keep the present "
		    "settings.",
		    why == NULL ? "the run ended" : why);
	}
}

static struct limit
limit_of(const struct deciding *x, const struct trial *trials, size_t n, size_t i)
{
	const struct try_choice *c = &x->choices[i];
	struct trial *own = arena_array(x->arena, n + 1, sizeof(*own));
	const struct setting same = { .cc = NULL };
	size_t k = 0;

	/* With pinned sockets the limit is what they were pinned to. */
	for (size_t j = 0; x->file->n_pin_bytes == 0 && j < n; j++)
		if (trials[j].try != NULL && strcmp(trials[j].try, c->setting->name) == 0)
			own[k++] = trials[j];
	for (size_t j = 0; j < k; j++)
		own[j].setting = same;
	return limiter_name(x->arena, NULL, own, k, x->plan->direction, &same);
}

struct direction_decision
try_decide(struct arena *a, const struct plan_direction *d, const struct try_file *f,
    const struct try_choice *choices, size_t n, const struct try *t, const struct trial *trials,
    size_t n_trials)
{
	struct deciding x = { a, d, f, choices, n, t };
	struct direction_decision out = { .direction = d->direction, .more_s = NAN };
	size_t best = try_best(t), lead;
	struct try_verdict v;

	out.tries = arena_array(a, n, sizeof(*out.tries));
	out.n_tries = n;
	for (size_t i = 0; i < n; i++)
		out.tries[i] = result_of(&x, i);
	lead = leading(&x, out.tries);
	v = try_verdict(t, lead);
	out.before = out.tries[0].side = v.before;
	out.before.setting = out.tries[0].side.setting = choices[0].as;
	out.after = out.tries[lead].side;
	out.effect = out.tries[lead].effect;
	out.verdict = best != 0 ? VERDICT_CHANGE : VERDICT_KEEP;
	out.class = class_of(&x, out.tries, best);
	out.limit_before = limit_of(&x, trials, n_trials, 0);
	out.limit_after = limit_of(&x, trials, n_trials, lead);
	out.words = best == 0
	    ? say_keep(a, out.class, try_why(t))
	    : arena_printf(a, "Change: %s. %s.%s", choices[best].setting->name,
		  decide_say_effect(a, &out.effect), decide_say_cost(a, &out.before, &out.after));
	return out;
}

/* ---- the lines ------------------------------------------------------------------------------ */

static const struct change_line *
line_of(const struct decision *d, const char *name)
{
	for (size_t i = 0; i < d->n_settings; i++)
		if (strcmp(d->settings[i].name, name) == 0)
			return &d->settings[i];
	return NULL;
}

/* The last knob of these that has another value already, else torn. */
static const char *
add_lines(struct arena *a, struct decision *out, const struct try_result *r, const char *torn)
{
	for (size_t i = 0; i < r->n_settings; i++) {
		const struct change_line *l = &r->settings[i], *is = line_of(out, l->name);

		if (is == NULL)
			*(struct change_line *)arena_push(
			    a, &out->settings, &out->n_settings, sizeof(*l)) = *l;
		else if (strcmp(is->new, l->new) != 0)
			torn = l->name;
	}
	return torn;
}

const char *
try_decide_lines(struct arena *a, struct decision *out)
{
	const char *torn = NULL;

	for (size_t i = 0; i < out->n_directions; i++) {
		const struct direction_decision *d = &out->directions[i];

		for (size_t k = 1; d->class == CLASS_TRIED && k < d->n_tries; k++) {
			const struct try_result *r = &d->tries[k];

			if (r->chosen)
				torn = add_lines(a, out, r, torn);
		}
	}
	return torn;
}
