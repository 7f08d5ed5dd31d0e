/*
 * fragment_keep: what a new fragment must say again, because it takes the place of an older one.
 */
#ifndef PATHTUNE_FRAGMENT_KEEP_H
#define PATHTUNE_FRAGMENT_KEEP_H

#include "model.h"

/*
 * The lines of run->decision, and among them, in the order of the profile's knobs, those settings
 * that the file of settings holds already and the decision lacks.  Facts do not tell what stands
 * inside of our block and what around it: the block repeats both, as far as pathtune ever sets such
 * knobs, which harms nothing.  A size that differs between file and kernel is kept at the larger of
 * both, everything else as it runs, and nothing outside of its legal range.  Where no line is new
 * there is nothing to keep: *n is 0.
 */
struct change_line *fragment_lines(struct arena *a, const struct profile *p,
    const struct run *run, size_t *n);

#endif
