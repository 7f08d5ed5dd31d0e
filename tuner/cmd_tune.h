/*
 * cmd_tune: what the files of the command share.
 */
#ifndef PATHTUNE_CMD_TUNE_H
#define PATHTUNE_CMD_TUNE_H

#include "pipeline.h"

/* Time, traffic and who may feel it. */
void tune_announce(struct cmd_context *c, const struct run *run);

/* ---- --both ---------------------------------------------------------------------------------- */

/* Is there an end that can be set, and does nothing else that was asked stand against it? */
bool tune_both_check(const struct cmd_context *c, const struct options *o, bool apply, bool tries,
    bool no_save, struct err *e);

/* Beside what is written of the host: "run.json" has "run-peer.json", "dir" has "dir-peer". */
const char *tune_both_name(struct arena *a, const char *name);

/* The other end's part of what was found: printed, saved where the run is, its fragment written. */
bool tune_both_deliver(struct pipeline *p, const char *out, struct err *e);

#endif
