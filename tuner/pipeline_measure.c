#include "decide.h"
#include "kernel.h"
#include "pipeline_knobs.h"
#include "plan.h"
#include "search.h"
#include "units.h"
#include "../probes/knobs.h"
#include "../probes/stop.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

#define EARLY_S 2.0 /* a trial may end after this much when its interval is tight */

struct measuring {
	struct pipeline *p;
	const struct plan_direction *plan;
	struct search *search;
	double started_s, bytes;
	double budget_s, cap_bytes; /* of this direction */
};

static unsigned long long
coin_source(void *arg)
{
	unsigned long long v;

	(void)arg;
	randombytes_buf(&v, sizeof(v));
	return v;
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
	cmd_progress(m->p->cmd, "%s: %s%s%s | %s of at most %s, %s moved",
	    m->plan->direction == DIR_SEND ? "sending" : "receiving", t->words,
	    t->blind ? "" : ", ", t->blind ? "" : units_say_rate(a, bps),
	    units_say_time(a, floor(flow_clock_s() - m->started_s)), units_say_time(a, m->budget_s),
	    units_say_bytes(a, m->bytes));
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

	if (!peer_measure(m->p->session, m->p->cmd->arena, &f, &progress, t, e))
		return false;
	if (!knobs_hold(m->p->host, m->p->cmd->arena, m->p->now, m->p->n_old, &moved)) {
		if (stop_requested())
			return fail(e, moved.code, "%s", moved.text);
		t->status = TRIAL_VOID;
		t->why = arena_strdup(m->p->cmd->arena, moved.text);
	}
	return true;
}

static bool
run_trial(struct measuring *m, const struct ask *ask, struct err *e)
{
	struct run *run = m->p->run;
	struct trial t;

	record_init(&trial_record, &t);
	t.setting = ask->setting;
	t.direction = m->plan->direction;
	t.phase = ask->phase;
	t.block = ask->block;
	t.slot = ask->slot;
	t.coin = ask->coin;
	t.streams = run->options.streams;
	if (!trial_knobs_setting(m->p, m->plan, &ask->setting, e) || !trial_knobs_flush(m->p, e) ||
	    !transfer(m, ask, &t, e)) {
		search_stop(m->search);
		return false;
	}
	if (isnan(t.rtt.idle_ms))
		t.rtt.idle_ms = run->facts.rtt_ms;
	m->bytes += isnan(t.bytes) ? 0 : t.bytes;
	*(struct trial *)arena_push(m->p->cmd->arena, &run->trials, &run->n_trials, sizeof(t)) = t;
	search_tell(m->search, &t);
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
		.random = coin_source,
	};

	return search_new(m->p->cmd->arena, &c);
}

static bool
search_direction(struct pipeline *p, size_t i, struct direction_decision *out, struct err *e)
{
	struct run *run = p->run;
	double n = (double)run->plan.n_directions;
	struct measuring m = { .p = p,
		.plan = &run->plan.directions[i],
		.started_s = flow_clock_s(),
		.budget_s = run->plan.expected_s / n,
		.cap_bytes = run->plan.expected_bytes / n };
	size_t first = run->n_trials;
	struct search_result r;
	struct ask ask;

	m.search = new_search(&m);
	while (search_next(m.search, flow_clock_s() - m.started_s, m.bytes, &ask)) {
		if (!run_trial(&m, &ask, e))
			return false;
	}
	r = search_result(m.search);
	*out =
	    decide_direction(p->cmd->arena, m.plan, &r, run->trials + first, run->n_trials - first);
	return trial_knobs_put(p, p->old, e);
}

static bool
search_all(struct pipeline *p, struct err *e)
{
	struct run *run = p->run;
	struct direction_decision *d =
	    arena_array(p->cmd->arena, run->plan.n_directions, sizeof(*d));

	for (size_t i = 0; i < run->plan.n_directions; i++) {
		if (!search_direction(p, i, &d[i], e))
			return false;
	}
	decide_all(p->cmd->arena, p->profile, &run->facts, &run->plan, d, run->plan.n_directions,
	    &run->decision);
	return trial_knobs_verify(p, e);
}

bool
pipeline_measure(struct pipeline *p, struct err *e)
{
	bool ok;

	trial_knobs_collect(p);
	ok = trial_knobs_arm(p, e) && search_all(p, e);
	cmd_progress_end(p->cmd);
	return trial_knobs_release(p, e) && ok;
}
