/*
 * leash: programs that never read their standard input, for host_start(): they end when it does,
 * and after a time in any case.
 */
#ifndef PATHTUNE_LEASH_H
#define PATHTUNE_LEASH_H

#include "host.h"

/*
 * An argv that runs so many copies of argv side by side, with nothing to read, at most seconds
 * long.  What they say on stderr comes with their output; silent: their output is thrown away.
 */
const char *const *leash(struct arena *a, unsigned copies, double seconds, bool silent,
    const char *const *argv);

/*
 * What a started program says: as much as there is now, up to cap bytes in all, the rest is
 * dropped.  False: no more will come.
 */
bool leash_hear(const struct host_child *c, struct text *said, size_t cap);

/* The first line of what was said, fit for a message; NULL: nothing was. */
const char *leash_line(struct arena *a, const struct text *said);

#endif
