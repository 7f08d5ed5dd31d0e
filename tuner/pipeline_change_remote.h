/*
 * pipeline_change_remote: pipeline_change.h on a host that is reached through a shell.  A guard
 * there holds the values for a while (probes/guard_remote.h) and replaces the files itself, so that
 * a link that is cut, or our death, leaves all of it as it was or all of it changed.
 */
#ifndef PATHTUNE_PIPELINE_CHANGE_REMOTE_H
#define PATHTUNE_PIPELINE_CHANGE_REMOTE_H

#include "pipeline_change.h"

/* Is this host's state reached through a shell?  Neither the local one's is, nor a recording's. */
bool change_is_remote(const struct pipeline *p);

/*
 * Learn where its state is, and who is at work there; once.  A command that sets values carries out
 * what a dead guard left, and notes tell how a change ended whose command was lost.
 */
bool change_remote_look(struct pipeline *p, struct err *e);

/* Where the host keeps what was applied. */
const char *change_state_dir(struct pipeline *p);

bool change_remote_begin(struct change *c, const struct knob_value *old, size_t n, struct err *e);

/* Bring all of it to the host: what change_keep() would do, and the result for who confirms it. */
bool change_remote_stage(struct change *c, const struct knob_value *held, size_t n,
    const char *result, struct err *e);

/* Carry it out.  The guard is gone then, whatever is returned. */
bool change_remote_commit(struct change *c, struct err *e);

bool change_remote_cancel(struct change *c, struct err *e);

#endif
