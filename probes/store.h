/*
 * store: what pathtune keeps on a host between commands, beside the guard's journals: one file a
 * purpose in the state directory (guard_state_dir()), 0700, its files 0600.  What another user owns
 * or others can write is refused: it says what is written into a kernel and into /etc.
 */
#ifndef PATHTUNE_STORE_H
#define PATHTUNE_STORE_H

#include "../tuner/base.h"

#define STORE_BYTES ((size_t)64 * 1024 * 1024)
#define STORE_UNDO "undo"

/*
 * Nobody else applies, reverts or confirms on this host until *lock is closed (or all processes
 * that hold it are gone).  The directory is made if it is missing.
 */
bool store_lock(struct arena *a, const char *dir, int *lock, struct err *e);

/* All of a file; *text is NULL where there is none. */
bool store_read(struct arena *a, const char *dir, const char *name, const char **text,
    size_t *len, struct err *e);

/* Written beside and renamed; text NULL: removed. */
bool store_write(struct arena *a, const char *dir, const char *name, const char *text,
    struct err *e);

#endif
