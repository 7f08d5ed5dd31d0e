/*
 * guard_run: a knob read and set by commands, for the guard: with what was prepared beforehand, no
 * shell, and no new memory or descriptor of its own.  It needs a process; where the system has none
 * to give, it tries again for a while.
 */
#ifndef PATHTUNE_GUARD_RUN_H
#define PATHTUNE_GUARD_RUN_H

#include "guard_journal.h"

#define GUARD_RUN_MS 5000   /* a command has so long; then its process group is killed */
#define GUARD_FORK_MS 10000 /* and so long is tried to start it */

#define GUARD_RUN_BYTES 65536 /* of what a command prints; more is dropped */

/*
 * What the command prints, or the word that is the value, as text; pipe: both ends, the first does
 * not block.  null: /dev/null.
 */
bool guard_run_read(const struct journal_knob *k, const int pipe[2], int null,
    char text[JOURNAL_TEXT]);

/* True when the command was run to its end: what is read back tells more. */
bool guard_run_write(const struct journal_knob *k, const char *text, int null);

#endif
