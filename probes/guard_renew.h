/*
 * guard_renew: renews the lease of a guard on another host (guard_remote.h) for as long as this
 * process lives and the host can be reached.
 *
 * A process of its own does it, with a login of its own: a renewal waits neither for a transfer nor
 * for an answer.  It sends a line every so often, many within one lease, and comes back when its
 * connection breaks.  It ends when we do, however.
 */
#ifndef PATHTUNE_GUARD_RENEW_H
#define PATHTUNE_GUARD_RENEW_H

#include "guard_remote.h"

struct guard_renew;

/* Returns when the first renewal is on its way. */
bool guard_renew_start(struct host *h, struct arena *a, struct guard_remote *g,
    double lease_s, struct guard_renew **out, struct err *e);

void guard_renew_end(struct guard_renew *r); /* NULL is fine */

#endif
