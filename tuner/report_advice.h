/*
 * report_advice: advice in words for a person, one screen.
 */
#ifndef PATHTUNE_REPORT_ADVICE_H
#define PATHTUNE_REPORT_ADVICE_H

#include "model.h"

/* Paths, each direction now and after, memory, hazards, notes, fragment.  color: ANSI bold. */
char *report_advice(struct arena *a, const struct run *run, bool color);

#endif
