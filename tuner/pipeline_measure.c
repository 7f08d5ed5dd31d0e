#include "decide.h"
#include "kernel.h"
#include "pipeline.h"
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

/* ---- knobs under guard ---------------------------------------------------------------------- */

static void
guard_knob(struct pipeline *p, const struct knob *k)
{
	const struct knob_fact *f = k == NULL ? NULL : facts_knob(&p->run->facts, k->name);
	struct knob_value *v;

	if (f == NULL || !f->writable || f->text == NULL || k->file == NULL)
		return;
	v = arena_push(p->cmd->arena, &p->old, &p->n_old, sizeof(*v));
	*v = (struct knob_value){ k->name, k->file, f->text };
}

/* Every knob that the searches or the last check may set. */
static void
collect_knobs(struct pipeline *p)
{
	const struct plan *plan = &p->run->plan;

	for (size_t i = 0; i < plan->n_directions; i++) {
		const struct plan_direction *d = &plan->directions[i];

		guard_knob(p, plan_limit_knob(p->profile, d->direction));
		guard_knob(p, plan_max_knob(p->profile, d->direction));
		if (d->n_cc > 1)
			guard_knob(p, profile_knob(p->profile, ROLE_CONGESTION));
	}
	p->now = arena_array(p->cmd->arena, p->n_old + 1, sizeof(*p->now));
	if (p->n_old != 0)
		memcpy(p->now, p->old, p->n_old * sizeof(*p->now));
}

/*
 * From here on no other run can set them.  The facts are older than that: another run, or somebody
 * else, may have set a value meanwhile, and that one would be brought back.
 */
static bool
arm_guard(struct pipeline *p, struct err *e)
{
	const struct facts *f = &p->run->facts;
	struct err moved = { ERR_NONE, "" };

	if (p->n_old == 0)
		return true;
	if (!guard_arm(p->cmd->arena, guard_state_dir(p->cmd->arena), f->boot_id, f->scope_id,
		p->old, p->n_old, &p->guard, e))
		return false;
	stop_hold(true);
	if (knobs_hold(p->host, p->cmd->arena, p->old, p->n_old, &moved))
		return true;
	return fail(e, ERR_FAILED, "%s; it was changed while this run began", moved.text);
}

/* A host that is not as it was weighs more than why the run ended. */
static bool
release_guard(struct pipeline *p, struct err *e)
{
	struct err unrestored = { ERR_NONE, "" }, ended = *e;
	struct guard *g = p->guard;
	bool restored;

	p->guard = NULL;
	restored = g == NULL || guard_release(g, p->host, p->cmd->arena, &unrestored);
	stop_hold(false);
	if (restored)
		return true;
	*e = (struct err){ ERR_NONE, "" };
	return fail(e, unrestored.code, "%s%s%s", unrestored.text,
	    ended.code == ERR_NONE ? "" : "; before that: ", ended.text);
}

/*
 * Bring the guarded knobs to these texts (n_old of them); only what differs is written, and nothing
 * over a value that is not ours.
 */
static bool
set_knobs(struct pipeline *p, const struct knob_value *want, struct err *e)
{
	struct knob_value *diff = arena_array(p->cmd->arena, p->n_old + 1, sizeof(*diff));
	struct err moved = { ERR_NONE, "" };
	size_t n = 0;

	if (!knobs_hold(p->host, p->cmd->arena, p->now, p->n_old, &moved))
		return fail(e, ERR_FAILED, "%s: somebody else sets it as well", moved.text);
	for (size_t i = 0; i < p->n_old; i++) {
		if (!knobs_same(p->now[i].text, want[i].text))
			diff[n++] = want[i];
	}
	if (n == 0)
		return true;
	if (!guard_announce(p->guard, diff, n, e) ||
	    !knobs_set(p->host, p->cmd->arena, diff, n, e))
		return false;
	memcpy(p->now, want, p->n_old * sizeof(*want));
	return true;
}

static bool
set_setting(struct measuring *m, const struct setting *s, struct err *e)
{
	struct pipeline *p = m->p;
	struct knob_value *want = arena_array(p->cmd->arena, p->n_old + 1, sizeof(*want));
	struct change_line *lines;
	size_t n;

	if (p->n_old != 0)
		memcpy(want, p->old, p->n_old * sizeof(*want));
	lines = decide_window_lines(
	    p->cmd->arena, p->profile, &p->run->facts, m->plan, s->window_bytes, &n);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < p->n_old; j++) {
			if (strcmp(want[j].name, lines[i].name) == 0)
				want[j].text = lines[i].new;
		}
	}
	return set_knobs(p, want, e);
}

/* ---- one trial ------------------------------------------------------------------------------ */

static bool
flush_metrics(struct pipeline *p, struct err *e)
{
	const char **argv = arena_array(p->cmd->arena, p->profile->n_flush + 1, sizeof(*argv));
	struct command c = { .argv = argv };
	struct output o;

	if (p->profile->n_flush == 0)
		return true;
	memcpy(argv, p->profile->flush, p->profile->n_flush * sizeof(*argv));
	if (!host_run(p->host, p->cmd->arena, &c, 1, &o, e))
		return false;
	if (o.status != 0 && !p->flush_failed && p->run->facts.privileged) {
		cmd_note(p->cmd,
		    "the path metrics cache could not be emptied (%s): a trial may inherit "
		    "from the one before",
		    o.why == NULL ? argv[0] : o.why);
		p->flush_failed = true;
	}
	return true;
}

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
	if (!set_setting(m, &ask->setting, e) || !flush_metrics(m->p, e) ||
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
	return set_knobs(p, p->old, e);
}

/*
 * Lines that the trials did not set themselves (the default congestion control: trials ask per
 * socket) are tried once, read back, and put back by the guard's release.
 */
static bool
verify_lines(struct pipeline *p, struct err *e)
{
	struct decision *d = &p->run->decision;
	const struct knob *k = profile_knob(p->profile, ROLE_CONGESTION);
	struct knob_value *want = arena_array(p->cmd->arena, p->n_old + 1, sizeof(*want));

	for (size_t i = 0; k != NULL && i < d->n_settings; i++) {
		struct err refused = { ERR_NONE, "" };

		if (strcmp(d->settings[i].name, k->name) != 0)
			continue;
		d->settings[i].verified = false;
		if (p->n_old != 0)
			memcpy(want, p->now, p->n_old * sizeof(*want));
		for (size_t j = 0; j < p->n_old; j++) {
			if (strcmp(want[j].name, k->name) != 0)
				continue;
			want[j].text = d->settings[i].new;
			d->settings[i].verified = set_knobs(p, want, &refused);
		}
		if (stop_requested())
			return fail(e, ERR_STOPPED, "stopped by a signal");
		if (!d->settings[i].verified)
			cmd_note(p->cmd, "%s = %s is measured per socket only: %s", k->name,
			    d->settings[i].new,
			    refused.code == ERR_NONE ? "it cannot be set here" : refused.text);
	}
	return true;
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
	return verify_lines(p, e);
}

bool
pipeline_measure(struct pipeline *p, struct err *e)
{
	bool ok;

	collect_knobs(p);
	ok = arm_guard(p, e) && search_all(p, e);
	cmd_progress_end(p->cmd);
	return release_guard(p, e) && ok;
}
