/*
 * pipeline_seed: the random bits of a run's searches.  All of them follow from one seed, which the
 * run file holds: a run that goes on tosses the same coins again.
 */
#ifndef PATHTUNE_PIPELINE_SEED_H
#define PATHTUNE_PIPELINE_SEED_H

#include "model.h"

#define SEED_BYTES 32

/* 64 hexadecimal digits from the system's source. */
const char *seed_new(struct arena *a);

/* One stream of bits for each direction. */
struct seed_stream {
	unsigned char seed[SEED_BYTES];
	uint64_t drawn;
};

/* False when the text is not 64 hexadecimal digits. */
bool seed_open(struct seed_stream *s, const char *text, enum direction d);

/* The next 64 bits; arg is a struct seed_stream. */
unsigned long long seed_next(void *arg);

#endif
