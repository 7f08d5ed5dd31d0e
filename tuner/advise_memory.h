/*
 * advise_memory: what buffers may take, and what they take by the models.  Part of advise_make().
 */
#ifndef PATHTUNE_ADVISE_MEMORY_H
#define PATHTUNE_ADVISE_MEMORY_H

#include "kernel.h"

/*
 * What a connection in bulk takes at worst: the size to which the buffer of its busier direction,
 * of those in mask, can grow.
 */
double advise_buffer_bytes(const struct profile *p, const struct facts *f, int mask);

/* What the kernel lets network buffers take, and what they should take of it; NAN: not known. */
double advise_kernel_bytes(const struct facts *f);
double advise_bound_bytes(const struct facts *f);

#endif
