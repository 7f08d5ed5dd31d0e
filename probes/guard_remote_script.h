/*
 * guard_remote_script: the texts of the guard on another host, for POSIX shells (dash, busybox,
 * ksh, bash --posix).  Part of guard_remote; pure.  Values and names were checked there: without
 * control characters, so that nothing of them can end a line; all of them are quoted here.
 */
#ifndef PATHTUNE_GUARD_REMOTE_SCRIPT_H
#define PATHTUNE_GUARD_REMOTE_SCRIPT_H

#include "guard_remote.h"

/* Says "armed HEALED DIR", or "busy WHY", "failed KNOB". */
const char *guard_remote_script_start(struct arena *a, const struct guard_remote_spec *spec);

/* Do what in its directory and renew; says "ok" or "gone". */
const char *guard_remote_script_tell(struct arena *a, const char *dir, unsigned long renewals,
    const char *what);

/* What a tell does to announce a value of knob k. */
void guard_remote_script_value(struct text *t, size_t k, const char *value);

/*
 * Restore, or carry out what is staged, and wait for it; or go without.  Says "ok", "gone", "kept",
 * "undone WHY", "failed KNOB" or "foreign KNOB".
 */
enum guard_remote_end { GUARD_REMOTE_RESTORE, GUARD_REMOTE_GO, GUARD_REMOTE_KEEP };

const char *guard_remote_script_end(struct arena *a, const char *dir, enum guard_remote_end end);

/*
 * dir: where the state is; NULL: where a pathtune there would have it, as root in usual.
 * What there is, a line each: "dir DIR", "uid NUMBER", then "unfit DIR", or "waits", "busy",
 * "dead", "healed KNOBS", "failed KNOB" of a guard, and "said ANSWER" where nobody heard it.
 */
const char *guard_remote_script_look(struct arena *a, const char *dir, const char *usual,
    bool heal);

#endif
