#include "extras.h"

#include "kernel.h"
#include "offloads.h"
#include "profile.h"
#include "settings.h"
#include "settings_apply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEP_BYTES 4096.0

struct offering {
	struct arena *arena;
	const struct profile *profile;
	const struct facts *found, *now;
	const struct extra *extra;
	double window_bytes;
};

/* What became of one set. */
enum set_as { SET_LINE, SET_HOLDS, SET_REFUSED };

/* A string member of the facts by its name; the profile was checked for there being one. */
static const char *
fact_text(const struct facts *f, const char *name)
{
	const char *text = NULL;

	for (const struct field *x = facts_record.fields; x->name != NULL; x++) {
		if (x->type == FIELD_STRING && strcmp(x->name, name) == 0)
			memcpy(&text, (const char *)f + x->offset, sizeof(text));
	}
	return text;
}

/* ---- knobs ---------------------------------------------------------------------------------- */

/* The largest first size of a buffer that its maximum and the limit admit. */
static double
initial_most(const struct offering *o, enum direction d)
{
	const struct window_model *m =
	    profile_window(o->profile, d, o->now->release, o->now->arch);
	const struct kernel_knobs k = kernel_knobs(o->profile, o->now);
	double limit = k.value[ROLE_LIMIT];
	double most = k.value[d == DIR_SEND ? ROLE_SEND_MAX : ROLE_RECEIVE_MAX];

	if (m != NULL && m->n_limit_share == 2)
		most = fmin(most, kernel_limit_share(m, limit));
	if (m != NULL && m->n_initial_share == 2)
		most = fmin(most, limit * m->initial_share[0] / m->initial_share[1]);
	return most;
}

/* NAN: no window, nothing to compute from. */
static double
computed_value(const struct offering *o, const struct extra_set *s, const struct knob *k)
{
	bool pieces = isfinite(s->piece_bytes);
	double value = o->window_bytes / s->window_share / (pieces ? s->piece_bytes : STEP_BYTES);

	value = pieces ? ceil(value) : floor(value) * STEP_BYTES;
	value = fmin(fmin(value, s->most), k->max);
	if (k->role != ROLE_SEND_INITIAL && k->role != ROLE_RECEIVE_INITIAL)
		return value;
	value = fmin(value, initial_most(o, o->extra->direction));
	return floor(value / STEP_BYTES) * STEP_BYTES;
}

/* A name: the stack must be there, or such that we may load it. */
static bool
name_usable(const struct facts *f, const struct knob *k, const char *name)
{
	return k->role != ROLE_STACK ||
	    strings_have(f->stacks_available, f->n_stacks_available, name) ||
	    (f->privileged && strings_have(f->stacks_loadable, f->n_stacks_loadable, name));
}

static enum set_as
set_name(const struct offering *o, const struct extra_set *s, const struct knob *k,
    const struct knob_fact *fact, struct change_line *line)
{
	if (fact->text == NULL || !name_usable(o->found, k, s->value))
		return SET_REFUSED;
	line->old = fact->text;
	line->new = s->value;
	return strcmp(fact->text, s->value) == 0 ? SET_HOLDS : SET_LINE;
}

/*
 * Growth by a factor ends on another rung where it starts elsewhere; where the limit then stops it
 * sooner (it could not be raised), the line would take window away.
 */
static bool
takes_window(const struct offering *o, const struct change_line *line)
{
	const struct facts after = settings_applied(o->arena, o->profile, o->now, line, 1);
	const struct kernel_knobs k = kernel_knobs(o->profile, o->now);
	const struct kernel_knobs with = kernel_knobs(o->profile, &after);
	enum direction d = o->extra->direction;
	struct kernel_window before, then;

	return kernel_window(o->profile, o->now, &k, d, NAN, &before) &&
	    kernel_window(o->profile, &after, &with, d, NAN, &then) &&
	    then.sure_bytes < before.sure_bytes;
}

static enum set_as
set_knob(const struct offering *o, const struct extra_set *s, struct change_line *line)
{
	const struct knob *k = settings_knob(o->profile, o->found, s->knob);
	const struct knob_fact *fact = facts_knob(o->found, s->knob);
	const struct knob_fact *now = facts_knob(o->now, s->knob);
	double value;

	if (k == NULL || fact == NULL || now == NULL || !fact->writable)
		return SET_REFUSED;
	if (strcmp(k->unit, "name") == 0 && s->value != NULL)
		return set_name(o, s, k, fact, line);
	if (!settings_settable(o->found, k) || fact->text == NULL)
		return SET_REFUSED;
	value = s->value != NULL ? strtod(s->value, NULL) : computed_value(o, s, k);
	if (isnan(value) || value < k->min || value > k->max)
		return SET_REFUSED;
	line->old = fact->text;
	line->new = settings_with_field(o->arena, now->text, k->field, value);
	if (s->value != NULL)
		return value == now->now ? SET_HOLDS : SET_LINE;
	return value <= now->now || takes_window(o, line) ? SET_HOLDS : SET_LINE;
}

/* ---- what belongs to the interface ---------------------------------------------------------- */

/* In a container that shares the host's interfaces root may change nothing of them. */
static bool
interface_is_ours(const struct facts *f)
{
	return f->privileged && offload_interface_ok(f->interface) &&
	    (f->writable_scopes == NULL || strcmp(f->writable_scopes, "none") != 0);
}

static enum set_as
set_offload(const struct offering *o, const struct extra_set *s, struct change_line *line)
{
	const struct offload *now = offload_found(o->found,
	    offload_line_name(o->arena, o->found, s->offload));

	if (now == NULL || now->state == NULL || now->fixed || strcmp(now->state, s->value) == 0)
		return SET_HOLDS;
	line->old = now->state;
	line->new = s->value;
	return interface_is_ours(o->found) ? SET_LINE : SET_REFUSED;
}

static enum set_as
set_fact(const struct offering *o, const struct extra_set *s, struct change_line *line)
{
	const char *now = fact_text(o->found, s->fact);

	if (now == NULL || !strings_have(s->over, s->n_over, now) ||
	    !interface_is_ours(o->found))
		return SET_REFUSED;
	line->old = now;
	line->new = s->value;
	return strcmp(now, s->value) == 0 ? SET_HOLDS : SET_LINE;
}

struct change_line *
extras_lines(struct arena *a, const struct profile *p, const struct facts *found,
    const struct facts *now, const struct extra *x, double window_bytes, size_t *n)
{
	const struct offering o = { a, p, found, now, x, window_bytes };
	struct change_line *lines = NULL;

	*n = 0;
	for (size_t i = 0; i < x->n_sets; i++) {
		const struct extra_set *s = &x->sets[i];
		struct change_line line = { .name = extras_name(a, found, s),
			.reason = arena_printf(a, "%s: %s", x->reason, x->words),
			.verified = true };
		enum set_as as = s->knob != NULL ? set_knob(&o, s, &line) :
		    s->offload != NULL ? set_offload(&o, s, &line) : set_fact(&o, s, &line);

		if (as == SET_REFUSED) {
			*n = 0;
			return NULL;
		}
		if (as == SET_LINE)
			*(struct change_line *)arena_push(a, &lines, n, sizeof(line)) = line;
	}
	return lines;
}

/* ---- names and commands --------------------------------------------------------------------- */

const char *
extras_name(struct arena *a, const struct facts *f, const struct extra_set *s)
{
	if (s->knob != NULL)
		return s->knob;
	return s->offload != NULL ? offload_line_name(a, f, s->offload) :
	    arena_printf(a, "%s %s", s->fact, f->interface == NULL ? "?" : f->interface);
}

bool
extras_way(struct arena *a, const struct profile *p, const struct facts *f,
    const struct extra_set *s, struct extra_way *out)
{
	const struct substitution sub[] = { { "interface", f->interface },
		{ "value", "{value}" }, { NULL, NULL } };

	if (s->offload != NULL)
		return offload_way(a, p, f, s->offload, out);
	if (s->knob != NULL || !offload_interface_ok(f->interface))
		return false;
	*out = (struct extra_way){ profile_argv(a, s->read, s->n_read, sub), s->after,
		profile_argv(a, s->write, s->n_write, sub) };
	return out->read != NULL && out->write != NULL;
}

const struct extra *
extras_find(const struct profile *p, const char *id)
{
	for (size_t i = 0; i < p->n_extras; i++) {
		if (strcmp(p->extras[i].id, id) == 0)
			return &p->extras[i];
	}
	return NULL;
}

const struct extra_set *
extras_set(struct arena *a, const struct facts *f, const struct extra *x, const char *name)
{
	for (size_t i = 0; i < x->n_sets; i++) {
		if (strcmp(extras_name(a, f, &x->sets[i]), name) == 0)
			return &x->sets[i];
	}
	return NULL;
}

const struct plan_extra *
extras_planned(const struct plan_direction *d, const char *id)
{
	for (size_t i = 0; i < d->n_extras; i++) {
		if (strcmp(d->extras[i].id, id) == 0)
			return &d->extras[i];
	}
	return NULL;
}
