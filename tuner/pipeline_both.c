#include "pipeline_both.h"
#include "decide.h"
#include "ends.h"
#include "hazards.h"
#include "pipeline_change_remote.h"
#include "pipeline_knobs.h"
#include "pipeline_save.h"
#include "plan.h"
#include "../probes/facts.h"
#include "../probes/knobs.h"

#include <string.h>

void
both_new(struct pipeline *p)
{
	struct arena *a = p->cmd->arena;
	struct pipeline *far = arena_alloc(a, sizeof(*far));

	*far = (struct pipeline){ .cmd = p->cmd, .run = arena_alloc(a, sizeof(*far->run)),
		.access = p->access, .sets = p->sets, .lease_s = p->lease_s };
	record_init(&run_record, far->run);
	far->run->options.host = p->run->options.peer;
	p->far = far;
}

static const char *
far_name(const struct pipeline *p)
{
	return p->far->run->options.host;
}

/* What went wrong at the other end says so. */
static bool
at_far(const struct pipeline *p, bool ok, const struct err *why, struct err *e)
{
	return ok || fail(e, why->code, "%s: %s", far_name(p), why->text);
}

/* ---- before ---------------------------------------------------------------------------------- */

static bool
same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool
probe_far(struct pipeline *p, struct err *e)
{
	struct arena *a = p->cmd->arena;
	struct pipeline *far = p->far;
	struct facts *f = &far->run->facts;
	const char *near = endpoint_own(p->endpoint), *named = p->run->options.host;

	if (!pipeline_open(far, e) || !change_remote_look(far, e) ||
	    !facts_probe(far->host, a, far->profile, near, false, f, e))
		return false;
	far->run->options.peer = strcmp(named, "local") == 0 && near != NULL ? near : named;
	f->peer = near != NULL ? near : named;
	f->tool = endpoint_tool(p->endpoint);
	f->rtt_ms = p->run->facts.rtt_ms;
	hazards_find(a, far->profile, f, &far->run->hazards, &far->run->n_hazards);
	return true;
}

bool
both_probe(struct pipeline *p, struct err *e)
{
	struct err why = { ERR_NONE, "" };
	const struct facts *here = &p->run->facts, *there;

	if (p->far == NULL)
		return true;
	if (!at_far(p, probe_far(p, &why), &why, e))
		return false;
	there = &p->far->run->facts;
	return !same_text(here->boot_id, there->boot_id) ||
	    !same_text(here->scope_id, there->scope_id) ||
	    fail(e, ERR_USAGE, "--both: %s is this host itself; name the other end of the path",
	    far_name(p));
}

/* In the digits of the run file, as the windows that are compared with it. */
static const struct plan *
kept(struct arena *a, const struct plan *plan)
{
	struct plan *own = arena_alloc(a, sizeof(*own));

	*own = *plan;
	save_rounded(a, &plan_record, own);
	return own;
}

bool
both_plan(struct pipeline *p, struct err *e)
{
	struct arena *a = p->cmd->arena;
	struct pipeline *far = p->far;
	struct err why = { ERR_NONE, "" };
	struct options turned = p->run->options;

	if (far == NULL)
		return true;
	turned.direction = ends_turned(turned.direction);
	if (!at_far(p, plan_make(a, far->profile, &far->run->facts, &turned, &far->run->plan,
		&why), &why, e))
		return false;
	p->own = kept(a, &p->run->plan);
	far->own = kept(a, &far->run->plan);
	p->run->plan = ends_plan(a, p->own, far->own, far_name(p));
	return true;
}

void
both_collect(struct pipeline *p)
{
	trial_knobs_collect(p);
	if (p->far != NULL)
		trial_knobs_collect(p->far);
}

bool
both_arm(struct pipeline *p, struct err *e)
{
	struct err why = { ERR_NONE, "" };

	return trial_knobs_arm(p, e) &&
	    (p->far == NULL || at_far(p, trial_knobs_arm(p->far, &why), &why, e));
}

/* ---- trials ---------------------------------------------------------------------------------- */

/* An end's part of it. */
static bool
try_end(struct pipeline *p, enum direction d, const struct setting *s, const char **why,
    struct err *e)
{
	const struct plan_direction *own = ends_direction(p->own, d);
	struct setting mine;

	*why = NULL;
	if (own == NULL)
		return true;
	mine = ends_setting(p->cmd->arena, own, s);
	return trial_knobs_try(p, own, &mine, why, e);
}

bool
both_try(struct pipeline *p, const struct plan_direction *d, const struct setting *s,
    const char **why, struct err *e)
{
	struct err failed = { ERR_NONE, "" };

	if (p->far == NULL)
		return trial_knobs_try(p, d, s, why, e);
	if (!try_end(p, d->direction, s, why, e))
		return false;
	if (*why != NULL)
		return at_far(p, trial_knobs_put(p->far, p->far->old, &failed), &failed, e);
	if (!at_far(p, try_end(p->far, ends_turned(d->direction), s, why, &failed), &failed, e))
		return false;
	return *why == NULL || trial_knobs_put(p, p->old, e);
}

bool
both_flush(struct pipeline *p, struct err *e)
{
	struct err why = { ERR_NONE, "" };

	return trial_knobs_flush(p, e) &&
	    (p->far == NULL || at_far(p, trial_knobs_flush(p->far, &why), &why, e));
}

bool
both_hold(struct pipeline *p, struct err *e)
{
	struct arena *a = p->cmd->arena;
	struct pipeline *far = p->far;
	struct err why = { ERR_NONE, "" };

	return knobs_hold(p->host, a, p->now, p->n_old, e) &&
	    (far == NULL || at_far(p, knobs_hold(far->host, a, far->now, far->n_old, &why), &why,
	    e));
}

bool
both_put_back(struct pipeline *p, struct err *e)
{
	struct err why = { ERR_NONE, "" };

	return trial_knobs_put(p, p->old, e) &&
	    (p->far == NULL || at_far(p, trial_knobs_put(p->far, p->far->old, &why), &why, e));
}

/* ---- after ----------------------------------------------------------------------------------- */

static bool
decide_far(struct pipeline *p, struct err *e)
{
	struct arena *a = p->cmd->arena;
	struct pipeline *far = p->far;
	struct run *run = far->run;
	struct err why = { ERR_NONE, "" };
	struct decision own;

	ends_turn(a, p->run, p->own, far->own, run);
	ends_decide(a, far->profile, &run->facts, far->own, run->decision.directions,
	    run->decision.n_directions, &own);
	run->decision = own;
	return at_far(p, trial_knobs_verify(far, &why), &why, e);
}

bool
both_decide(struct pipeline *p, struct direction_decision *d, size_t n, struct err *e)
{
	struct arena *a = p->cmd->arena;
	struct run *run = p->run;

	if (p->far == NULL) {
		decide_all(a, p->profile, &run->facts, &run->plan, d, n, &run->decision);
		return trial_knobs_verify(p, e);
	}
	for (size_t i = 0; i < n; i++) {
		const struct plan_direction *here = ends_direction(p->own, d[i].direction);
		const struct plan_direction *there =
		    ends_direction(p->far->own, ends_turned(d[i].direction));

		if (here != NULL && there != NULL)
			d[i].words = ends_words(a, here, there, far_name(p), &d[i]);
	}
	ends_decide(a, p->profile, &run->facts, p->own, d, n, &run->decision);
	return trial_knobs_verify(p, e) && decide_far(p, e);
}

/* Each end whatever came of the other; one that is not as it was weighs more than all else. */
bool
both_release(struct pipeline *p, struct err *e)
{
	struct err why = { ERR_NONE, "" }, ended;
	bool ok = trial_knobs_release(p, e);

	if (p->far == NULL || trial_knobs_release(p->far, &why))
		return ok;
	ended = *e;
	*e = (struct err){ ERR_NONE, "" };
	return fail(e, why.code, "%s: %s%s%s", far_name(p), why.text,
	    ended.code == ERR_NONE ? "" : "; before that: ", ended.text);
}
