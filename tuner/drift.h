/*
 * drift: is what was applied still in force, now and at the next boot?  Pure.
 */
#ifndef PATHTUNE_DRIFT_H
#define PATHTUNE_DRIFT_H

#include "undo.h"

/*
 * What differs between what was applied (level), what its files hold now (in its order) and what
 * the kernel runs with; then what other files say against it, and known harm.  The ids are those of
 * docs/decisions.md.  level NULL: known harm only.  offloads: the file that sets the interface's at
 * boot, or NULL where there is none.
 */
struct hazard *drift_find(struct arena *a, const struct profile *p, const struct facts *f,
    const struct undo_level *level, const struct undo_now *now, const struct undo_now *offloads,
    size_t *n);

/* The level that a run would have left on this host, for those who ask about one: values only. */
struct undo_level drift_of_run(struct arena *a, const struct profile *p, const struct facts *f,
    const struct run *run);

#endif
