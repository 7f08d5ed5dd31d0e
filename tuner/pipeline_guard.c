#include "pipeline_guard.h"
#include "../probes/guard_remote.h"
#include "../probes/guard_renew.h"
#include "../probes/stop.h"

#include <math.h>

#define TRIALS 7 /* the guard begins at three fifths of its lease: four trials */
#define LEASE_LEAST_S 30.0
#define LEASE_MOST_S 86400.0

/* Longer than any that the search or the user's file asks for: short of a path that is awful. */
static double
longest_trial_s(const struct pipeline *p)
{
	double rtt_s = isnan(p->run->facts.rtt_ms) ? .5 : p->run->facts.rtt_ms / 1e3;
	double counted_s = fmax(3, 15 * rtt_s);

	if (p->tries != NULL && p->tries->duration_s > counted_s)
		counted_s = p->tries->duration_s;
	return fmax(8, 12 * rtt_s + 6) + counted_s;
}

/* At least four trials, and what was asked for (p->lease_s) before that. */
static double
lease_s(const struct pipeline *p)
{
	if (p->lease_s > 0)
		return ceil(p->lease_s);
	return fmin(fmax(ceil(TRIALS * longest_trial_s(p)), LEASE_LEAST_S), LEASE_MOST_S);
}

static bool
arm_here(struct pipeline *p, struct pipeline_guard *g, struct err *e)
{
	const struct facts *f = &p->run->facts;

	return guard_arm(p->cmd->arena, pipeline_state_dir(p), f->boot_id, f->scope_id, p->old,
	    p->n_old, &g->here, e);
}

static bool
arm_there(struct pipeline *p, struct pipeline_guard *g, struct err *e)
{
	struct arena *a = p->cmd->arena;
	struct guard_remote_spec *spec = arena_alloc(a, sizeof(*spec));
	struct err ignored = { ERR_NONE, "" };
	size_t healed;

	*spec = (struct guard_remote_spec){ .old = p->old, .n = p->n_old, .lease_s = g->lease_s,
		.early = true, .state_dir = p->there.dir,
		.scope_id = p->run->facts.scope_id };
	if (!guard_remote_start(p->host, a, spec, &g->there, &healed, e))
		return false;
	if (healed == 0 && guard_renew_start(p->host, a, g->there, g->lease_s, &g->renew, e))
		return true;
	guard_remote_release(g->there, a, &ignored);
	return healed == 0 || fail(e, ERR_FAILED, "another run died while this one began, and was "
	    "cleaned up: start again");
}

bool
pipeline_guard_arm(struct pipeline *p, struct err *e)
{
	struct pipeline_guard *g = arena_alloc(p->cmd->arena, sizeof(*g));

	g->lease_s = lease_s(p);
	if (!(host_is_here(p->host) ? arm_here : arm_there)(p, g, e))
		return false;
	p->guard = g;
	return true;
}

bool
pipeline_guard_announce(struct pipeline *p, const struct knob_value *v, size_t n, struct err *e)
{
	struct pipeline_guard *g = p->guard;

	return g->here != NULL ? guard_announce(g->here, v, n, e) :
	    guard_remote_announce(g->there, p->cmd->arena, v, n, e);
}

bool
pipeline_guard_held(struct pipeline *p, struct err *e)
{
	struct pipeline_guard *g = p->guard;

	return g->here != NULL ? guard_held(g->here, e) :
	    guard_remote_held(g->there, p->cmd->arena, e);
}

static bool
answers(struct pipeline *p)
{
	static const char *const nothing[] = { "true", NULL };
	struct command c = { .argv = nothing, .even_stopped = true };
	struct err ignored = { ERR_NONE, "" };
	struct output o;

	return host_run(p->host, p->cmd->arena, &c, 1, &o, &ignored);
}

/* Without renewals first: should the host be out of reach, its guard is not to wait for us. */
static bool
release_there(struct pipeline *p, struct pipeline_guard *g, struct err *e)
{
	struct err why = { ERR_NONE, "" };

	guard_renew_end(g->renew);
	if (guard_remote_release(g->there, p->cmd->arena, &why))
		return true;
	return answers(p) ? fail(e, why.code, "%s", why.text) :
	    fail(e, why.code, "%s; the guard there sets everything back within %.0f s of the last "
	    "word that it heard, this end cannot see it", why.text, g->lease_s);
}

bool
pipeline_guard_release(struct pipeline *p, struct err *e)
{
	struct pipeline_guard *g = p->guard;

	p->guard = NULL;
	if (g == NULL)
		return true;
	return g->here != NULL ? guard_release(g->here, p->host, p->cmd->arena, e) :
	    release_there(p, g, e);
}

struct knob_value
pipeline_guard_fenced(struct pipeline *p, const struct knob_value *v)
{
	return p->guard == NULL || p->guard->there == NULL ? *v :
	    guard_remote_fenced(p->guard->there, p->cmd->arena, v);
}
