/*
 * plan: profile x facts x what was asked -> what is worth trying.  No measuring here.
 */
#ifndef PATHTUNE_PLAN_H
#define PATHTUNE_PLAN_H

#include "model.h"

#define PLAN_WINDOW_MAX_BYTES (64.0 * 1024 * 1024) /* and RAM / 16 if that is less */

/*
 * False when the facts do not suffice: a direction's maximum is not known, or the profile has no
 * model of this kernel.
 */
bool plan_make(struct arena *a, const struct profile *p, const struct facts *f,
    const struct options *o, struct plan *out, struct err *e);

/* The knob that bounds the window of a direction, and the one that bounds an explicit SO_*BUF. */
const struct knob *plan_max_knob(const struct profile *p, enum direction d);
const struct knob *plan_limit_knob(const struct profile *p, enum direction d);

#endif
