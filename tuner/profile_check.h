/*
 * profile_check: what a field table cannot say about a profile.  Part of profile_parse().
 */
#ifndef PATHTUNE_PROFILE_CHECK_H
#define PATHTUNE_PROFILE_CHECK_H

#include "model.h"

/* root is the tree that p was read from: errors take their lines from there. */
bool profile_check(const char *file, const struct node *root, const struct profile *p,
    struct err *e);

#endif
