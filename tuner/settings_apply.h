/*
 * settings_apply: a line put into facts, and values of several fields.  Part of settings_for().
 */
#ifndef PATHTUNE_SETTINGS_APPLY_H
#define PATHTUNE_SETTINGS_APPLY_H

#include "model.h"

/* The whole value with one field replaced; fields are separated by one blank. */
const char *settings_with_field(struct arena *a, const char *text, double field, double value);

/* The number that is a field of a value; NAN: there is none, or more than a number. */
double settings_field(const char *text, double field);

/*
 * The knob can be set, and what was read of it was understood: of several fields the others would
 * be lost.
 */
bool settings_settable(const struct facts *f, const struct knob *k);

/* The knob of this role, or of this name, that this release has, or NULL. */
const struct knob *settings_role(const struct profile *p, const struct facts *f,
    enum knob_role role);
const struct knob *settings_knob(const struct profile *p, const struct facts *f, const char *name);

/* Facts with knobs of their own: to be changed without changing those they came from. */
struct facts settings_copy(struct arena *a, const struct facts *f);

/* A line "module = NAME", which goes into another file than settings do. */
bool settings_is_module(const struct change_line *l);

/*
 * An offload or a queue of an interface (extras.h): no setting has a blank in its name, and no file
 * of settings holds such a line.
 */
bool settings_is_of_interface(const struct change_line *l);

void settings_apply(struct arena *a, const struct profile *p, struct facts *f,
    const struct change_line *l);

#endif
