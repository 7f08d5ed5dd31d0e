/*
 * transport: what stands behind the verb of host.h.  Every member has the contract of the function
 * of the same name there.
 */
#ifndef PATHTUNE_TRANSPORT_H
#define PATHTUNE_TRANSPORT_H

#include "host.h"

struct transport {
	const char *prefix;   /* "local", "replay:", ..; what follows is given to open */
	bool here;
	bool (*open)(struct arena *a, const char *rest, const struct host_access *access,
	    void **self, struct err *e);
	bool (*run)(void *self, struct arena *a, const struct command *c, size_t n,
	    struct output *out, struct err *e);
	bool (*write)(void *self, const char *file, const char *value, struct err *e);
	const struct host_path *(*path)(const void *self);
	void (*close)(void *self);
	/* As host_start(); NULL: no program can be started. */
	bool (*start)(void *self, struct arena *a, const char *const *argv, struct host_child *out,
	    struct err *e);
	/* By which it was reached, one place left for its own; NULL: by none. */
	struct host_names (*names)(const void *self);
};

extern const struct transport transport_local, transport_replay, transport_ssh, transport_via;

#endif
