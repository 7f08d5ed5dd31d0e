#include "resume.h"
#include "ends.h"
#include "limiter.h"

#include <math.h>
#include <string.h>

#define RTT_SHARE .25 /* by which the idle RTT may differ .. */
#define RTT_MS 5.     /* .. or by this, whichever is more */
#define RAM_SHARE .01 /* a kernel keeps a little more or less for itself at each boot */
#define ROUNDING 1e-9

/* ---- may it? -------------------------------------------------------------------------------- */

bool
resume_may(const struct run *old, struct err *e)
{
	if (old->options.command == NULL || strcmp(old->options.command, "tune") != 0 ||
	    old->options.peer == NULL || old->plan.n_directions == 0)
		return fail(e, ERR_USAGE, "not a run of tune");
	if (old->options.try_file != NULL)
		return fail(e, ERR_USAGE, "a comparison (--try) cannot go on: start it again");
	if (old->options.end != NULL && strcmp(old->options.end, ENDS_HOST) != 0)
		return fail(e, ERR_USAGE, "a run of both ends as the peer sees it: the one of the "
		    "host goes on");
	if (old->seed == NULL || strlen(old->seed) != 64 ||
	    strspn(old->seed, "0123456789abcdef") != 64)
		return fail(e, ERR_USAGE, "no seed of 64 hexadecimal digits in it, so the order of "
		    "its trials cannot be known");
	if (old->search == NULL || strcmp(old->search, SEARCH_VERSION) != 0)
		return fail(e, ERR_USAGE, "its trials were chosen by version %.20s of the search, "
		    "this program has version %s", old->search == NULL ? "unknown" : old->search,
		    SEARCH_VERSION);
	return true;
}

static bool
same_text(const char *what, const char *old, const char *now, struct err *e)
{
	if (strings_same(old, now))
		return true;
	return fail(e, ERR_FAILED, "%.60s was %.80s, it is %.80s now", what,
	    old == NULL ? "unknown" : old, now == NULL ? "unknown" : now);
}

static bool
same_number(const char *what, double old, double now, double share, struct err *e)
{
	if ((isnan(old) && isnan(now)) || fabs(old - now) <= share * fabs(old))
		return true;
	return fail(e, ERR_FAILED, "%s was %.12g, it is %.12g now", what, old, now);
}

static bool
same_knobs(const struct facts *old, const struct facts *now, struct err *e)
{
	if (old->n_knobs != now->n_knobs)
		return fail(e, ERR_FAILED, "%zu knobs were known, there are %zu now", old->n_knobs,
		    now->n_knobs);
	for (size_t i = 0; i < old->n_knobs; i++) {
		const struct knob_fact *k = facts_knob(now, old->knobs[i].name);

		if (!same_text(old->knobs[i].name, old->knobs[i].text, k == NULL ? NULL : k->text,
			e))
			return false;
	}
	return true;
}

bool
resume_same_host(const struct facts *old, struct facts *now, struct err *e)
{
	if (!same_text("the system", old->os, now->os, e) ||
	    !same_text("its release", old->release, now->release, e) ||
	    !same_text("the machine's architecture", old->arch, now->arch, e) ||
	    !same_text("the interface", old->interface, now->interface, e) ||
	    !same_text("the interface's driver", old->driver, now->driver, e) ||
	    !same_number("RAM in bytes", old->ram_bytes, now->ram_bytes, RAM_SHARE, e) ||
	    !same_number("the number of CPUs", old->cpus, now->cpus, 0, e) ||
	    !same_number("the link's rate in bit/s", old->link_bps, now->link_bps, ROUNDING, e) ||
	    !same_text("the default congestion control", old->cc, now->cc, e) ||
	    (old->tool != NULL &&
		!same_text("what moves the bytes", old->tool, now->tool, e)) ||
	    !same_knobs(old, now, e))
		return false;
	if (!(fabs(old->rtt_ms - now->rtt_ms) <= fmax(RTT_SHARE * old->rtt_ms, RTT_MS)))
		return fail(e, ERR_FAILED, "the idle RTT was %.3g ms, it is %.3g ms now",
		    old->rtt_ms, now->rtt_ms);
	now->rtt_ms = old->rtt_ms;
	now->link_bps = old->link_bps;
	return true;
}

static bool
same_extras(const struct plan_direction *old, const struct plan_direction *now, struct err *e)
{
	if (old->n_extras != now->n_extras)
		return fail(e, ERR_FAILED, "%zu other settings were to be tried, %zu are now",
		    old->n_extras, now->n_extras);
	for (size_t i = 0; i < old->n_extras; i++) {
		const struct plan_extra *x = &old->extras[i], *y = &now->extras[i];

		if (!same_text("a setting to be tried", x->id, y->id, e))
			return false;
		if (x->n_lines != y->n_lines)
			return fail(e, ERR_FAILED, "%.60s had %zu lines, it has %zu now", x->id,
			    x->n_lines, y->n_lines);
		for (size_t j = 0; j < x->n_lines; j++) {
			if (!same_text(x->id, x->lines[j].name, y->lines[j].name, e) ||
			    !same_text(x->lines[j].name, x->lines[j].new, y->lines[j].new, e))
				return false;
		}
	}
	return true;
}

static bool
same_direction(const struct plan_direction *old, const struct plan_direction *now, struct err *e)
{
	if (!same_text("the direction", direction_names[old->direction],
		direction_names[now->direction], e) ||
	    !same_number("the window of now", old->window_bytes, now->window_bytes, ROUNDING, e) ||
	    !same_number("the next window", old->window_next_bytes, now->window_next_bytes,
		ROUNDING, e) ||
	    !same_number("the largest window to be tried", old->window_max_bytes,
		now->window_max_bytes, ROUNDING, e))
		return false;
	if (old->n_cc != now->n_cc)
		return fail(e, ERR_FAILED, "%zu congestion controls were to be tried, %zu are now",
		    old->n_cc, now->n_cc);
	for (size_t i = 0; i < old->n_cc; i++) {
		if (!same_text("a congestion control to be tried", old->cc[i], now->cc[i], e))
			return false;
	}
	return same_extras(old, now, e);
}

bool
resume_same_plan(const struct plan *old, struct plan *now, struct err *e)
{
	if (old->n_directions != now->n_directions)
		return fail(e, ERR_FAILED, "%zu directions were planned, %zu are now",
		    old->n_directions, now->n_directions);
	for (size_t i = 0; i < old->n_directions; i++) {
		if (!same_direction(&old->directions[i], &now->directions[i], e))
			return false;
		now->directions[i].more_s = old->directions[i].more_s;
	}
	return true;
}

/* ---- where does it stand? ------------------------------------------------------------------- */

static bool
is_answer(const struct ask *ask, const struct trial *t)
{
	return ask->phase == t->phase && ask->block == t->block && ask->slot == t->slot &&
	    (ask->coin == t->coin || (isnan(ask->coin) && isnan(t->coin))) &&
	    setting_same(&ask->setting, &t->setting);
}

static struct resume_spent
spent_by(const struct ask *ask, const struct trial *t, double most_bytes)
{
	double took = t->warmup_s + t->duration_s;

	if (t->status == TRIAL_CUT || isnan(took))
		took = ask->warmup_s + ask->duration_s;
	return (struct resume_spent){ t->asked_s + took,
		t->asked_bytes + (isnan(t->bytes) ? most_bytes : t->bytes) };
}

/* What an unfinished trial moved nobody knows; the largest of the others stands for it. */
bool
resume_replay(struct search *s, const struct trial *trials, size_t n, struct resume_spent *spent,
    struct err *e)
{
	double most_bytes = 0;
	struct ask ask = { .coin = NAN };

	*spent = (struct resume_spent){ 0, 0 };
	for (size_t i = 0; i < n; i++) {
		const struct trial *t = &trials[i];

		if (isnan(t->asked_s) || isnan(t->asked_bytes) ||
		    !search_next(s, t->asked_s, t->asked_bytes, &ask) || !is_answer(&ask, t))
			return fail(e, ERR_FAILED, "%s trial %zu (%s, block %.0f) is not the one "
			    "that its seed and the trials before it lead to",
			    direction_names[t->direction], i + 1, trial_phase_names[t->phase],
			    t->block + 1);
		search_tell(s, t);
		most_bytes = isnan(t->bytes) ? most_bytes : fmax(most_bytes, t->bytes);
		*spent = spent_by(&ask, t, most_bytes);
	}
	return true;
}

/* ---- what is left? -------------------------------------------------------------------------- */

const struct direction_decision *
resume_decided(const struct run *run, enum direction d)
{
	for (size_t i = 0; i < run->decision.n_directions; i++) {
		if (run->decision.directions[i].direction == d)
			return &run->decision.directions[i];
	}
	return NULL;
}

bool
resume_reopen(struct arena *a, struct run *run)
{
	const struct decision was = run->decision;
	struct decision left;

	record_init(&decision_record, &left);
	for (size_t i = 0; i < was.n_directions; i++) {
		if (was.directions[i].class != CLASS_INCONCLUSIVE)
			*(struct direction_decision *)arena_push(a, &left.directions,
			    &left.n_directions, sizeof(*left.directions)) = was.directions[i];
	}
	if (was.verdict != VERDICT_NONE && left.n_directions == was.n_directions)
		return false;
	run->decision = left;
	run->n_files = 0;
	return true;
}

void
resume_share(struct run *run)
{
	double more_s = isnan(run->options.more_s) ? 0 : run->options.more_s;
	size_t left = 0;

	for (size_t i = 0; i < run->plan.n_directions; i++) {
		const struct plan_direction *d = &run->plan.directions[i];

		if (resume_decided(run, d->direction) == NULL)
			left++;
		else if (!isnan(d->more_s))
			more_s -= d->more_s;
	}
	for (size_t i = 0; i < run->plan.n_directions; i++) {
		struct plan_direction *d = &run->plan.directions[i];

		if (resume_decided(run, d->direction) == NULL)
			d->more_s = more_s / (double)left;
	}
}

/* Every direction that is left gets the same share of the time that is added. */
double
resume_budget_s(const struct run *run)
{
	const struct options *o = &run->options;
	double most = NAN, n = 0;

	for (size_t i = 0; i < run->decision.n_directions; i++) {
		const struct direction_decision *d = &run->decision.directions[i];

		if (d->class != CLASS_INCONCLUSIVE)
			continue;
		n++;
		most = fmax(most, d->more_s);
	}
	return o->budget_s + (isnan(o->more_s) ? 0 : o->more_s) + n * most;
}
