/*
 * knobs: read, set, read back, restore.  A value that reads back differently is a failure with a
 * name, not a success.
 */
#ifndef PATHTUNE_KNOBS_H
#define PATHTUNE_KNOBS_H

#include "../tuner/model.h"
#include "host.h"

/* One value to be held: the whole text of the knob (all fields of a triple). */
struct knob_value {
	const char *name;
	const char *file;
	const char *text;
};

/* "4096\t131072  33554432\n" and "4096 131072 33554432" are the same value. */
bool knobs_same(const char *a, const char *b);

bool knobs_read(struct host *h, struct arena *a, const char *file, const char **text,
    struct err *e);

/*
 * Set in the order given, each read back.  False: the first that was refused or reads back
 * differently is named; those set before it stay set (the guard knows them).
 */
bool knobs_set(struct host *h, struct arena *a, const struct knob_value *v, size_t n,
    struct err *e);

/* All still as they should be?  False with the name of the first that is not. */
bool knobs_hold(struct host *h, struct arena *a, const struct knob_value *v, size_t n,
    struct err *e);

#endif
