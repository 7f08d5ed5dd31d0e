/* measure: transfers with the settings as they are. */
#include "pipeline_sample.h"

#include "expect.h"
#include "pipeline_save.h"
#include "plan.h"
#include "units.h"
#include "../probes/stop.h"

#include <math.h>
#include <poll.h>
#include <string.h>

#define EARLY_S 2.0
#define FAILURES_MOST 3
#define ALIVE_S 30.0 /* a server ends a session that is silent for a minute (peer.h) */

struct sampler {
	struct pipeline *p;
	const struct sampling *how;
	double windows[DIR_BOTH]; /* usable now, by direction */
	double started_s, bytes;
	size_t round, at; /* at: transfer of the round */
	unsigned failures;
};

static double
warmup_s(const struct run *run)
{
	return fmax(2, 12 * run->facts.rtt_ms / 1e3 + .5);
}

static double
duration_s(const struct run *run)
{
	return fmax(3, 15 * run->facts.rtt_ms / 1e3);
}

static size_t
directions(const struct run *run)
{
	return run->options.direction == DIR_BOTH ? 2 : 1;
}

double
pipeline_sample_s(const struct run *run, const struct sampling *s)
{
	double round_s = s->transfers * (double)directions(run) *
	    (warmup_s(run) + duration_s(run) + .5);

	return (s->rounds - 1) * fmax(round_s, s->every_s) + round_s;
}

/* What the settings admit now; where the profile has no model of it that stays unknown. */
static void
find_windows(struct sampler *s)
{
	struct run *run = s->p->run;
	struct err ignored = { ERR_NONE, "" };

	for (size_t i = 0; i < NELEM(s->windows); i++)
		s->windows[i] = NAN;
	if (pipeline_plan(s->p, &ignored)) {
		for (size_t i = 0; i < run->plan.n_directions; i++)
			s->windows[run->plan.directions[i].direction] =
			    run->plan.directions[i].window_bytes;
	}
	record_init(&plan_record, &run->plan); /* nothing is going to be tried */
}

static double
now_s(const struct sampler *s)
{
	return floor((flow_clock_s() - s->started_s) * 1e3) / 1e3;
}

/* ---- waiting between rounds ----------------------------------------------------------------- */

/* A connection that carries next to nothing: the server must hear from us. */
static bool
keep_alive(struct sampler *s, struct err *e)
{
	struct arena *a = arena_new();
	struct flow_spec f = { .direction = DIR_SEND, .streams = 1, .duration_s = .5,
		.max_bytes = 1 };
	struct trial t;
	bool ok;

	record_init(&trial_record, &t);
	ok = endpoint_measure(s->p->endpoint, a, &f, NULL, &t, e);
	arena_free(a);
	return ok;
}

static void
say_waiting(const struct sampler *s, double left_s)
{
	struct arena *a = arena_new();

	cmd_progress(s->p->cmd, "round %zu of %.0f begins in %s | %s", s->round + 1, s->how->rounds,
	    units_say_time(a, ceil(left_s)), expect_left(a, pipeline_sample_s(s->p->run, s->how) -
	    now_s(s), s->p->run->options.data_cap_bytes - s->bytes));
	arena_free(a);
}

static bool
wait_until(struct sampler *s, double until_s, struct err *e)
{
	bool session = strcmp(endpoint_tool(s->p->endpoint), "pathtune") == 0;
	double alive_s = now_s(s) + ALIVE_S, left_s;
	struct pollfd stop = { stop_fd(), POLLIN, 0 };

	while ((left_s = until_s - now_s(s)) > 0) {
		say_waiting(s, left_s);
		poll(&stop, 1, (int)(fmin(1, left_s) * 1e3) + 1);
		if (stop_requested())
			return fail(e, ERR_STOPPED, "stopped by a signal; nothing was set");
		if (session && now_s(s) >= alive_s) {
			if (!keep_alive(s, e))
				return false;
			alive_s = now_s(s) + ALIVE_S;
		}
	}
	return true;
}

/* ---- transfers ------------------------------------------------------------------------------ */

static void
tick(void *arg, double seconds, double bps)
{
	struct sampler *s = arg;
	struct arena *a = arena_new();

	const struct run *run = s->p->run;

	(void)seconds;
	cmd_progress(s->p->cmd, "round %zu of %.0f, transfer %zu of %.0f: %s | %s", s->round + 1,
	    s->how->rounds, s->at + 1, s->how->transfers * (double)directions(run),
	    units_say_rate(a, bps), expect_left(a, pipeline_sample_s(run, s->how) - now_s(s),
	    run->options.data_cap_bytes - s->bytes));
	arena_free(a);
}

static struct trial
trial_of(const struct sampler *s, enum direction d, size_t slot)
{
	const struct run *run = s->p->run;
	struct trial t;

	record_init(&trial_record, &t);
	t.setting.cc = d == DIR_SEND ? run->facts.cc : NULL;
	t.setting.window_bytes = s->windows[d];
	t.direction = d;
	t.phase = PHASE_MEASURE;
	t.block = (double)s->round;
	t.slot = (double)slot;
	t.coin = NAN;
	t.asked_s = now_s(s);
	t.asked_bytes = s->bytes;
	t.streams = run->options.streams;
	t.status = TRIAL_CUT;
	t.why = "was not finished";
	return t;
}

/* A path that is gone is no reason to go on for hours. */
static bool
count_failures(struct sampler *s, const struct trial *t, struct err *e)
{
	s->failures = t->status == TRIAL_OK ? 0 : s->failures + 1;
	return s->failures < FAILURES_MOST ||
	    fail(e, ERR_FAILED, "%u transfers failed in a row: %s", s->failures,
	    t->why == NULL ? "no reason was given" : t->why);
}

static bool
transfer(struct sampler *s, enum direction d, size_t slot, struct err *e)
{
	struct run *run = s->p->run;
	struct arena *a = s->p->cmd->arena;
	struct progress progress = { tick, s };
	struct flow_spec f = { .direction = d,
		.streams = (unsigned)run->options.streams,
		.warmup_s = warmup_s(run),
		.duration_s = duration_s(run),
		.early_s = EARLY_S,
		.max_bytes = flow_cap_left(run->options.data_cap_bytes, s->bytes) };
	struct trial t = trial_of(s, d, slot);
	size_t at = run->n_trials;

	s->at = slot;
	*(struct trial *)arena_push(a, &run->trials, &run->n_trials, sizeof(t)) = t;
	if (!save_now(s->p, e) || !endpoint_measure(s->p->endpoint, a, &f, &progress, &t, e))
		return false;
	run->trials[at] = t;
	s->bytes += isnan(t.bytes) ? 0 : t.bytes;
	return save_now(s->p, e) && count_failures(s, &t, e);
}

static bool
one_round(struct sampler *s, struct err *e)
{
	const struct options *o = &s->p->run->options;
	size_t n = directions(s->p->run);

	for (size_t i = 0; i < (size_t)s->how->transfers * n; i++) {
		enum direction d = n == 1 ? o->direction : i % 2 == 0 ? DIR_SEND : DIR_RECEIVE;

		if (s->bytes >= o->data_cap_bytes)
			return fail(e, ERR_FAILED, "--data-cap: %s are moved, and round %zu of "
			    "%.0f is not over", units_say_bytes(s->p->cmd->arena, s->bytes),
			    s->round + 1, s->how->rounds);
		if (!transfer(s, d, i, e))
			return false;
	}
	return true;
}

bool
pipeline_sample(struct pipeline *p, const struct sampling *how, struct err *e)
{
	struct sampler s = { .p = p, .how = how, .started_s = flow_clock_s() };
	bool ok = true;

	find_windows(&s);
	for (s.round = 0; ok && (double)s.round < how->rounds; s.round++)
		ok = wait_until(&s, (double)s.round * how->every_s, e) && one_round(&s, e);
	cmd_progress_end(p->cmd);
	return ok;
}
