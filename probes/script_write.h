/*
 * script_write: host_write() for hosts that are reached through a shell.
 */
#ifndef PATHTUNE_SCRIPT_WRITE_H
#define PATHTUNE_SCRIPT_WRITE_H

#include "host.h"

/* run: of the transport; self: what it is given. */
bool script_write(bool (*run)(void *self, struct arena *a, const struct command *c, size_t n,
    struct output *out, struct err *e), void *self, const char *file, const char *value,
    struct err *e);

#endif
