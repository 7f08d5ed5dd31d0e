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

/* Restore and wait for it, or go without; says "ok", "gone", "failed KNOB" or "foreign KNOB". */
const char *guard_remote_script_end(struct arena *a, const char *dir, bool restore);

#endif
