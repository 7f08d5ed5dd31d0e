/*
 * guard_own: what the parts of guard share.
 */
#ifndef PATHTUNE_GUARD_OWN_H
#define PATHTUNE_GUARD_OWN_H

#include "guard.h"
#include "guard_child.h"

#define GUARD_ANSWER_MS 5000 /* the guard has nothing to do but to answer */

struct guard {
	struct arena *arena;
	struct journal *journal;
	struct journal_file file;
	int socket;
	pid_t pid;
};

/* The journal of this name, not opened yet; its directory is, or dir_fd is -1 without make. */
bool guard_locate(struct arena *a, const char *state_dir, const char *name, bool make,
    struct journal_file *f, struct err *e);

/*
 * Open and lock it.  A run that was killed holds it until its guard has restored; that is waited
 * for.  fd is -1 when there is none (any more) and make is false; *busy: a run is at work, which j
 * tells.
 */
bool guard_acquire(struct arena *a, struct journal_file *f, bool make, struct journal *j,
    bool *busy, struct err *e);
bool guard_fail_busy(const struct journal *j, struct err *e);

/* Lines for the guard; one byte from it: it is ready, or knows what it was told. */
bool guard_tell(struct guard *g, const char *lines, struct err *e);
bool guard_await_answer(struct guard *g, struct err *e);

/* Knobs that are read and set by commands. */
size_t guard_commands(const struct journal *j);

#endif
