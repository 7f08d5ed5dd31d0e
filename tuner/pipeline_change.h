/*
 * pipeline_change: values and files of the host changed together, or not at all.  Apply, confirm
 * and revert are such changes.
 *
 * All of it happens under the guard: whoever dies before change_keep() is done leaves everything as
 * it was, whoever dies after it everything as it is to be.
 */
#ifndef PATHTUNE_PIPELINE_CHANGE_H
#define PATHTUNE_PIPELINE_CHANGE_H

#include "pipeline.h"
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
	struct change_value *values; /* at most 16, in the order to set them */
	size_t n_values;
	struct change_file files[CHANGE_FILES];
	size_t n_files;
};

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

/* All as it was. */
bool change_cancel(struct change *c, struct err *e);

#endif
