#include "ends.h"
#include "decide.h"
#include "limiter.h"

#include <math.h>
#include <string.h>

enum direction
ends_turned(enum direction d)
{
	return d == DIR_SEND ? DIR_RECEIVE : d == DIR_RECEIVE ? DIR_SEND : d;
}

const struct plan_direction *
ends_direction(const struct plan *own, enum direction d)
{
	for (size_t i = 0; i < own->n_directions; i++) {
		if (own->directions[i].direction == d)
			return &own->directions[i];
	}
	return NULL;
}

/* ---- plan ------------------------------------------------------------------------------------ */

/* What an end admits once this window of the path is to be left; INFINITY: any. */
static double
beyond(const struct plan_direction *own, double window_bytes)
{
	if (own->window_bytes > window_bytes)
		return own->window_bytes;
	return isnan(own->window_next_bytes) ? INFINITY : own->window_next_bytes;
}

static double
next_window(const struct plan_direction *d, const struct plan_direction *host,
    const struct plan_direction *peer)
{
	double next = fmin(beyond(host, d->window_bytes), beyond(peer, d->window_bytes));

	return isinf(next) ? NAN : fmin(next, d->window_max_bytes);
}

static struct plan_direction
path_direction(struct arena *a, const struct plan_direction *host,
    const struct plan_direction *peer)
{
	const struct plan_direction *sender = host->direction == DIR_SEND ? host : peer;
	const struct plan_direction *least = host->window_max_bytes <= peer->window_max_bytes ?
	    host : peer;
	struct plan_direction d = *host;

	d.window_bytes = fmin(host->window_bytes, peer->window_bytes);
	d.window_max_bytes = least->window_max_bytes;
	d.window_next_bytes = next_window(&d, host, peer);
	d.window_writable = d.window_max_bytes > d.window_bytes;
	d.why = d.window_writable ? NULL : least->why;
	d.cc = sender->cc;
	d.n_cc = sender->n_cc;
	d.extras = NULL;
	d.n_extras = 0;
	for (size_t i = 0; i < host->n_extras + peer->n_extras; i++)
		*(struct plan_extra *)arena_push(a, &d.extras, &d.n_extras, sizeof(*d.extras)) =
		    i < host->n_extras ? host->extras[i] : peer->extras[i - host->n_extras];
	return d;
}

struct plan
ends_plan(struct arena *a, const struct plan *host, const struct plan *peer, const char *name)
{
	struct plan path = *host;

	path.directions = NULL;
	path.n_directions = 0;
	for (size_t i = 0; i < host->n_directions; i++) {
		const struct plan_direction *own = &host->directions[i];
		const struct plan_direction *other = ends_direction(peer,
		    ends_turned(own->direction));

		if (other != NULL)
			*(struct plan_direction *)arena_push(a, &path.directions,
			    &path.n_directions, sizeof(*own)) = path_direction(a, own, other);
	}
	path.notes = NULL;
	path.n_notes = 0;
	for (size_t i = 0; i < host->n_notes + peer->n_notes; i++)
		*(const char **)arena_push(a, &path.notes, &path.n_notes, sizeof(char *)) =
		    i < host->n_notes ? host->notes[i] :
		    arena_printf(a, "at %s: %s", name, peer->notes[i - host->n_notes]);
	return path;
}

/* ---- settings -------------------------------------------------------------------------------- */

/* An end below its kernel's default goes to that, and to nothing in between. */
static double
own_window(const struct plan_direction *own, double path_bytes)
{
	if (!(path_bytes > own->window_bytes))
		return own->window_bytes;
	return fmax(path_bytes, own->window_next_bytes);
}

struct setting
ends_setting(struct arena *a, const struct plan_direction *own, const struct setting *path)
{
	struct setting s = { .cc = own->direction == DIR_SEND ? path->cc : NULL,
		.window_bytes = own_window(own, path->window_bytes) };

	for (size_t i = 0; i < path->n_extras; i++) {
		for (size_t j = 0; j < own->n_extras; j++) {
			if (strcmp(path->extras[i], own->extras[j].id) == 0)
				*(const char **)arena_push(a, &s.extras, &s.n_extras,
				    sizeof(char *)) = path->extras[i];
		}
	}
	return s;
}

/* ---- decision -------------------------------------------------------------------------------- */

/* What of a change is this end's. */
static enum decision_class
own_class(const struct direction_decision *d)
{
	bool cc = !strings_same(d->before.setting.cc, d->after.setting.cc);
	bool window = d->before.setting.window_bytes != d->after.setting.window_bytes;

	if (d->class != CLASS_WINDOW && d->class != CLASS_CONGESTION && d->class != CLASS_BOTH)
		return d->class;
	return window && cc ? CLASS_BOTH : window ? CLASS_WINDOW : cc ? CLASS_CONGESTION :
	    CLASS_EXTRAS;
}

static struct direction_decision
own_decision(struct arena *a, const struct plan_direction *own, const struct direction_decision *d)
{
	struct direction_decision mine = *d;

	mine.before.setting = ends_setting(a, own, &d->before.setting);
	mine.after.setting = ends_setting(a, own, &d->after.setting);
	if (setting_same(&mine.before.setting, &mine.after.setting))
		mine.verdict = VERDICT_KEEP;
	mine.class = own_class(&mine);
	return mine;
}

void
ends_decide(struct arena *a, const struct profile *p, const struct facts *f,
    const struct plan *own, const struct direction_decision *d, size_t n, struct decision *out)
{
	struct direction_decision *mine = arena_array(a, n + 1, sizeof(*mine));
	struct direction_decision *path = arena_array(a, n + 1, sizeof(*path));
	struct plan plan = { .n_directions = 0 }; /* of own, what d has, in that order */
	bool change = false;

	for (size_t i = 0; i < n; i++) {
		const struct plan_direction *part = ends_direction(own, d[i].direction);

		if (part == NULL)
			continue;
		path[plan.n_directions] = d[i];
		mine[plan.n_directions] = own_decision(a, part, &d[i]);
		*(struct plan_direction *)arena_push(a, &plan.directions, &plan.n_directions,
		    sizeof(*part)) = *part;
		change = change || d[i].verdict == VERDICT_CHANGE;
	}
	decide_all(a, p, f, &plan, mine, plan.n_directions, out);
	if (change && out->n_settings == 0) {
		out->verdict = VERDICT_KEEP;
		out->class = CLASS_ENOUGH;
	}
	memcpy(out->directions, path, plan.n_directions * sizeof(*path));
}

/* ---- words ----------------------------------------------------------------------------------- */

/* What changes at an end; NULL: nothing. */
static const char *
part_words(struct arena *a, const struct plan_direction *own, const struct direction_decision *d)
{
	const struct setting from = ends_setting(a, own, &d->before.setting);
	const struct setting to = ends_setting(a, own, &d->after.setting);

	return setting_same(&from, &to) ? NULL : decide_say_setting(a, own, &from, &to);
}

/* Effect and side effects, which follow what changes. */
static const char *
rest_of(const char *words)
{
	const char *rest = strstr(words, ". ");

	return rest == NULL ? "." : rest;
}

const char *
ends_words(struct arena *a, const struct plan_direction *here,
    const struct plan_direction *there, const char *name, const struct direction_decision *d)
{
	const char *mine = part_words(a, here, d), *theirs = part_words(a, there, d), *rest;

	if (d->verdict != VERDICT_CHANGE || d->words == NULL || (mine == NULL && theirs == NULL))
		return d->words;
	rest = rest_of(d->words);
	if (mine == NULL)
		return arena_printf(a, "Nothing to change at this end; at %s: %s%s", name, theirs,
		    rest);
	return theirs == NULL ? arena_printf(a, "Change at this end alone: %s%s", mine, rest) :
	    arena_printf(a, "Change at both ends: here %s; at %s %s%s", mine, name, theirs, rest);
}

/* ---- the other end --------------------------------------------------------------------------- */

static void
swap(double *x, double *y)
{
	double was = *x;

	*x = *y;
	*y = was;
}

static struct trial *
turned_trials(struct arena *a, const struct run *run)
{
	struct trial *t = arena_array(a, run->n_trials + 1, sizeof(*t));

	for (size_t i = 0; i < run->n_trials; i++) {
		t[i] = run->trials[i];
		t[i].direction = ends_turned(t[i].direction);
		swap(&t[i].cpu, &t[i].peer_cpu);
		swap(&t[i].cpu_wait, &t[i].peer_cpu_wait);
		swap(&t[i].system_cpu, &t[i].peer_system_cpu);
	}
	return t;
}

static struct plan
turned_plan(struct arena *a, const struct plan *path, const struct plan *own)
{
	struct plan plan = *path;

	plan.directions = NULL;
	plan.n_directions = 0;
	for (size_t i = 0; i < own->n_directions; i++) {
		const struct plan_direction *d = ends_direction(path,
		    ends_turned(own->directions[i].direction));
		struct plan_direction *added;

		if (d == NULL)
			continue;
		added = arena_push(a, &plan.directions, &plan.n_directions, sizeof(*added));
		*added = *d;
		added->direction = own->directions[i].direction;
		added->window_factor = own->directions[i].window_factor;
	}
	plan.notes = own->notes;
	plan.n_notes = own->n_notes;
	return plan;
}

static void
turned_path(struct arena *a, const struct facts *from, struct facts *to)
{
	to->rtt_ms = from->rtt_ms;
	to->send_bps = from->receive_bps;
	to->receive_bps = from->send_bps;
	to->path = NULL;
	to->n_path = 0;
	for (size_t i = 0; i < from->n_path; i++) {
		struct path_fact *p = arena_push(a, &to->path, &to->n_path, sizeof(*p));

		*p = from->path[i];
		p->direction = ends_turned(p->direction);
	}
}

/* Who limits is told from where one stands; so are a change's ends. */
static struct direction_decision
turned_decision(struct arena *a, const struct run *out, const struct plan *host_own,
    const struct plan *peer_own, const struct direction_decision *d)
{
	struct direction_decision t = *d;
	const struct plan_direction *here, *there = ends_direction(host_own, d->direction);

	t.direction = ends_turned(d->direction);
	here = ends_direction(peer_own, t.direction);
	decide_limits(a, facts_path(&out->facts, t.direction), out->trials, out->n_trials, &t);
	/* That which is the limit and cannot be raised is this end. */
	if (t.class == CLASS_PEER_LIMITS)
		t.class = CLASS_CEILING;
	if (t.verdict == VERDICT_CHANGE && here != NULL && there != NULL)
		t.words = ends_words(a, here, there, out->options.peer, d);
	else if (t.words != NULL)
		t.words = arena_printf(a, "As seen from the other end: %s", t.words);
	return t;
}

static void
turned_options(const struct options *from, struct options *to)
{
	const char *host = to->host, *peer = to->peer;

	*to = *from;
	to->host = host;
	to->peer = peer;
	to->end = ENDS_PEER;
	to->direction = ends_turned(from->direction);
}

void
ends_turn(struct arena *a, const struct run *run, const struct plan *host_own,
    const struct plan *peer_own, struct run *out)
{
	const struct decision *from = &run->decision;
	struct decision *to = &out->decision;

	out->schema = run->schema;
	out->version = run->version;
	out->started = run->started;
	out->search = run->search;
	turned_options(&run->options, &out->options);
	turned_path(a, &run->facts, &out->facts);
	out->plan = turned_plan(a, &run->plan, peer_own);
	out->trials = turned_trials(a, run);
	out->n_trials = run->n_trials;
	memset(to, 0, sizeof(*to));
	for (size_t i = 0; i < out->plan.n_directions; i++) {
		for (size_t j = 0; j < from->n_directions; j++) {
			const struct direction_decision *d = &from->directions[j];

			if (ends_turned(d->direction) == out->plan.directions[i].direction)
				*(struct direction_decision *)arena_push(a, &to->directions,
				    &to->n_directions, sizeof(*d)) = turned_decision(a, out,
				    host_own, peer_own, d);
		}
	}
}
