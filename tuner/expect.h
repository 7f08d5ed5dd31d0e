/*
 * expect: what a search will about take, from what is known before the first packet, and what is
 * left of it.  Pure.
 */
#ifndef PATHTUNE_EXPECT_H
#define PATHTUNE_EXPECT_H

#include "model.h"

/* From a search that drops everything soon to one that confirms; NAN: nobody can tell. */
struct expectation {
	double least_s, likely_s;         /* never more than the budget */
	double least_bytes, likely_bytes; /* by the windows and the link; never more than the cap */
};

struct expectation expect_run(const struct facts *f, const struct options *o,
    const struct plan *plan);

/* "at most 7 min 22 s and 8.8 GiB left", for a live line; left_bytes not finite: no bound. */
const char *expect_left(struct arena *a, double left_s, double left_bytes);

/* The same of a direction with what those after it in the plan may take: as much each. */
const char *expect_left_all(struct arena *a, const struct plan *all,
    const struct plan_direction *now, double left_s, double budget_s, double left_bytes,
    double cap_bytes);

#endif
