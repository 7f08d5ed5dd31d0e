/*
 * report_compare: one run beside another, and a run of measure alone, on one screen.
 */
#ifndef PATHTUNE_REPORT_COMPARE_H
#define PATHTUNE_REPORT_COMPARE_H

#include "compare.h"

char *report_compare(struct arena *a, const struct comparison *c, bool color);

/* What measure found, per direction. */
char *report_measure(struct arena *a, const struct run *run, bool color);

#endif
