/*
 * settings: a wanted window -> the lines that give it, by the kernel models.  What tune found by
 * measuring and what advise computed become lines here, and nowhere else.
 */
#ifndef PATHTUNE_SETTINGS_H
#define PATHTUNE_SETTINGS_H

#include "model.h"

/* Usable window wanted per direction, in bytes; NAN: leave that direction alone. */
struct wanted {
	double send_bytes;
	double receive_bytes;
	bool level_limits; /* keep what applications may ask for themselves level with the maxima */
	double most_bytes; /* that one buffer should take; 0: nothing bounds it */
};

/*
 * Lines in the order in which they must be set (switches that large windows need, limits before
 * what they bound).  A direction whose switch cannot be set has no others.  Nothing is
 * lowered: not below what the host runs with, nor below the kernel's default (a switch that a
 * requirement turns off is no lowering).  A maximum that suffices has no line; a limit is raised
 * above both maxima as they will be, whichever of them needs it; where one of them lies above
 * most_bytes, only to what the wanted windows need.  A knob that cannot be set here
 * (read-only, no such knob) has no line: *why then names it, else NULL.  Every reason begins with
 * its id (docs/decisions.md) and a colon.
 */
struct change_line *settings_for(struct arena *a, const struct profile *p, const struct facts *f,
    const struct wanted *w, size_t *n, const char **why);

/*
 * The facts without what is wrong whatever the path: switches that a requirement turns, as it
 * turns them, and maxima outside of their legal range and initial sizes below 0 at the default, as
 * far as they can be set.  What the host has so is what it was meant to run with.
 */
struct facts settings_mended(struct arena *a, const struct profile *p, const struct facts *f);

/* The knobs as they would be with these lines: for the models. */
struct facts settings_applied(struct arena *a, const struct profile *p, const struct facts *f,
    const struct change_line *lines, size_t n);

#endif
