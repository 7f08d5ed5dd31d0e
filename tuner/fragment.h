/*
 * fragment: a decision -> the text of each file, as it would lie on the host.
 */
#ifndef PATHTUNE_FRAGMENT_H
#define PATHTUNE_FRAGMENT_H

#include "model.h"

/*
 * Fills run->files from run->decision; none when nothing changes.  Every setting line is preceded
 * by its reason; one that could not be verified on this host says so.
 */
void fragment_make(struct arena *a, const struct profile *p, struct run *run);

#endif
