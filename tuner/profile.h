/*
 * profile: find, load and check a profile.  Profiles are embedded in the binary at build time; a
 * file named by --profile replaces the embedded one and goes through the same loader.
 */
#ifndef PATHTUNE_PROFILE_H
#define PATHTUNE_PROFILE_H

#include "model.h"

/* Text of a profile; file is what errors call it. */
bool profile_parse(struct arena *a, const char *file, const char *text, size_t len,
    struct profile **out, struct err *e);

/* The embedded profile whose sysname is the given one ("Linux"). */
bool profile_for(struct arena *a, const char *sysname, struct profile **out, struct err *e);

/* The knob with this role, or NULL. */
const struct knob *profile_knob(const struct profile *p, enum knob_role role);

/* "6.18.44-fc" against "6.6": <0, 0, >0 by numbers between dots, up to the first other character. */
int profile_release_cmp(const char *a, const char *b);

#endif
