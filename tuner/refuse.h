/*
 * refuse: changes that must not be written, found before the write.  Pure: facts and lines in, the
 * first refusal out.
 */
#ifndef PATHTUNE_REFUSE_H
#define PATHTUNE_REFUSE_H

#include "model.h"

/*
 * True when these lines may be set, in their order.  False: the error is "KEY: ID: why", the key
 * being the line's name and the ID one of docs/decisions.md, for the first of
 *
 *	unprintable   a value with control characters, or none
 *	wraps         outside of the legal range, where this kernel stores something else silently
 *	range         outside of the legal range otherwise
 *	lowered       below what the kernel runs with, without a measured gain
 *	lethal        new sockets would fail, after this line already
 *	limit-useless, limit-freezes   the limit does not admit what a line sets (docs/decisions.md)
 *	memory        buffers of so many connections in bulk would take more than the bound
 *
 * f: what runs now.  measured: n flags, a gain was measured with this line; NULL: of none.
 * connections: that transfer in bulk at the same time; NAN: 1.  What was wrong before and no line
 * touches is not these lines' fault.  Lines of what is no knob of the profile ("module") are
 * not judged, but for their characters.
 */
bool refuse_lines(struct arena *a, const struct profile *p, const struct facts *f,
    const struct change_line *lines, size_t n, const bool *measured, double connections,
    struct err *e);

/* Only that: with all of these lines set, could new sockets be had?  False: as above. */
bool refuse_lethal(struct arena *a, const struct profile *p, const struct facts *f,
    const struct change_line *lines, size_t n, struct err *e);

#endif
