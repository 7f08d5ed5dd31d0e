/* tune --try: settings of the user's, each in turn with the present one. */
#include "decide.h"
#include "expect.h"
#include "pipeline_knobs.h"
#include "try_decide.h"
#include "units.h"
#include "../probes/files.h"
#include "../probes/knobs.h"
#include "../probes/stop.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

#define FILE_BYTES ((size_t)64 * 1024)

struct trying {
	struct pipeline *p;
	const struct plan_direction *plan;
	struct try_choice choices[TRY_SETTINGS_MAX]; /* those that differ, the present one first */
	size_t n;
	struct try *try;
	double started_s, bytes;
	double budget_s, cap_bytes; /* of this direction */
};

bool
pipeline_try_read(struct pipeline *p, const char *path, bool direction_given, struct err *e)
{
	struct options *o = &p->run->options;
	struct try_file *f = arena_alloc(p->cmd->arena, sizeof(*f));
	const char *text;
	size_t len;

	if (!files_read(p->cmd->arena, path, FILE_BYTES, &text, &len, e) ||
	    !try_file_read(p->cmd->arena, path, text, len, f, e))
		return false;
	if (direction_given && f->direction != DIR_NONE && f->direction != o->direction)
		return fail(e, ERR_USAGE, "--direction %s contradicts %s, which says %s",
		    direction_names[o->direction], path, direction_names[f->direction]);
	if (f->direction != DIR_NONE)
		o->direction = f->direction;
	o->try_file = path;
	p->tries = f;
	return true;
}

static unsigned long long
random_bits(void *arg)
{
	unsigned long long v;

	(void)arg;
	randombytes_buf(&v, sizeof(v));
	return v;
}

/* ---- one trial ------------------------------------------------------------------------------ */

struct ticking {
	struct trying *t;
	const struct try_ask *ask;
};

/* No goodput: who sees the figures one by one may be tempted to stop. */
static void
tick(void *arg, double seconds, double bps)
{
	const struct ticking *k = arg;
	const struct trying *t = k->t;
	struct arena *a = arena_new();

	(void)seconds;
	(void)bps;
	cmd_progress(t->p->cmd, "%s: block %.0f, trial %.0f | %s",
	    t->plan->direction == DIR_SEND ? "sending" : "receiving", k->ask->block + 1,
	    k->ask->slot + 1, expect_left_all(a, &t->p->run->plan, t->plan,
	    t->budget_s - (flow_clock_s() - t->started_s), t->budget_s,
	    t->cap_bytes - t->bytes, t->cap_bytes));
	arena_free(a);
}

static double
pin_of(const struct trying *t, const struct try_ask *ask)
{
	const struct try_file *f = t->p->tries;

	return f->n_pin_bytes == 0 ? 0 : f->pin_bytes[ask->stratum];
}

static bool
transfer(struct trying *t, const struct try_ask *ask, struct trial *out, struct err *e)
{
	const struct try_choice *c = &t->choices[ask->setting];
	struct ticking ticking = { t, ask };
	struct progress progress = { tick, &ticking };
	struct flow_spec f = { .direction = t->plan->direction,
		.streams = (unsigned)c->streams,
		.warmup_s = ask->warmup_s,
		.duration_s = ask->duration_s,
		.cc = c->as.cc,
		.pin_bytes = pin_of(t, ask),
		.max_bytes = flow_cap_left(t->cap_bytes, t->bytes) };
	struct err moved = { ERR_NONE, "" };

	if (!endpoint_measure(t->p->endpoint, t->p->cmd->arena, &f, &progress, out, e))
		return false;
	if (knobs_hold(t->p->host, t->p->cmd->arena, t->p->now, t->p->n_old, &moved))
		return true;
	if (stop_requested())
		return fail(e, moved.code, "%s", moved.text);
	out->status = TRIAL_VOID;
	out->why = arena_strdup(t->p->cmd->arena, moved.text);
	return true;
}

static bool
run_trial(struct trying *t, const struct try_ask *ask, struct err *e)
{
	const struct try_choice *c = &t->choices[ask->setting];
	struct run *run = t->p->run;
	size_t n_lines = c->n_lines;
	const struct change_line *lines = trial_knobs_with_cc(t->p, c->as.cc, c->lines, &n_lines);
	struct trial trial;

	record_init(&trial_record, &trial);
	trial.setting = c->as;
	trial.try = c->setting->name;
	trial.direction = t->plan->direction;
	trial.phase = PHASE_MEASURE;
	trial.block = ask->block;
	trial.slot = ask->slot;
	trial.asked_s = flow_clock_s() - t->started_s;
	trial.asked_bytes = t->bytes;
	trial.pin_bytes = t->p->tries->n_pin_bytes == 0 ? NAN : pin_of(t, ask);
	if (!trial_knobs_lines(t->p, lines, n_lines, e) || !trial_knobs_flush(t->p, e) ||
	    !transfer(t, ask, &trial, e)) {
		try_stop(t->try);
		return false;
	}
	if (isnan(trial.rtt.idle_ms))
		trial.rtt.idle_ms = run->facts.rtt_ms;
	t->bytes += isnan(trial.bytes) ? 0 : trial.bytes;
	*(struct trial *)arena_push(t->p->cmd->arena, &run->trials, &run->n_trials, sizeof(trial)) =
	    trial;
	try_tell(t->try, &trial);
	return true;
}

/* ---- one direction -------------------------------------------------------------------------- */

static struct try *
new_try(const struct trying *t)
{
	const struct run *run = t->p->run;
	const struct try_file *f = t->p->tries;
	struct try_config c = {
		.n = t->n,
		.strata = f->n_pin_bytes == 0 ? 1 : f->n_pin_bytes,
		.idle_rtt_s = run->facts.rtt_ms / 1e3,
		.duration_s = f->duration_s,
		.rounds = f->rounds,
		.budget_s = t->budget_s,
		.data_cap_bytes = t->cap_bytes,
		.policy = run->options.policy,
		.directions = (unsigned)run->plan.n_directions,
		.random = random_bits,
	};

	for (size_t i = 0; i < t->n; i++) {
		c.changes[i] = t->choices[i].changes;
		c.never[i] = t->choices[i].streams != t->choices[0].streams;
	}
	return try_new(t->p->cmd->arena, &c);
}

static void
note(struct pipeline *p, const char *text)
{
	struct plan *plan = &p->run->plan;

	*(const char **)arena_push(p->cmd->arena, &plan->notes, &plan->n_notes, sizeof(char *)) =
	    text;
}

/* Nobody could bring back what the guard does not know. */
static bool
all_guarded(const struct pipeline *p, const struct try_choice *c, struct err *e)
{
	const struct change_line *l = trial_knobs_unguarded(p, c->lines, c->n_lines);

	return l == NULL || fail(e, ERR_USAGE, "%s:%u: %s: cannot be set under the guard",
	    p->tries->name, c->setting->line, l->name);
}

/* What the settings are here, whether they can be set, and what can be said before measuring. */
static bool
prepare(struct trying *t, struct err *e)
{
	struct pipeline *p = t->p;
	const struct run *run = p->run;
	struct arena *a = p->cmd->arena;
	const char *idle;

	if (!try_file_check(
		a, p->tries, p->profile, &run->facts, t->plan, run->options.streams, t->choices, e))
		return false;
	idle = try_file_idle(a, p->tries, p->profile, &run->facts, t->plan, t->choices);
	if (idle != NULL)
		note(p,
		    arena_printf(a, "%s: %s",
			t->plan->direction == DIR_SEND ? "sending" : "receiving", idle));
	for (size_t i = 0; i < p->tries->n_settings; i++) {
		const struct knob *k = profile_knob(p->profile, ROLE_CONGESTION);
		const struct change_line cc = { .name = k == NULL ? "" : k->name };

		if (i != 0 && !t->choices[i].differs)
			continue;
		t->choices[t->n++] = t->choices[i];
		trial_knobs_collect_lines(p, t->choices[i].lines, t->choices[i].n_lines);
		if (t->choices[i].as.cc != NULL && k != NULL)
			trial_knobs_collect_lines(p, &cc, 1);
		if (!all_guarded(p, &t->choices[i], e))
			return false;
	}
	return true;
}

static bool
try_direction(struct trying *t, struct direction_decision *out, struct err *e)
{
	struct run *run = t->p->run;
	size_t first = run->n_trials;
	struct try_ask ask;

	t->started_s = flow_clock_s();
	t->try = new_try(t);
	while (try_next(t->try, flow_clock_s() - t->started_s, t->bytes, &ask)) {
		if (!run_trial(t, &ask, e))
			return false;
	}
	*out = try_decide(t->p->cmd->arena, t->plan, t->p->tries, t->choices, t->n, t->try,
	    run->trials + first, run->n_trials - first);
	return trial_knobs_put(t->p, t->p->old, e);
}

static bool
try_all(struct pipeline *p, struct trying *each, struct err *e)
{
	struct run *run = p->run;
	size_t n = run->plan.n_directions;
	struct direction_decision *d = arena_array(p->cmd->arena, n, sizeof(*d));
	const char *torn;

	for (size_t i = 0; i < n; i++) {
		if (!try_direction(&each[i], &d[i], e))
			return false;
	}
	decide_all(p->cmd->arena, p->profile, &run->facts, &run->plan, d, n, &run->decision);
	torn = try_decide_lines(p->cmd->arena, &run->decision);
	if (torn != NULL)
		note(p,
		    arena_printf(p->cmd->arena,
			"both directions chose a value of %s: that for "
			"sending is taken; try the other one with it",
			torn));
	return trial_knobs_verify(p, e);
}

bool
pipeline_try(struct pipeline *p, struct err *e)
{
	struct run *run = p->run;
	size_t n = run->plan.n_directions;
	struct trying *each = arena_array(p->cmd->arena, n, sizeof(*each));
	bool ok;

	if (p->tries->n_pin_bytes != 0)
		note(p,
		    "the buffers of every socket were set to the size of its socket window "
		    "(SO_SNDBUF, SO_RCVBUF, at both ends): that switches autotuning off, so what "
		    "is found holds for applications that do the same, and for no others");
	for (size_t i = 0; i < n; i++) {
		each[i] = (struct trying){ .p = p,
			.plan = &run->plan.directions[i],
			.budget_s = run->plan.expected_s / (double)n,
			.cap_bytes = run->plan.expected_bytes / (double)n };
		if (!prepare(&each[i], e))
			return false;
	}
	ok = trial_knobs_arm(p, e) && try_all(p, each, e);
	cmd_progress_end(p->cmd);
	return trial_knobs_release(p, e) && ok;
}
