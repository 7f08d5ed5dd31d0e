/*
 * pipeline_sample: transfers with the settings as they are; sets nothing.
 */
#ifndef PATHTUNE_PIPELINE_SAMPLE_H
#define PATHTUNE_PIPELINE_SAMPLE_H

#include "pipeline.h"

struct sampling {
	double transfers; /* each direction, each round */
	double rounds;
	double every_s;   /* from the start of one round to that of the next, or later */
};

/*
 * Rounds of transfers, the directions taking turns; a trial's block is its round, its asked_s when
 * it was begun.  What was measured stays in the run also where this returns false.  One transfer
 * that fails is a trial that says so; three in a row end it as an error.
 */
bool pipeline_sample(struct pipeline *p, const struct sampling *s, struct err *e);

/* Seconds that it takes at most, and bytes at the speed of the link; NAN: not known. */
double pipeline_sample_s(const struct run *run, const struct sampling *s);

#endif
