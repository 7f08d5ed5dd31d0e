/*
 * extras: what a profile offers beyond window and congestion control, as lines for this host.
 */
#ifndef PATHTUNE_EXTRAS_H
#define PATHTUNE_EXTRAS_H

#include "model.h"

/*
 * Lines that put x in force together with a window: now are the facts with the window's lines,
 * found those as they were, from which the old values come.  What holds already, and an offload
 * that is not there or fixed, has no line.  None at all, *n 0: there is nothing to try, or
 * something of it cannot be set here.
 */
struct change_line *extras_lines(struct arena *a, const struct profile *p,
    const struct facts *found, const struct facts *now, const struct extra *x,
    double window_bytes, size_t *n);

/* What a line calls it: the knob, "offload NAME INTERFACE" or "qdisc INTERFACE". */
const char *extras_name(struct arena *a, const struct facts *f, const struct extra_set *s);

/* How to read and set what is no knob. */
struct extra_way {
	const char **read;  /* argv, NULL-terminated */
	const char *after;  /* of what it prints the value is the word behind this */
	const char **write; /* argv with {value} */
};

/* False: a knob, or the interface is not known. */
bool extras_way(struct arena *a, const struct profile *p, const struct facts *f,
    const struct extra_set *s, struct extra_way *out);

/* The extra of this id, and of it the set whose line has this name; NULL: there is none. */
const struct extra *extras_find(const struct profile *p, const char *id);
const struct extra_set *extras_set(struct arena *a, const struct facts *f,
    const struct extra *x, const char *name);

/* The plan's extra of this id, or NULL. */
const struct plan_extra *extras_planned(const struct plan_direction *d, const char *id);

#endif
