#include "settings.h"

#include "kernel.h"
#include "profile.h"
#include "settings_apply.h"
#include "units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEP_BYTES 4096.0

/* Lines as they come to be; facts are those with the lines so far. */
struct making {
	struct arena *arena;
	const struct profile *profile;
	const struct facts *found;
	struct facts facts;
	struct change_line *lines;
	size_t n;
	const char *why;
	double most_bytes; /* see struct wanted */
};

static const struct side_roles {
	enum direction direction;
	enum knob_role max, limit, automatic, initial, increment;
	const char *window_id, *limit_id, *doing;
} sides[] = {
	{ DIR_SEND, ROLE_SEND_MAX, ROLE_LIMIT_SEND, ROLE_SEND_AUTO, ROLE_SEND_INITIAL,
	    ROLE_SEND_INCREMENT, "window-send", "limit-send", "sending" },
	{ DIR_RECEIVE, ROLE_RECEIVE_MAX, ROLE_LIMIT_RECEIVE, ROLE_RECEIVE_AUTO,
	    ROLE_RECEIVE_INITIAL, ROLE_RECEIVE_INCREMENT, "window-receive",
	    "limit-receive", "receiving" },
};

static const struct knob *
knob_with(const struct making *m, enum knob_role role)
{
	return settings_role(m->profile, &m->facts, role);
}

static double
value_now(const struct making *m, const struct knob *k)
{
	const struct knob_fact *fact = facts_knob(&m->facts, k->name);

	return fact == NULL || isnan(fact->now) ? kernel_default(k, &m->facts) : fact->now;
}

/* A value outside of the legal range was wrapped or never meant: it is not to be kept. */
static bool
legal(const struct knob *k, double value)
{
	return value >= k->min && value <= k->max;
}

/* What is never undercut: what the host runs with, and the kernel's default. */
static double
least_value(const struct making *m, const struct knob *k)
{
	double now = value_now(m, k);

	return fmax(legal(k, now) ? now : NAN, kernel_default(k, &m->facts));
}

static void
put_line(struct making *m, const struct knob *k, double value, const char *reason)
{
	const struct knob_fact *fact = facts_knob(m->found, k->name);
	struct change_line *line = NULL;

	if (!settings_settable(m->found, k)) {
		m->why = m->why == NULL ? k->name : m->why;
		return;
	}
	for (size_t i = 0; i < m->n; i++) {
		if (strcmp(m->lines[i].name, k->name) == 0)
			line = &m->lines[i];
	}
	if (line == NULL)
		line = arena_push(m->arena, &m->lines, &m->n, sizeof(*line));
	*line = (struct change_line){ k->name, fact->text,
		settings_with_field(m->arena, fact->text, k->field, value), reason, true };
	settings_apply(m->arena, m->profile, &m->facts, line);
}

static void
raise_to(struct making *m, const struct knob *k, double value, const char *reason)
{
	const struct knob_fact *found = facts_knob(m->found, k->name);
	bool wrong = found != NULL && !isnan(found->now) && !legal(k, found->now);

	value = fmin(value, k->max);
	if (wrong || value_now(m, k) < value)
		put_line(m, k, fmax(value, least_value(m, k)), reason);
}

static bool
window_with(const struct making *m, enum direction d, struct kernel_window *w)
{
	struct kernel_knobs k = kernel_knobs(m->profile, &m->facts);

	return kernel_window(m->profile, &m->facts, &k, d, NAN, w);
}

/* The direction's maximum counts, and its window is smaller than this. */
static bool
window_short(const struct making *m, const struct side_roles *side, double wanted_bytes)
{
	struct kernel_window now;

	return !isnan(wanted_bytes) && knob_with(m, side->max) != NULL &&
	    window_with(m, side->direction, &now) && now.unmet == NULL &&
	    now.sure_bytes < wanted_bytes;
}

static const struct window_model *
model_for(const struct making *m, enum direction d)
{
	return profile_window(m->profile, d, m->facts.release, m->facts.arch);
}

/* The maximum of a buffer with which this much can be in flight, as far as the limit can be. */
static double
max_for(const struct making *m, const struct side_roles *side, double window_bytes)
{
	const struct window_model *model = model_for(m, side->direction);
	const struct knob *k = knob_with(m, side->max), *limit = knob_with(m, ROLE_LIMIT);
	double max = fmin(kernel_max_bytes(model, window_bytes), k->max), most;

	if (limit != NULL && model->n_limit_share == 2) {
		most = settings_settable(m->found, limit) ? limit->max : value_now(m, limit);
		max = fmin(max, kernel_limit_share(model, most));
	}
	return fmax(max, least_value(m, k));
}

static const char *
say_limit(const struct making *m, const struct window_model *model, double largest_bytes)
{
	double part = model->limit_share[0] / model->limit_share[1];
	const char *largest = units_say_bytes(m->arena, largest_bytes);

	if (part == 1)
		return arena_printf(m->arena,
		    "limit: no buffer may be larger; the largest maximum is %s", largest);
	return arena_printf(m->arena,
	    "limit: no buffer may grow beyond %s of it, and a step that fails ends growth for the "
	    "rest of the connection; the largest maximum is %s",
	    units_say_percent(m->arena, part, 0), largest);
}

/* The knob, where a window of this size in this direction needs it. */
static const struct knob *
needed_by(const struct making *m, const struct requirement *r, const double wanted[2])
{
	const struct kernel_knobs k = kernel_knobs(m->profile, &m->facts);
	double bytes = wanted[r->direction == DIR_SEND ? 0 : 1];

	if (isnan(bytes) || bytes <= kernel_above_bytes(m->profile, &m->facts, &k, r) ||
	    !profile_in_range(&r->range, m->facts.release, m->facts.arch))
		return NULL;
	return settings_knob(m->profile, &m->facts, r->knob);
}

/* The increment that grows a buffer to this window in as many steps; NAN: the present one does. */
static double
share_value(const struct making *m, const struct requirement *r, const double wanted[2])
{
	const struct knob *k = needed_by(m, r, wanted);
	struct kernel_window w;
	double left;

	if (k == NULL || isnan(r->window_share) || !window_with(m, r->direction, &w))
		return NAN;
	left = wanted[r->direction == DIR_SEND ? 0 : 1] - fmax(w.start_bytes, 0);
	return left <= value_now(m, k) * r->window_share ? NAN :
	    ceil(left / r->window_share / STEP_BYTES) * STEP_BYTES;
}

/* The increment as it will be; NAN: growth is not by one. */
static double
increment_for(const struct making *m, const struct side_roles *side, const double wanted[2])
{
	const struct knob *k = knob_with(m, side->increment);
	double value = k == NULL ? model_for(m, side->direction)->add_bytes : value_now(m, k);

	for (size_t i = 0; i < m->profile->n_requires; i++) {
		const struct requirement *r = &m->profile->requires[i];

		if (r->direction == side->direction && k != NULL && strcmp(r->knob, k->name) == 0)
			value = fmax(value, share_value(m, r, wanted));
	}
	return value;
}

/* With so much admitted no step fails below what the window needs. */
static double
step_beyond(const struct making *m, const struct side_roles *side, const double wanted[2])
{
	const struct window_model *model = model_for(m, side->direction);
	double add = increment_for(m, side, wanted);
	double bytes = kernel_max_bytes(model, wanted[side->direction == DIR_SEND ? 0 : 1]);

	if (!isnan(model->multiply))
		return bytes * model->multiply;
	return add > 0 ? bytes + add : bytes;
}

/* The largest buffer as it will be. */
static double
largest_buffer(const struct making *m, const double max[2])
{
	double largest = 0;

	for (size_t i = 0; i < NELEM(sides); i++) {
		const struct knob *k = knob_with(m, sides[i].max);

		if (k != NULL)
			largest = fmax(largest, fmax(max[i], least_value(m, k)));
	}
	return largest;
}

/* The same of the wanted windows alone: what others set the maxima to is not made room for. */
static double
largest_wanted(const struct making *m, const double max[2], const double wanted[2])
{
	double largest = 0;

	for (size_t i = 0; i < NELEM(sides); i++) {
		if (!isnan(max[i]))
			largest = fmax(largest, fmin(max[i], step_beyond(m, &sides[i], wanted)));
	}
	return largest;
}

/* The limit that admits all buffers as they will be, and those that a socket starts with. */
static void
raise_limit(struct making *m, const double max[2], const double wanted[2])
{
	const struct knob *limit = knob_with(m, ROLE_LIMIT);
	const struct window_model *model = model_for(m, isnan(max[0]) ? DIR_RECEIVE : DIR_SEND);
	double step = m->profile->limit_step_bytes, largest = largest_buffer(m, max);

	if (limit == NULL || model == NULL || model->n_limit_share != 2)
		return;
	if (m->most_bytes > 0 && largest > m->most_bytes)
		largest = largest_wanted(m, max, wanted);
	for (size_t i = 0; i < NELEM(sides); i++) {
		const struct knob *initial = knob_with(m, sides[i].initial);

		if (initial != NULL)
			largest = fmax(largest, least_value(m, initial));
	}
	raise_to(m, limit, kernel_limit_bytes(model, largest, isnan(step) ? STEP_BYTES : step),
	    say_limit(m, model, largest));
}

static void
level_limits(struct making *m, const double max[2])
{
	for (size_t i = 0; i < NELEM(sides); i++) {
		const struct knob *k = knob_with(m, sides[i].limit);

		if (k == NULL || isnan(max[i]) || !settings_settable(m->found, k))
			continue;
		raise_to(m, k, max[i],
		    arena_printf(m->arena,
			"%s: what an application may ask for itself; without effect on "
			"connections that tune their buffers automatically", sides[i].limit_id));
	}
}

/* A maximum that wrapped is as if it were the default, and so never what runs. */
static bool
restore(struct making *m, enum knob_role max)
{
	const struct knob *k = knob_with(m, max);
	const struct knob_fact *fact = k == NULL ? NULL : facts_knob(m->found, k->name);
	double value = fact == NULL ? NAN : kernel_default(k, &m->facts);
	struct change_line line;

	if (fact == NULL || isnan(value) || !settings_settable(m->found, k) ||
	    legal(k, fact->now))
		return false;
	line = (struct change_line){ .name = k->name,
		.new = settings_with_field(m->arena, fact->text, k->field, value) };
	settings_apply(m->arena, m->profile, &m->facts, &line);
	return true;
}

/* Below nothing a socket cannot start. */
static void
restore_initial(struct making *m)
{
	for (size_t i = 0; i < NELEM(sides); i++) {
		const struct knob *k = knob_with(m, sides[i].initial);

		if (k != NULL && !isnan(kernel_default(k, &m->facts)) && value_now(m, k) < 0)
			put_line(m, k, kernel_default(k, &m->facts),
			    "initial: what it is counts as more than any limit admits, so that no "
			    "new socket can be had; this is the kernel's default");
	}
}

static void
raise_side(struct making *m, const struct side_roles *side, double max, double window_bytes,
    double before_bytes)
{
	const struct knob *k = knob_with(m, side->automatic);

	raise_to(m, knob_with(m, side->max), max,
	    arena_printf(m->arena, "%s: lets one connection keep %s in flight when %s; %s before",
		side->window_id, units_say_bytes(m->arena, window_bytes), side->doing,
		units_say_bytes(m->arena, before_bytes)));
	if (k != NULL && value_now(m, k) == 0)
		put_line(m, k, 1,
		    "autotuning: while it is off a buffer keeps the size it starts with");
}

/* The limit that does not cut a receive buffer's first size. */
static void
admit_initial(struct making *m, double bytes)
{
	const struct knob *limit = knob_with(m, ROLE_LIMIT);
	const struct window_model *model = model_for(m, DIR_RECEIVE);
	double step = m->profile->limit_step_bytes;

	if (limit == NULL || model->n_initial_share != 2)
		return;
	step = isnan(step) ? STEP_BYTES : step;
	raise_to(m, limit, ceil(bytes * model->initial_share[1] / model->initial_share[0] / step) *
	    step,
	    arena_printf(m->arena, "limit: it cuts what a receive buffer starts with, from which "
		"the window scale is made, to %s of itself",
		units_say_percent(m->arena, model->initial_share[0] / model->initial_share[1], 0)));
}

/* A scale that is made from what a connection starts with does not follow from the maximum. */
static void
raise_scale(struct making *m, double window_bytes)
{
	const struct scale_model *s = kernel_scale_model(m->profile, &m->facts);
	const struct knob *k = NULL;
	struct kernel_window w;
	double value;

	if (s == NULL || !window_with(m, DIR_RECEIVE, &w) ||
	    kernel_scale_bytes(w.scale) >= window_bytes)
		return;
	for (size_t i = 0; k == NULL && i < s->n_of; i++)
		k = knob_with(m, profile_role(s->of[i]));
	if (k == NULL || isnan(kernel_scale_value(s, window_bytes)))
		return;
	value = ceil(kernel_scale_value(s, window_bytes) / STEP_BYTES) * STEP_BYTES;
	if (k->role == ROLE_RECEIVE_INITIAL)
		admit_initial(m, value);
	raise_to(m, k, value,
	    arena_printf(m->arena,
		"scale-receive: the window scale is made from it; with the present one no more "
		"than %s can be advertised",
		units_say_bytes(m->arena, kernel_scale_bytes(w.scale))));
}

/* Switches come first: the models see them as they will be. */
static void
require_switches(struct making *m, const double wanted[2])
{
	for (size_t i = 0; i < m->profile->n_requires; i++) {
		const struct requirement *r = &m->profile->requires[i];
		const struct knob *k = needed_by(m, r, wanted);

		if (k != NULL && isnan(r->window_share) && kernel_unmet(r, &m->facts))
			put_line(m, k, r->value,
			    arena_printf(m->arena, "%s: %s", r->reason, r->words));
	}
}

static void
require_shares(struct making *m, const double wanted[2])
{
	for (size_t i = 0; i < m->profile->n_requires; i++) {
		const struct requirement *r = &m->profile->requires[i];
		double value = share_value(m, r, wanted);

		if (!isnan(value))
			raise_to(m, settings_knob(m->profile, &m->facts, r->knob), value,
			    arena_printf(m->arena, "%s: %s", r->reason, r->words));
	}
}

struct facts
settings_mended(struct arena *a, const struct profile *p, const struct facts *f)
{
	struct making m = { a, p, f, settings_copy(a, f), NULL, 0, NULL, 0 };

	require_switches(&m, (const double[2]){ INFINITY, INFINITY });
	restore_initial(&m);
	for (size_t i = 0; i < NELEM(sides); i++)
		restore(&m, sides[i].max);
	return m.facts;
}

/* What the wanted windows need of the maxima, NAN: nothing; restored: the default is enough. */
static void
find_maxima(struct making *m, const double wanted[2], double max[2], double restored[2])
{
	for (size_t i = 0; i < NELEM(sides); i++) {
		if (window_short(m, &sides[i], wanted[i]) && restore(m, sides[i].max))
			restored[i] = value_now(m, knob_with(m, sides[i].max));
		if (window_short(m, &sides[i], wanted[i]))
			max[i] = max_for(m, &sides[i], wanted[i]);
	}
}

struct change_line *
settings_for(struct arena *a, const struct profile *p, const struct facts *f,
    const struct wanted *w, size_t *n, const char **why)
{
	struct making m = { a, p, f, settings_copy(a, f), NULL, 0, NULL, w->most_bytes };
	const double wanted[] = { kernel_scalable_bytes(w->send_bytes),
		kernel_scalable_bytes(w->receive_bytes) };
	double max[] = { NAN, NAN }, restored[] = { NAN, NAN }, before[] = { NAN, NAN };
	struct kernel_window now;

	for (size_t i = 0; i < NELEM(sides); i++) {
		if (window_with(&m, sides[i].direction, &now))
			before[i] = now.sure_bytes;
	}
	if (!isnan(wanted[0]) || !isnan(wanted[1]))
		restore_initial(&m);
	require_switches(&m, wanted);
	find_maxima(&m, wanted, max, restored);
	if (!isnan(max[0]) || !isnan(max[1]))
		raise_limit(&m, max, wanted);
	if (w->level_limits)
		level_limits(&m, max);
	for (size_t i = 0; i < NELEM(sides); i++) {
		double to = isnan(max[i]) ? restored[i] : max[i];

		if (!isnan(to))
			raise_side(&m, &sides[i], to, wanted[i], before[i]);
	}
	if (!isnan(max[1]))
		raise_scale(&m, wanted[1]);
	require_shares(&m, wanted);
	*n = m.n;
	*why = m.why;
	return m.lines;
}
