/*
 * transport: what stands behind the verb of host.h.  Every member has the contract of the function
 * of the same name there; run is called for one command at a time.
 */
#ifndef PATHTUNE_TRANSPORT_H
#define PATHTUNE_TRANSPORT_H

#include "host.h"

struct transport {
	const char *name;
	bool (*run)(struct arena *a, const struct command *c, struct output *out, struct err *e);
	bool (*write)(const char *file, const char *value, struct err *e);
};

extern const struct transport transport_local;

#endif
