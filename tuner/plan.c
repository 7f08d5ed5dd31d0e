#include "plan.h"
#include "extras.h"
#include "kernel.h"
#include "profile.h"
#include "settings.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define LEAST_STEP 1.001

const struct knob *
plan_max_knob(const struct profile *p, enum direction d)
{
	return profile_knob(p, d == DIR_SEND ? ROLE_SEND_MAX : ROLE_RECEIVE_MAX);
}

const struct knob *
plan_limit_knob(const struct profile *p, enum direction d)
{
	const struct knob *own =
	    profile_knob(p, d == DIR_SEND ? ROLE_LIMIT_SEND : ROLE_LIMIT_RECEIVE);

	return own != NULL ? own : profile_knob(p, ROLE_LIMIT);
}

static void
note(struct arena *a, struct plan *plan, const char *text)
{
	*(const char **)arena_push(a, &plan->notes, &plan->n_notes, sizeof(char *)) = text;
}

/* Whether this host could use it: there or loadable, and allowed to us. */
static bool
cc_usable(const struct facts *f, const char *cc)
{
	if (strings_have(f->cc_available, f->n_cc_available, cc))
		return f->privileged || strings_have(f->cc_allowed, f->n_cc_allowed, cc);
	return f->privileged && strings_have(f->cc_loadable, f->n_cc_loadable, cc);
}

static void
add_cc(struct arena *a, struct plan_direction *d, const char *cc)
{
	if (!strings_have(d->cc, d->n_cc, cc))
		*(const char **)arena_push(a, &d->cc, &d->n_cc, sizeof(char *)) = cc;
}

/*
 * The default first, then those that differ in kind: cubic, and bbr.  The rest of the loss-based
 * family only on request: a search pays for every arm.
 */
static void
choose_cc(struct arena *a, const struct facts *f, const struct options *o, struct plan_direction *d)
{
	static const char *const worth[] = { "cubic", "bbr" };
	const char *start = o->start_cc != NULL ? o->start_cc : f->cc;

	if (start == NULL)
		return;
	add_cc(a, d, start);
	for (size_t i = 0; i < NELEM(worth); i++) {
		if (cc_usable(f, worth[i]))
			add_cc(a, d, worth[i]);
	}
	for (size_t i = 0; o->all_cc && i < f->n_cc_available; i++) {
		if (cc_usable(f, f->cc_available[i]))
			add_cc(a, d, f->cc_available[i]);
	}
}

/* Why the knob of a window cannot be set by a search; NULL: it can. */
static const char *
not_settable(const struct profile *p, const struct knob *k, const struct knob_fact *fact)
{
	if (k == NULL)
		return "this kernel has no knob for it";
	if (!fact->writable)
		return fact->why == NULL ? "no reason given" : fact->why;
	return k->file == NULL && p->n_knob_write == 0 ? "the profile has no command that sets it" :
	    NULL;
}

/* What could be tried beyond: made for the widest window, the search takes what could bind. */
static void
choose_extras(struct arena *a, const struct profile *p, const struct facts *f,
    struct plan_direction *d)
{
	double wide = d->window_max_bytes;
	struct wanted w = { d->direction == DIR_SEND ? wide : NAN,
		d->direction == DIR_SEND ? NAN : wide, true, 0 };
	size_t n_lines = 0;
	const char *why;
	struct change_line *lines = wide == d->window_bytes ? NULL :
	    settings_for(a, p, f, &w, &n_lines, &why);
	const struct facts now = settings_applied(a, p, f, lines, n_lines);

	for (size_t i = 0; i < p->n_extras; i++) {
		const struct extra *x = &p->extras[i];
		struct plan_extra *added;
		size_t n = 0;

		if (x->direction != d->direction ||
		    !profile_in_range(&x->range, f->release, f->arch))
			continue;
		lines = extras_lines(a, p, f, &now, x, wide, &n);
		if (n == 0)
			continue;
		added = arena_push(a, &d->extras, &d->n_extras, sizeof(*added));
		*added = (struct plan_extra){ x->id, x->binds, x->n_binds, x->with_window, lines,
			n };
	}
}

/*
 * The least window above the present one that lines can give: a host that runs below the kernel's
 * default goes to that, and nothing in between.
 */
static double
next_window(struct arena *a, const struct profile *p, const struct facts *f,
    const struct plan_direction *d)
{
	double least = d->window_bytes * LEAST_STEP;
	struct wanted w = { d->direction == DIR_SEND ? least : NAN,
		d->direction == DIR_SEND ? NAN : least, true, 0 };
	const char *why;
	size_t n;
	struct change_line *lines = settings_for(a, p, f, &w, &n, &why);
	const struct facts with = settings_applied(a, p, f, lines, n);
	const struct kernel_knobs knobs = kernel_knobs(p, &with);
	struct kernel_window next;

	return kernel_window(p, &with, &knobs, d->direction, f->rtt_ms, &next) &&
	    next.sure_bytes > d->window_bytes ? next.sure_bytes : NAN;
}

static bool
plan_direction(struct arena *a, const struct profile *p, const struct facts *f,
    const struct options *o, enum direction dir, struct plan *plan, struct err *e)
{
	const struct knob *knob = plan_max_knob(p, dir);
	const struct knob_fact *fact = knob == NULL ? NULL : facts_knob(f, knob->name);
	const struct window_model *m = profile_window(p, dir, f->release, f->arch);
	const struct kernel_knobs knobs = kernel_knobs(p, f);
	double ram = isnan(f->ram_bytes) ? PLAN_WINDOW_MAX_BYTES : f->ram_bytes / 16;
	struct plan_direction *d;
	struct kernel_window now;

	if (m == NULL)
		return fail(e, ERR_FAILED, "profile %s has no %s window model for release %s",
		    p->name, direction_names[dir], f->release);
	if (knob != NULL && (fact == NULL || isnan(fact->now)))
		return fail(e, ERR_FAILED,
		    "%s could not be read, so there is nothing to start from", knob->name);
	if (!kernel_window(p, f, &knobs, dir, f->rtt_ms, &now))
		return fail(e, ERR_FAILED, "the %s window of this kernel is not known",
		    direction_names[dir]);
	d = arena_push(a, &plan->directions, &plan->n_directions, sizeof(*d));
	d->direction = dir;
	d->window_factor = m->factor;
	d->window_bytes = now.sure_bytes;
	d->why = not_settable(p, knob, fact);
	d->window_writable = d->why == NULL;
	d->more_s = NAN;
	d->window_max_bytes = d->window_bytes;
	d->window_next_bytes = d->window_writable ? next_window(a, p, f, d) : NAN;
	if (d->window_writable && fmin(PLAN_WINDOW_MAX_BYTES, ram) > d->window_bytes)
		d->window_max_bytes = fmax(fmin(PLAN_WINDOW_MAX_BYTES, ram),
		    isnan(d->window_next_bytes) ? 0 : d->window_next_bytes);
	if (!d->window_writable)
		note(a, plan,
		    arena_printf(a, "%s cannot be set (%s): windows are not searched when %s",
			knob == NULL ? "the window" : knob->name, d->why,
			dir == DIR_SEND ? "sending" : "receiving"));
	if (dir == DIR_SEND)
		choose_cc(a, f, o, d);
	choose_extras(a, p, f, d);
	return true;
}

static void
note_limit(struct arena *a, const struct profile *p, const struct facts *f, enum direction dir,
    struct plan *plan)
{
	const struct knob *knob = plan_limit_knob(p, dir);
	const struct knob_fact *fact = knob == NULL ? NULL : facts_knob(f, knob->name);

	if (fact != NULL && !fact->writable)
		note(a, plan,
		    arena_printf(a, "%s stays at %s: %s", knob->name,
			fact->text == NULL ? "?" : fact->text, fact->why == NULL ? "" : fact->why));
}

bool
plan_make(struct arena *a, const struct profile *p, const struct facts *f, const struct options *o,
    struct plan *out, struct err *e)
{
	static const enum direction each[] = { DIR_SEND, DIR_RECEIVE };
	struct plan plan = { .expected_s = o->budget_s, .expected_bytes = o->data_cap_bytes };

	if (f->release == NULL)
		return fail(e, ERR_FAILED, "the kernel's release is not known");
	for (size_t i = 0; i < NELEM(each); i++) {
		if ((o->direction & each[i]) == 0)
			continue;
		if (!plan_direction(a, p, f, o, each[i], &plan, e))
			return false;
		note_limit(a, p, f, each[i], &plan);
	}
	*out = plan;
	return true;
}
