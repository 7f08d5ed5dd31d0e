/*
 * ends: a path of which both ends may be set.  What a setting of the path means for each of them,
 * and what a decision about the path does.  Pure.
 *
 * A run is seen from its host.  Its plan, trials and decisions by direction are the path's: a
 * window of the path is the smaller one of what the sender's send buffer and the receiver's receive
 * buffer give, its congestion control is the sender's.  What is set at an end is that end's own.
 */
#ifndef PATHTUNE_ENDS_H
#define PATHTUNE_ENDS_H

#include "model.h"

#define ENDS_HOST "host" /* options.end */
#define ENDS_PEER "peer"

/* The same transfer as the other end sees it; both directions stay both. */
enum direction ends_turned(enum direction d);

/*
 * The plan of the path, in the order of the host's own plan, from what each end alone could do;
 * name is the peer's, for notes.  Each direction of the one is the other direction of the other.
 */
struct plan ends_plan(struct arena *a, const struct plan *host, const struct plan *peer,
    const char *name);

/* What an end has of a plan in this direction, or NULL. */
const struct plan_direction *ends_direction(const struct plan *own, enum direction d);

/*
 * An end's part of a setting of the path.  own: what this end alone could do, in its direction.
 * An end that admits the window already keeps its own; one that does not gets no less than the
 * next that it can have.
 */
struct setting ends_setting(struct arena *a, const struct plan_direction *own,
    const struct setting *path);

/*
 * As decide_all(), for one end: d are decisions about the path, in this end's directions, and stay
 * so in out; settings, verdict and class of out are those of this end alone.  Where the path gains
 * but this end admits all of it already the verdict is to keep, with CLASS_ENOUGH.
 */
void ends_decide(struct arena *a, const struct profile *p, const struct facts *f,
    const struct plan *own, const struct direction_decision *d, size_t n, struct decision *out);

/*
 * A decision about the path in the words of one end: what changes here, and what at the other one.
 * here and there: what either could do alone, in its direction; name is the other one's.  Words
 * that say so already stay as they are.
 */
const char *ends_words(struct arena *a, const struct plan_direction *here,
    const struct plan_direction *there, const char *name, const struct direction_decision *d);

/*
 * The peer's view of the host's run: all of it that is about the path, turned.  facts, hazards and
 * own settings of out are its own and stay; host and peer are how the ends are called.  Its
 * decisions by direction are in the order of its own plan, with words for the peer.
 */
void ends_turn(struct arena *a, const struct run *run, const struct plan *host_own,
    const struct plan *peer_own, struct run *out);

#endif
