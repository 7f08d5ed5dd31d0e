/*
 * guard_remote: brings back a host that we reach through its shell alone, when we cannot.
 *
 * A detached POSIX sh script on the host (nohup, signals ignored, a session of its own where the
 * host has setsid) holds the old values.  It has restored them by the time its lease has not been
 * renewed for so long (it begins at three fifths of it), or does at once when it is told; only
 * values that are still made of ours.  What it needs is on
 * the host's disk before it starts, in "remote" below its state directory: its text, the values,
 * the lease, and a beat that shows it is alive.  Should it die (a reboot), the next start finds
 * what it left and carries that out first.
 *
 * A lease covers at least four trials: renewals share the path that is saturated.  Every call is
 * one host_run(); an error of the host is passed on, and nothing is lost by calling again.
 */
#ifndef PATHTUNE_GUARD_REMOTE_H
#define PATHTUNE_GUARD_REMOTE_H

#include "knobs.h"

struct guard_remote_spec {
	const struct knob_value *old; /* in the order in which they are set; at most 16 */
	size_t n;
	double lease_s;               /* whole seconds, 2 to 86400 */
	const char *state_dir;        /* NULL: as of a pathtune on the host itself        */
	const char *shell;            /* that runs it, with flags; NULL: "sh" */
};

struct guard_remote;

/*
 * Returns when it is alive.  An error when another one is at work there, or a pathtune of the
 * host's own has a journal.  *healed: knobs that a dead one had left and that were set back now:
 * what was read of the host before this call is out of date then.
 */
bool guard_remote_start(struct host *h, struct arena *a, const struct guard_remote_spec *spec,
    struct guard_remote **out, size_t *healed, struct err *e);

/* Its directory on the host. */
const char *guard_remote_dir(const struct guard_remote *g);

/* False also when it is not there any more: the values are the old ones then, or about to be. */
bool guard_remote_renew(struct guard_remote *g, struct arena *a, struct err *e);

/* As guard_announce() and guard_held(); both renew as well. */
bool guard_remote_announce(struct guard_remote *g, struct arena *a, const struct knob_value *v,
    size_t n, struct err *e);
bool guard_remote_held(struct guard_remote *g, struct arena *a, struct err *e);

/*
 * Have it restore, and wait until it has.  False names the first value that could not be restored
 * (what it needs stays, the next start tries again) or that somebody else has changed.
 */
bool guard_remote_release(struct guard_remote *g, struct arena *a, struct err *e);

/* Let it go without restoring.  False when it restores already. */
bool guard_remote_keep(struct guard_remote *g, struct arena *a, struct err *e);

#endif
