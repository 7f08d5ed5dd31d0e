/*
 * knobs: read, set, read back.  A value that reads back differently is a failure with a
 * name, not a success.
 */
#ifndef PATHTUNE_KNOBS_H
#define PATHTUNE_KNOBS_H

#include "../tuner/model.h"
#include "host.h"

/*
 * One value to be held: the whole text of the knob (all fields of a triple).  It is read and
 * written as a file, or, where file is NULL, by commands (NULL-terminated): read is an argv that
 * prints the value, write one with a word whose {value} becomes the text.  What a write exits with
 * says nothing (procps and OpenBSD exit 0 on failure): the value that is read back decides.
 */
struct knob_value {
	const char *name;
	const char *file;
	const char *text;
	const char *const *read;
	const char *const *write;
	const char *after; /* of what read prints the value is the word behind this; NULL: all */
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

/*
 * What n knobs are now, in one host_run(): texts with one blank between their fields.  A command
 * that fails or prints nothing is an error, which names the knob.
 */
bool knobs_read(struct host *h, struct arena *a, const struct knob_value *v, size_t n,
    const char **text, struct err *e);

/*
 * Set one without reading it back.  True does not mean that it holds.  A text with control
 * characters, an empty one, or one that the command would take for an option is refused.
 */
bool knobs_write(struct host *h, struct arena *a, const struct knob_value *v, struct err *e);

/* The word behind the first "after" in a text, of *len; NULL: there is none. */
const char *knobs_behind(const char *text, const char *after, size_t *len);

/* word with its {value} replaced, in dst; false: it does not fit. */
bool knobs_word(const char *word, const char *value, char *dst, size_t size);

/*
 * Set in the order given, each read back.  False: the first that was refused or reads back
 * differently is named.  That one gets back at once what it held before, because a kernel stores
 * the fields before the one that it refuses; those set before it stay set (the
 * guard knows them).
 */
bool knobs_set(struct host *h, struct arena *a, const struct knob_value *v, size_t n,
    struct err *e);

/* All still as they should be?  False with the name of the first that is not. */
bool knobs_hold(struct host *h, struct arena *a, const struct knob_value *v, size_t n,
    struct err *e);

#endif
