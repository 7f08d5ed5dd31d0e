/*
 * profile_check_extras: what must hold of what a profile offers beyond window and control.
 */
#include "profile_check.h"

#include "offloads.h"

#include <math.h>
#include <string.h>

static bool
check_binds(const struct check *c, const struct extra *x)
{
	if (x->n_binds == 0)
		return check_wrong(c, "binds", "is missing");
	for (size_t i = 0; i < x->n_binds; i++) {
		size_t l = 0;

		while (limiter_names[l] != NULL && strcmp(limiter_names[l], x->binds[i]) != 0)
			l++;
		if (limiter_names[l] == NULL)
			return check_wrong(c, "binds", "names a limiter that there is not");
	}
	return true;
}

/* A value from outside becomes part of an argv: nothing in it may be a flag or end a word. */
static bool
check_value(const struct check *c, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-";

	return (value[0] != '\0' && value[0] != '-' && value[strspn(value, plain)] == '\0') ||
	    check_wrong(c, "value", "may only hold letters, digits and . _ -");
}

/* Only what a fact tells is read and written by commands of its own. */
static bool
check_of_fact(const struct check *c, const struct extra_set *s)
{
	const struct field *f = s->fact == NULL ? NULL : check_fact_field(s->fact);

	if (s->fact == NULL)
		return s->n_over == 0 && s->n_read == 0 && s->n_write == 0 && s->after == NULL &&
		    s->boot == NULL ? true :
		    check_wrong(c, "fact",
			"is missing, over, read, after, write and boot need one");
	if (f == NULL || f->type != FIELD_STRING)
		return check_wrong(c, "fact", "no such fact");
	if (s->n_over == 0)
		return check_wrong(c, "over", "is missing");
	if (s->n_read == 0 || s->n_write == 0)
		return check_wrong(c, s->n_read == 0 ? "read" : "write", "is missing");
	return check_argv(c, "read", s->read, s->n_read, "interface") &&
	    check_argv(c, "write", s->write, s->n_write, "interface value");
}

static bool
check_offload(const struct check *c, const struct offload_source *o, const char *name,
    const char *value)
{
	if (o->n_write == 0)
		return check_wrong(c, "offload", "offloads have no write");
	if (o->n_switches != 0 && offload_flag(o, name) == NULL)
		return check_wrong(c, "offload", "is not among the switches");
	return value == NULL || offload_value_ok(value) ||
	    check_wrong(c, "value", "of an offload must be on or off");
}

static bool
check_set(const struct check *c, const struct profile *p, const struct extra_set *s)
{
	bool computed = isfinite(s->window_share);

	if ((s->knob != NULL) + (s->offload != NULL) + (s->fact != NULL) != 1)
		return check_wrong(c, "knob", "one of knob, offload and fact must be given");
	if (s->knob != NULL && !check_has_knob(p, s->knob))
		return check_wrong(c, "knob", "no such knob");
	if (s->offload != NULL && !check_offload(c, &p->offloads, s->offload, s->value))
		return false;
	if ((s->value != NULL) == computed)
		return check_wrong(c, "value", "either value or window_share must be given");
	if (computed && s->knob == NULL)
		return check_wrong(c, "window_share", "needs a knob");
	if (!computed && (isfinite(s->piece_bytes) || isfinite(s->most)))
		return check_wrong(c, isfinite(s->most) ? "most" : "piece_bytes",
		    "needs a window_share");
	return (s->value == NULL || check_value(c, s->value)) && check_of_fact(c, s);
}

static bool
check_id(const struct check *c, const struct profile *p, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (strcmp(p->extras[j].id, p->extras[i].id) == 0)
			return check_wrong(c, "id", "another extra has it already");
	}
	return p->extras[i].id[0] != '\0' || check_wrong(c, "id", "is empty");
}

bool
check_extra(const struct check *c, const struct profile *p, size_t i)
{
	const struct extra *x = &p->extras[i];
	const struct node *list = check_child(c->map, "sets");
	struct check at = *c;

	if (x->direction != DIR_SEND && x->direction != DIR_RECEIVE)
		return check_wrong(c, "direction", "must be send or receive");
	if (x->n_sets == 0)
		return check_wrong(c, "sets", "is missing");
	if (!check_id(c, p, i) || !check_binds(c, x))
		return false;
	at.map = list->child;
	for (size_t j = 0; j < x->n_sets; j++, at.map = at.map->next) {
		if (!check_set(&at, p, &x->sets[j]))
			return false;
	}
	return check_range(c, &x->range);
}
