/*
 * lab_loss: which segments the wire loses.  A pure function of seed, direction and the segment's
 * number (and for Gilbert-Elliott of the chain so far, which is itself one), so timing and batching
 * cannot change a fate.
 */
#ifndef PATHTUNE_LAB_LOSS_H
#define PATHTUNE_LAB_LOSS_H

#include "lab.h"

struct loss {
	enum loss_model model;
	double p_bad, p_good;    /* Gilbert-Elliott transitions, before each segment */
	double share[2];         /* loss in the good and in the bad state */
	uint64_t key;
	uint64_t n;              /* segments asked about so far */
	bool bad;                /* the chain starts good */
};

/* A key for one stream of random numbers; streams of different kinds are independent. */
uint64_t loss_key(uint64_t seed, unsigned stream);

/* The n-th number of that stream, uniform in [0, 1). */
double loss_uniform(uint64_t key, uint64_t n);

/* direction: 0 a to b, 1 b to a. */
void loss_init(struct loss *l, const struct lab_link *link, uint64_t seed, unsigned direction);

/* The next segment's fate: is it lost? */
bool loss_next(struct loss *l);

/* Long-term share of lost segments. */
double loss_expected(const struct lab_link *link);

#endif
