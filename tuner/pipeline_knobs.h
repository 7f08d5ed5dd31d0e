/*
 * pipeline_knobs: the host's values under trial.  They are set only between trial_knobs_arm() and
 * trial_knobs_release(), under the guard that brings them back.
 */
#ifndef PATHTUNE_PIPELINE_KNOBS_H
#define PATHTUNE_PIPELINE_KNOBS_H

#include "pipeline.h"

/* A knob with this text, read and set as the profile says: as a file, or by its commands. */
struct knob_value trial_knob_value(struct pipeline *p, const struct knob *k, const char *text);

/* Every knob that the searches or the last check may set, into p->old and p->now. */
void trial_knobs_collect(struct pipeline *p);

/* Every knob of these lines as well; each once. */
void trial_knobs_collect_lines(struct pipeline *p, const struct change_line *lines, size_t n);

/*
 * From here on no other run can set them.  The facts are older than that: another run, or somebody
 * else, may have set a value meanwhile, and that one would be brought back; so it is an error.
 */
bool trial_knobs_arm(struct pipeline *p, struct err *e);

/*
 * All as they were.  A host that is not as it was weighs more than why the run ended: e says that
 * first.
 */
bool trial_knobs_release(struct pipeline *p, struct err *e);

/*
 * Bring the guarded knobs to these texts (p->n_old of them, in their order); only what differs is
 * written, and nothing over a value that is not ours.  Values that go down are written first, from
 * the last to the first, so that no limit is ever below what it bounds.  What was set before a
 * refusal is taken back.
 */
bool trial_knobs_put(struct pipeline *p, const struct knob_value *want, struct err *e);

/*
 * The lines (*n of them), and where the endpoint cannot choose it for one transfer the host's
 * default congestion control with them; cc may be NULL.
 */
const struct change_line *trial_knobs_with_cc(const struct pipeline *p, const char *cc,
    const struct change_line *lines, size_t *n);

/*
 * The same for what a setting of this direction needs: its window and its extras.  A TCP stack that
 * is a module is loaded for that, and stays loaded.
 */
bool trial_knobs_setting(struct pipeline *p, const struct plan_direction *d,
    const struct setting *s, struct err *e);

/*
 * The same for a trial: extras, or a default congestion control, that this kernel does not take are
 * no error; *why tells then, so
 * does a note of the plan, and all is as found.  NULL: the setting is in force.
 */
bool trial_knobs_try(struct pipeline *p, const struct plan_direction *d, const struct setting *s,
    const char **why, struct err *e);

/* The first of these lines that sets what nobody could bring back; NULL: there is none. */
const struct change_line *trial_knobs_unguarded(const struct pipeline *p,
    const struct change_line *lines, size_t n);

/* All as found, but for what these lines set.  One that is not guarded is an error. */
bool trial_knobs_lines(struct pipeline *p, const struct change_line *lines, size_t n,
    struct err *e);

/* What the kernel remembers of the path is forgotten; where it cannot be, that is said once. */
bool trial_knobs_flush(struct pipeline *p, struct err *e);

/*
 * Lines of the decision that the trials did not set themselves (the default congestion control:
 * trials ask per socket) are tried once, read back, and put back by trial_knobs_release().
 */
bool trial_knobs_verify(struct pipeline *p, struct err *e);

#endif
