/*
 * diff: what changes in a text, as diff -u says it.
 */
#ifndef PATHTUNE_DIFF_H
#define PATHTUNE_DIFF_H

#include "base.h"

struct diff_text {
	const char *text; /* anything, not terminated; NULL: there is no such file */
	size_t len;
};

/*
 * From old to new, both called path; "" where they are the same.  What could command a terminal
 * comes out as '?'.  Parts that differ over thousands of lines are said as a whole.
 */
char *diff_unified(struct arena *a, const char *path, struct diff_text old, struct diff_text new);

#endif
