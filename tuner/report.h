/*
 * report: a run -> words for a person, one screen.
 */
#ifndef PATHTUNE_REPORT_H
#define PATHTUNE_REPORT_H

#include "model.h"

/* The verdict, before and after, what limited it, the fragment.  color: ANSI bold may be used. */
char *report_run(struct arena *a, const struct run *run, bool color);

#endif
