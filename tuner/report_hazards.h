/*
 * report_hazards: known harm in words, at most 100 columns wide.
 */
#ifndef PATHTUNE_REPORT_HAZARDS_H
#define PATHTUNE_REPORT_HAZARDS_H

#include "model.h"

/* "" where there is none; else a paragraph each, the id first. */
char *report_hazards(struct arena *a, const struct hazard *h, size_t n);

#endif
