/*
 * host_record: the questions and answers of a host while they come, for a transcript.  Part of
 * host.c; its contract is that of host_record() there.
 */
#ifndef PATHTUNE_HOST_RECORD_H
#define PATHTUNE_HOST_RECORD_H

#include "host.h"

struct recording;

bool recording_begin(struct arena *a, const char *dir, struct recording **out, struct err *e);
struct arena *recording_arena(const struct recording *r);
void recording_keep(struct recording *r, const struct command *c, size_t n,
    const struct output *out);

bool recording_save(struct recording *r, const char *origin, const struct host_path *path,
    const struct host_names *names, struct err *e);

#endif
