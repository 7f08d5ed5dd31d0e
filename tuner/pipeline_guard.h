/*
 * pipeline_guard: the guard of the values under trial, wherever the host is: here a process
 * (guard.h), elsewhere a script with a lease (guard_remote.h) that another process renews.
 */
#ifndef PATHTUNE_PIPELINE_GUARD_H
#define PATHTUNE_PIPELINE_GUARD_H

#include "pipeline.h"

struct pipeline_guard {
	struct guard *here;
	struct guard_remote *there;
	struct guard_renew *renew;
	double lease_s;
};

/* Guards p->old, as p->guard.  Nobody else is at work there then. */
bool pipeline_guard_arm(struct pipeline *p, struct err *e);

/* As the functions of guard.h; p->guard is gone after release, which may be called without one. */
bool pipeline_guard_announce(struct pipeline *p, const struct knob_value *v, size_t n,
    struct err *e);
bool pipeline_guard_held(struct pipeline *p, struct err *e);
bool pipeline_guard_release(struct pipeline *p, struct err *e);

/* To be set in place of v: not once the guard has begun to restore (guard_remote_fenced()). */
struct knob_value pipeline_guard_fenced(struct pipeline *p, const struct knob_value *v);

#endif
