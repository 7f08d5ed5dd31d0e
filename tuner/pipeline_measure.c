#include "decide.h"
#include "expect.h"
#include "kernel.h"
#include "limiter.h"
#include "pipeline_both.h"
#include "pipeline_path.h"
#include "pipeline_save.h"
#include "pipeline_seed.h"
#include "resume.h"
#include "search.h"
#include "units.h"
#include "../probes/stop.h"

#include <math.h>
#include <string.h>

#define EARLY_S 2.0 /* a trial may end after this much when its interval is tight */

struct measuring {
	struct pipeline *p;
	const struct plan_direction *plan;
	struct search *search;
	struct seed_stream random;
	double started_s, bytes;
	double budget_s, more_s, cap_bytes; /* of this direction */
	bool resumed;                       /* nothing was asked since */
};

/* In milliseconds, as the run file has it. */
static double
spent_s(const struct measuring *m)
{
	return floor((flow_clock_s() - m->started_s) * 1e3) / 1e3;
}

/* ---- one trial ------------------------------------------------------------------------------ */

static const char *
doing(struct measuring *m, const struct ask *ask)
{
	struct arena *a = m->p->cmd->arena;

	if (ask->phase == PHASE_CONFIRM)
		return arena_printf(a, "%s, pair %.0f", search_doing(m->search), ask->block + 1);
	return arena_printf(a, "%s: window %s%s%s", search_doing(m->search),
	    units_say_bytes(a, ask->setting.window_bytes), ask->setting.cc == NULL ? "" : ", ",
	    ask->setting.cc == NULL ? "" : ask->setting.cc);
}

struct ticking {
	struct measuring *m;
	const char *words;
	bool blind; /* a trial of a confirmation: its goodput is not shown */
};

static void
tick(void *arg, double seconds, double bps)
{
	struct ticking *t = arg;
	struct arena *a = arena_new();
	struct measuring *m = t->m;

	(void)seconds;
	cmd_progress(m->p->cmd, "%s: %s%s%s | %s",
	    m->plan->direction == DIR_SEND ? "sending" : "receiving", t->words,
	    t->blind ? "" : ", ", t->blind ? "" : units_say_rate(a, bps),
	    expect_left_all(a, &m->p->run->plan, m->plan,
	    m->budget_s + m->more_s - (flow_clock_s() - m->started_s), m->budget_s,
	    m->cap_bytes - m->bytes, m->cap_bytes));
	arena_free(a);
}

static bool
transfer(struct measuring *m, const struct ask *ask, struct trial *t, struct err *e)
{
	const struct options *o = &m->p->run->options;
	struct ticking ticking = { m, doing(m, ask), ask->phase == PHASE_CONFIRM };
	struct progress progress = { tick, &ticking };
	struct flow_spec f = { .direction = m->plan->direction,
		.streams = (unsigned)o->streams,
		.warmup_s = ask->warmup_s,
		.duration_s = ask->duration_s,
		.early_s = fmin(EARLY_S, ask->duration_s),
		.cc = ask->setting.cc,
		.max_bytes = flow_cap_left(m->cap_bytes, m->bytes) };
	struct err moved = { ERR_NONE, "" };

	if (!endpoint_measure(m->p->endpoint, m->p->cmd->arena, &f, &progress, t, e))
		return false;
	if (!both_hold(m->p, &moved)) {
		if (stop_requested())
			return fail(e, moved.code, "%s", moved.text);
		t->status = TRIAL_VOID;
		t->why = arena_strdup(m->p->cmd->arena, moved.text);
	}
	return true;
}

/* Not run yet; that is what the file says of it should it never be. */
static struct trial
trial_of(struct measuring *m, const struct ask *ask, double asked_s)
{
	struct trial t;

	record_init(&trial_record, &t);
	t.setting = ask->setting;
	t.direction = m->plan->direction;
	t.phase = ask->phase;
	t.block = ask->block;
	t.slot = ask->slot;
	t.coin = ask->coin;
	t.asked_s = asked_s;
	t.asked_bytes = m->bytes;
	t.streams = m->p->run->options.streams;
	t.status = TRIAL_CUT;
	t.why = "was not finished";
	return t;
}

static bool
measure_trial(struct measuring *m, const struct ask *ask, struct trial *t, struct err *e)
{
	if (!both_try(m->p, m->plan, &ask->setting, &t->why, e))
		return false;
	t->status = t->why == NULL ? TRIAL_OK : TRIAL_VOID;
	if (t->status == TRIAL_VOID)
		return true;
	if (!both_flush(m->p, e))
		return false;
	if (!transfer(m, ask, t, e))
		return false;
	if (isnan(t->rtt.idle_ms))
		t->rtt.idle_ms = m->p->run->facts.rtt_ms;
	return true;
}

/* On disk first; then the result takes the place of what was written there. */
static bool
run_trial(struct measuring *m, const struct ask *ask, double asked_s, struct err *e)
{
	struct run *run = m->p->run;
	struct arena *a = m->p->cmd->arena;
	/* Whoever goes on has seen half of an open block, and chose when to: it does not count. */
	bool torn = m->resumed && ask->slot > 0;
	struct trial t = trial_of(m, ask, asked_s), done = t;
	size_t at = run->n_trials;

	m->resumed = false;
	if (torn)
		t.why = "the run was interrupted within its block";
	*(struct trial *)arena_push(a, &run->trials, &run->n_trials, sizeof(t)) = t;
	if (!save_now(m->p, e) || (!torn && !measure_trial(m, ask, &done, e))) {
		search_stop(m->search);
		return false;
	}
	if (!torn) {
		save_rounded(a, &trial_record, &done);
		run->trials[at] = done;
	}
	m->bytes += isnan(done.bytes) ? 0 : done.bytes;
	search_tell(m->search, &run->trials[at]);
	return true;
}

/* ---- one direction, all directions ---------------------------------------------------------- */

static struct search *
new_search(struct measuring *m)
{
	const struct run *run = m->p->run;
	struct search_config c = {
		.direction = m->plan->direction,
		.window_bytes = m->plan->window_bytes,
		.window_next_bytes = m->plan->window_next_bytes,
		.window_max_bytes = m->plan->window_max_bytes,
		.cc = m->plan->cc,
		.n_cc = m->plan->n_cc,
		.idle_rtt_s = run->facts.rtt_ms / 1e3,
		.link_bps = run->facts.link_bps,
		.budget_s = m->budget_s,
		.data_cap_bytes = m->cap_bytes,
		.mode = run->options.mode,
		.policy = run->options.policy,
		.confirmations = (unsigned)run->plan.n_directions,
		.extras = m->plan->extras,
		.n_extras = m->plan->n_extras,
		.more_s = m->more_s,
		.random = seed_next,
		.random_arg = &m->random,
	};

	return search_new(m->p->cmd->arena, &c);
}

/* A run that went on has trials of one direction after those of another. */
static struct trial *
trials_of(struct arena *a, const struct run *run, enum direction d, size_t *n)
{
	struct trial *trials = arena_array(a, run->n_trials + 1, sizeof(*trials));

	*n = 0;
	for (size_t i = 0; i < run->n_trials; i++) {
		if (run->trials[i].direction == d)
			trials[(*n)++] = run->trials[i];
	}
	return trials;
}

/* Tell the search what the run has already, and let the clock stand where that ended. */
static bool
catch_up(struct measuring *m, struct err *e)
{
	struct resume_spent spent;
	size_t n;
	struct trial *trials =
	    trials_of(m->p->cmd->arena, m->p->run, m->plan->direction, &n);

	if (!resume_replay(m->search, trials, n, &spent, e))
		return false;
	m->started_s = flow_clock_s() - spent.seconds;
	m->bytes = spent.bytes;
	m->resumed = n != 0;
	return true;
}

/*
 * Where the trials leave open what limits, the path is looked at by other traffic, with the values
 * as found; as far as time and traffic of this direction last.
 */
static bool
look_at_path(struct measuring *m, const struct trial *trials, size_t n,
    struct direction_decision *d, struct err *e)
{
	struct run *run = m->p->run;
	struct cmd_context *c = m->p->cmd;
	struct facts *f = &run->facts;
	const struct path_ask ask = { .direction = d->direction, .known_bps = d->before.goodput_bps,
		.link_bps = f->link_bps, .rtt_ms = f->rtt_ms, .cc = d->before.setting.cc,
		.cap_bytes = flow_cap_left(m->cap_bytes, m->bytes), .udp = true, .streams = true };
	struct path_fact path;
	const char *why;

	if (!limiter_unsure(&d->limit_before, &d->before, f->rtt_ms, f->link_bps) ||
	    spent_s(m) + PATH_SECONDS > m->budget_s + m->more_s)
		return true;
	cmd_progress(c, "what limits: UDP in steps, and %d connections", PATH_STREAMS);
	if (!path_measure(m->p->endpoint, c->arena, &ask, &path, &why, e))
		return false;
	if (why != NULL)
		cmd_note(c, "what the path carries by UDP is not known: %s", why);
	save_rounded(c->arena, &path_fact_record, &path);
	*(struct path_fact *)arena_push(c->arena, &f->path, &f->n_path, sizeof(path)) = path;
	decide_limits(c->arena, &path, trials, n, d);
	return true;
}

static bool
search_direction(struct pipeline *p, const struct plan_direction *plan,
    struct direction_decision *out, struct err *e)
{
	struct run *run = p->run;
	struct arena *a = p->cmd->arena;
	double n = (double)run->plan.n_directions, asked_s;
	struct measuring m = { .p = p,
		.plan = plan,
		.budget_s = run->options.budget_s / n,
		.more_s = isnan(plan->more_s) ? 0 : plan->more_s,
		.cap_bytes = run->plan.expected_bytes / n };
	struct search_result r;
	struct trial *trials;
	size_t n_trials;
	struct ask ask = { .coin = NAN };

	if (!seed_open(&m.random, run->seed, plan->direction))
		return fail(e, ERR_FAILED, "the run has no seed");
	m.search = new_search(&m);
	if (!catch_up(&m, e))
		return false;
	while (asked_s = spent_s(&m), search_next(m.search, asked_s, m.bytes, &ask)) {
		if (!run_trial(&m, &ask, asked_s, e))
			return false;
	}
	r = search_result(m.search);
	trials = trials_of(a, run, plan->direction, &n_trials);
	*out = decide_direction(a, plan, &r, trials, n_trials,
	    p->far != NULL && plan->window_writable);
	return both_put_back(p, e) && look_at_path(&m, trials, n_trials, out, e);
}

/* In the order of the plan; what was decided before an interruption is there already. */
static bool
search_all(struct pipeline *p, struct err *e)
{
	struct run *run = p->run;
	struct arena *a = p->cmd->arena;
	size_t n = run->plan.n_directions;
	struct direction_decision *d = arena_array(a, n, sizeof(*d));

	for (size_t i = 0; i < n; i++) {
		const struct plan_direction *plan = &run->plan.directions[i];
		const struct direction_decision *there = resume_decided(run, plan->direction);

		if (there != NULL) {
			d[i] = *there;
			continue;
		}
		if (!search_direction(p, plan, &d[i], e))
			return false;
		*(struct direction_decision *)arena_push(a, &run->decision.directions,
		    &run->decision.n_directions, sizeof(*d)) = d[i];
	}
	return both_decide(p, d, n, e);
}

bool
pipeline_measure(struct pipeline *p, struct err *e)
{
	bool ok;

	save_rounded(p->cmd->arena, &run_record, p->run);
	both_collect(p);
	ok = both_arm(p, e) && search_all(p, e);
	cmd_progress_end(p->cmd);
	return both_release(p, e) && ok;
}
