/*
 * knobs: read, set, read back, restore.  A value that reads back differently is a failure with a
 * name, not a success.
 */
#ifndef PATHTUNE_KNOBS_H
#define PATHTUNE_KNOBS_H

#include "../tuner/model.h"
#include "host.h"

/*
 * One value to be held: the whole text of the knob (all fields of a triple).  It is read and
 * written as a file, or, where file is NULL, by commands: read is an argv that prints the value,
 * write one whose {value} becomes the text, as part of one word.
 */
struct knob_value {
	const char *name;
	const char *file;
	const char *text;
	const char *const *read;
	const char *const *write;
};

/* "4096\t131072  33554432\n" and "4096 131072 33554432" are the same value. */
bool knobs_same(const char *a, const char *b);

/*
 * The next field of a knob's value: *s is moved behind it, *len is its length; NULL when there is
 * none.  Fields are separated by blanks, tabs and newlines.
 */
const char *knobs_field(const char **s, size_t *len);

/* The same field?  Numbers are compared as numbers, of any length. */
bool knobs_same_field(const char *a, size_t a_len, const char *b, size_t b_len);

/* The fields with one blank between them. */
bool knobs_read(struct host *h, struct arena *a, const char *file, const char **text,
    struct err *e);

/*
 * Set in the order given, each read back.  False: the first that was refused or reads back
 * differently is named.  That one gets back at once what it held before, because a kernel stores
 * the fields before the one that it refuses (os-facts A.5.1); those set before it stay set (the
 * guard knows them).
 */
bool knobs_set(struct host *h, struct arena *a, const struct knob_value *v, size_t n,
    struct err *e);

/* All still as they should be?  False with the name of the first that is not. */
bool knobs_hold(struct host *h, struct arena *a, const struct knob_value *v, size_t n,
    struct err *e);

#endif
