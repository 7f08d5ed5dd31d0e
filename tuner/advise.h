/*
 * advise: facts -> the smallest settings with which one connection fills the path, and what they
 * give, by the kernel models alone: nothing is measured, and what only measuring can tell
 * (congestion control, NIC model) is said to be so, not decided.
 */
#ifndef PATHTUNE_ADVISE_H
#define PATHTUNE_ADVISE_H

#include "model.h"

#define ADVISE_MEMORY_SHARE .25 /* of what network buffers may take */

/*
 * Facts of a machine that nobody probed: the profile's defaults for this release and RAM, of what
 * network buffers may take as well.  release
 * is required; arch NULL: the profile's first 64-bit rule holds; ram_bytes NAN: not known, defaults
 * as with plenty.
 */
bool advise_facts(struct arena *a, const struct profile *p, const char *release, const char *arch,
    double ram_bytes, struct facts *out, struct err *e);

/*
 * Fills run->advice, run->decision and run->hazards from run->facts and run->options (direction,
 * paths, connections).  Without paths in the options that of the facts is used (rtt_ms with the
 * larger of send_bps and receive_bps); without either it is ERR_USAGE naming the flags that are
 * missing.
 *
 * The window: the largest BDP of the paths.  The bound: connections * (the size to which the buffer
 * of the busier of their directions can grow: bulk fills one at a time) within ADVISE_MEMORY_SHARE
 * of what the kernel lets network buffers take (mbuf_bytes, tcp_mem_pages) or of RAM, whichever is
 * known and least; below it windows are cut to what fits, never below what runs, and the words say
 * what is lost.  A limit makes no room then for maxima that were set higher.
 *
 * What the facts do not hold of the knobs is taken from the defaults, with a note.  Facts without
 * privilege do not tell what root could set: then all is taken for settable, with a note.  Lines
 * are not marked verified.
 */
bool advise_make(struct arena *a, const struct profile *p, struct run *run, struct err *e);

#endif
