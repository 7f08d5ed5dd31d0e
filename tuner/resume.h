/*
 * resume: may a run go on, and where does it stand?  Pure.
 *
 * A run goes on only where its figures can be compared with new ones, and only when the search asks
 * again for exactly the trials that are on record: it is told them one by one, with the same
 * random bits, times and byte counts.
 */
#ifndef PATHTUNE_RESUME_H
#define PATHTUNE_RESUME_H

#include "model.h"
#include "search.h"

/* Of a run of tune, with a seed, by this SEARCH_VERSION? */
bool resume_may(const struct run *old, struct err *e);

/*
 * The host as it was: system, machine, interface and texts of the knobs; the idle RTT may differ by
 * a quarter or 5 ms.  RTT and link rate of now become those on record, because the search reckons
 * with them.
 */
bool resume_same_host(const struct facts *old, struct facts *now, struct err *e);

/*
 * Windows, congestion controls and extras of every direction, in order.  The shares of the time
 * that was added become those on record.
 */
bool resume_same_plan(const struct plan *old, struct plan *now, struct err *e);

/* What the trials on record took; those that were cut count with all that they had asked for. */
struct resume_spent {
	double seconds, bytes;
};

/*
 * Tell a new search the n trials of its direction, in order.  An error names the first one that
 * the search would not have asked for.
 */
bool resume_replay(struct search *s, const struct trial *trials, size_t n,
    struct resume_spent *spent, struct err *e);

/* What was decided about a direction, or NULL. */
const struct direction_decision *resume_decided(const struct run *run, enum direction d);

/*
 * Take what is inconclusive out of a decision, for it gets more time.  False when the run is over
 * and nothing is: then the decision stays.
 */
bool resume_reopen(struct arena *a, struct run *run);

/*
 * Every direction that is not decided gets the same share of options.more_s, without what decided
 * ones were given of it: never less than before, so that what was asked is asked again, and never
 * more in all.
 */
void resume_share(struct run *run);

/*
 * Budget of the whole run that would decide its inconclusive directions; NAN: none is, or nobody
 * knows.
 */
double resume_budget_s(const struct run *run);

#endif
