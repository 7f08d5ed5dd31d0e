#include "advise_words.h"

#include "settings_apply.h"
#include "units.h"

#include <math.h>

/* "name (value)" */
static const char *
say_named(struct arena *a, const struct advised *x, const char *name)
{
	const struct knob_fact *f = facts_knob(x->facts, name);

	return f == NULL || f->text == NULL ? name : arena_printf(a, "%s (%s)", name, f->text);
}

static const char *
say_knob(struct arena *a, const struct advised *x, enum knob_role role)
{
	const struct knob *k = settings_role(x->profile, x->facts, role);

	return k == NULL ? "the kernel" : say_named(a, x, k->name);
}

/* The knob of an initial size that counts as a huge one; NULL: neither. */
static const struct knob *
negative_initial(const struct advised *x)
{
	static const enum knob_role roles[] = { ROLE_SEND_INITIAL, ROLE_RECEIVE_INITIAL };

	for (size_t i = 0; i < NELEM(roles); i++) {
		const struct knob *k = settings_role(x->profile, x->facts, roles[i]);
		const struct knob_fact *f = k == NULL ? NULL : facts_knob(x->facts, k->name);

		if (f != NULL && f->now < 0)
			return k;
	}
	return NULL;
}

static const char *
say_ceiling(struct arena *a, const struct advised *x)
{
	double n = ceil(x->needed_bytes / x->now.sure_bytes);

	return arena_printf(a,
	    "Buffers of this kernel end at %s (%.0f bytes), which nothing can be set to change; "
	    "the path holds %s: %.0f connections at a time would fill it.",
	    units_say_bytes(a, x->now.sure_bytes), x->now.sure_bytes,
	    units_say_bytes(a, x->needed_bytes), n);
}

/* What bounds the window now; no full stop. */
static const char *
say_limit(struct arena *a, const struct advised *x)
{
	bool send = x->direction == DIR_SEND;
	const char *max = say_knob(a, x, send ? ROLE_SEND_MAX : ROLE_RECEIVE_MAX);

	if (x->now.lethal && negative_initial(x) != NULL)
		return arena_printf(a, "No new socket can be had: %s is below 0",
		    say_named(a, x, negative_initial(x)->name));
	if (x->now.lethal)
		return arena_printf(a,
		    "No new socket can be had: a buffer is to start with more than %s admits",
		    say_knob(a, x, ROLE_LIMIT));
	if (x->now.unmet != NULL)
		return arena_printf(a, "%s bounds the window at %s",
		    say_named(a, x, x->now.unmet->knob), units_say_bytes(a, x->now.sure_bytes));
	if (x->now.sure_bytes == kernel_scale_bytes(KERNEL_SCALE_MOST))
		return "No TCP connection can have more than 1 GiB in flight";
	if (!send && x->now.sure_bytes < x->now.stop_bytes &&
	    x->now.sure_bytes == kernel_scale_bytes(x->now.scale))
		return arena_printf(a, "With window scale %.0f no more than %s can be advertised",
		    x->now.scale, units_say_bytes(a, x->now.sure_bytes));
	if (x->now.frozen)
		return arena_printf(a,
		    "Growth ends at %s: the next step would be more than %s admits",
		    units_say_bytes(a, x->now.stop_bytes), say_knob(a, x, ROLE_LIMIT));
	return arena_printf(a, "%s bounds the window at %s", max,
	    units_say_bytes(a, x->now.sure_bytes));
}

/* What the advice makes of it; begins with a blank. */
static const char *
say_outcome(struct arena *a, const struct advised *x)
{
	const char *after = units_say_bytes(a, x->after.sure_bytes);

	if (x->after.sure_bytes >= x->needed_bytes)
		return arena_printf(a, " The advised settings admit %s.", after);
	if (x->bounded)
		return arena_printf(a,
		    " Memory admits no more than %s with %.0f connection%s: one alone gets %s of "
		    "the path.", after, x->connections, x->connections == 1 ? "" : "s",
		    units_say_percent(a, x->after.sure_bytes / x->needed_bytes, 0));
	if (x->why != NULL)
		return arena_printf(a, " %s cannot be set here, so %s remain.", x->why, after);
	return arena_printf(a, " No more than %s can be had.", after);
}

const char *
advise_words(struct arena *a, const struct advised *x)
{
	if (x->now.sure_bytes >= x->needed_bytes && !x->changes)
		return arena_printf(a,
		    "The present settings admit %s in flight, the path holds %s: enough.",
		    units_say_bytes(a, x->now.sure_bytes), units_say_bytes(a, x->needed_bytes));
	if (x->now.sure_bytes >= x->needed_bytes)
		return arena_printf(a,
		    "The present settings admit %s, the path holds %s; what hinders the window "
		    "otherwise is mended.",
		    units_say_bytes(a, x->now.sure_bytes), units_say_bytes(a, x->needed_bytes));
	if (x->fixed && x->now.unmet == NULL)
		return say_ceiling(a, x);
	return arena_printf(a, "%s; the path holds %s.%s", say_limit(a, x),
	    units_say_bytes(a, x->needed_bytes), say_outcome(a, x));
}
