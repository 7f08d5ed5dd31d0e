/*
 * pipeline_change: values and files of the host changed together, or not at all.  Apply, confirm
 * and revert are such changes.
 *
 * On a host that is reached through a shell a guard of its own does it (pipeline_change_remote.h).
 * All of it happens under the guard: whoever dies before change_keep() is done leaves everything as
 * it was, whoever dies after it everything as it is to be.
 */
#ifndef PATHTUNE_PIPELINE_CHANGE_H
#define PATHTUNE_PIPELINE_CHANGE_H

#include "pipeline.h"
#include "../probes/guard_remote.h"
#include "../probes/persist.h"

#define CHANGE_FILES 8

struct change_value {
	const char *name;
	const char *now;    /* as found */
	const char *want;
	bool held;          /* was set and read back */
	const char *why;    /* it was not */
};

struct change_file {
	struct persist_found found;
	const char *want;   /* NULL: it is to go */
	size_t len;
	struct persist_swap swap;
};

struct change {
	struct pipeline *p;
	struct guard *guard;
	struct guard_remote *remote; /* in its place, on a host that is reached through a shell */
	double lease_s;              /* of that; 0: by how long the link may be silent */
	struct change_file record;   /* there, a file like the others; no path: none */
	struct change_value *values; /* at most 24, in the order to set them */
	size_t n_values;
	struct change_file files[CHANGE_FILES];
	size_t n_files;
};

/* Files of the host as they are, each of at most cap bytes (persist_read()). */
bool change_read(struct pipeline *p, const char *const *path, size_t n, size_t cap,
    struct persist_found *out, struct err *e);

/*
 * Start the guard; values that are no longer as found are an error.  From here on change_keep() or
 * change_cancel() is to be called.
 */
bool change_begin(struct change *c, struct err *e);

/*
 * Set the values, each read back: values[].held and why tell.  A value that does not hold is put
 * back and is no error; a stop is.
 */
bool change_set(struct change *c, struct err *e);

/* Replace the files; all values that held must still hold.  Then it is decided. */
bool change_keep(struct change *c, struct err *e);

/*
 * On a host that is reached through a shell: as far as change_keep() goes before it is decided.
 * Whoever joins the guard decides, for as long as its lease lasts; result is for him.
 */
bool change_stage(struct change *c, const char *result, struct err *e);

/* All as it was. */
bool change_cancel(struct change *c, struct err *e);

#endif
