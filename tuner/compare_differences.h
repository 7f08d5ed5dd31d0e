/*
 * compare_differences: what two runs differ by beside what is compared.  Part of compare_runs().
 */
#ifndef PATHTUNE_COMPARE_DIFFERENCES_H
#define PATHTUNE_COMPARE_DIFFERENCES_H

#include "compare.h"

/* Peer, system and streams are the same, and it is not the same run; else ERR_USAGE. */
bool compare_may(const struct run *before, const struct run *after, struct err *e);

/* The rest, in words, into out->differences. */
void compare_differences(struct arena *a, const struct run *before, const struct run *after,
    struct comparison *out);

#endif
