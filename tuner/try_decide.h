/*
 * try_decide: what came of a file of settings -> the decision, in the terms of every other run.
 */
#ifndef PATHTUNE_TRY_DECIDE_H
#define PATHTUNE_TRY_DECIDE_H

#include "try.h"
#include "try_file.h"

/* choices: the settings of t in its order, n of them. */
struct direction_decision try_decide(struct arena *a, const struct plan_direction *d,
    const struct try_file *f, const struct try_choice *choices, size_t n, const struct try *t,
    const struct trial *trials, size_t n_trials);

/*
 * Lines of knobs that the user named, after decide_all() has made those of windows and congestion
 * controls.  A knob for which two directions chose different values keeps the first; it is returned
 * (else NULL).
 */
const char *try_decide_lines(struct arena *a, struct decision *out);

#endif
