/*
 * match: PCRE2 with limits, for the patterns of profiles.
 */
#ifndef PATHTUNE_MATCH_H
#define PATHTUNE_MATCH_H

#include "base.h"

/* A pattern compiles, and has exactly one group. */
bool match_check(const char *pattern, struct err *e);

/*
 * The text of the one group at the first match, or NULL when nothing matches or a limit was hit.
 * Multi-line mode: ^ and $ are those of lines.
 */
char *match_first(struct arena *a, const char *pattern, const char *text, size_t len);

/*
 * The groups of all matches, one behind the other, appended to the list; at most so many, and none
 * behind a place where a limit was hit.
 */
void match_all(struct arena *a, const char *pattern, const char *text, size_t len, size_t most,
    const char ***found, size_t *n);

#endif
