/*
 * pipeline_trial: values in force until they are confirmed: apply --confirm.
 *
 * A process of its own (the keeper) sets them under a guard of its own, and takes them back when
 * the time is out.  It outlives the command that started it; should it be killed, its guard takes
 * them back at once; should both be, the next command does.  No file is written before it is asked
 * to confirm, so a reboot takes them back as well.
 *
 * On a host that is reached through a shell the guard there is the keeper, and its lease the time:
 * what is to be written lies beside it.
 */
#ifndef PATHTUNE_PIPELINE_TRIAL_H
#define PATHTUNE_PIPELINE_TRIAL_H

#include "pipeline_apply.h"

#define TRIAL_LEAST_S 5.0
#define TRIAL_MOST_S 86400.0
#define TRIAL_CONFIRM "confirm"
#define TRIAL_REVERT "revert"

/* Set the values of a job that was opened and looked at, for so long.  The keeper has the lock. */
bool trial_start(struct apply_job *j, double seconds, struct err *e);

/* Does an apply wait to be confirmed?  The host is open; one elsewhere was looked at. */
bool trial_waits(struct pipeline *p);

/*
 * Ask the keeper; *result (may be NULL) is what it says that came of it.  Without an answer it is
 * one of the two all the same, whole: confirmed, or taken back.  The keeper takes one question
 * after the other, closes the connection of one who asks nothing, and waits on; when it ends, the
 * host is free before those that wait are reset.
 */
bool trial_ask(struct pipeline *p, const char *what, struct apply_result *result, struct err *e);

#endif
