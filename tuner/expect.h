/*
 * expect: what a search will about take, from what is known before the first packet.  Pure.
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

#endif
