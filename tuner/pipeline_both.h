/*
 * pipeline_both: --both, a search over both ends of a path.  The other end is a pipeline of its
 * own, p->far: its host and profile, its facts, its guard, its values, and at last its run.  Each
 * function does for a pipeline without one what the function of the same name in pipeline_knobs.h
 * does, and with one the same at both ends; errors of the other end begin with its name.
 *
 * The run of the host has the trials, and goes on.  That of the other end is the same run as seen
 * from there (ends.h), with its facts, its settings and its fragment: an ordinary run file, so
 * that whatever reads one, apply and check above all, knows of one host alone.
 */
#ifndef PATHTUNE_PIPELINE_BOTH_H
#define PATHTUNE_PIPELINE_BOTH_H

#include "pipeline.h"

/* The peer, reached by ssh, becomes p->far. */
void both_new(struct pipeline *p);

/*
 * The other end: opened, healed, its facts; the path to it was probed.  An error where both ends
 * are one machine.
 */
bool both_probe(struct pipeline *p, struct err *e);

/* The plan of the run was the host's own and becomes the path's. */
bool both_plan(struct pipeline *p, struct err *e);

void both_collect(struct pipeline *p);
bool both_arm(struct pipeline *p, struct err *e);
bool both_release(struct pipeline *p, struct err *e);

/* s: a setting of the path, d: its direction in the run's plan; see trial_knobs_try(). */
bool both_try(struct pipeline *p, const struct plan_direction *d, const struct setting *s,
    const char **why, struct err *e);
bool both_flush(struct pipeline *p, struct err *e);

/* Every value is still the one that the trial has set. */
bool both_hold(struct pipeline *p, struct err *e);

/* Every value as found. */
bool both_put_back(struct pipeline *p, struct err *e);

/* The decision of the run, and of the other end's; d is about the path.  Lines are verified. */
bool both_decide(struct pipeline *p, struct direction_decision *d, size_t n, struct err *e);

#endif
