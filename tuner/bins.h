/*
 * bins: what a receiver's counts per 100 ms say: how fast, whether that is settled, and whether
 * enough has been seen.  Pure; times are given by the caller.
 */
#ifndef PATHTUNE_BINS_H
#define PATHTUNE_BINS_H

#include <stdbool.h>
#include <stddef.h>

#define BINS_S 0.1        /* width of one bin */
#define BINS_MAX 1200     /* two minutes (FLOW_SECONDS_MAX) */
#define BINS_GROUP 5      /* bins of half a second are judged: one of 100 ms is mostly burst */

struct bins {
	double bytes[BINS_MAX]; /* payload that arrived in bin i, i.e. within [i, i+1) * BINS_S */
	size_t used;            /* bins that something was added to, the last may be incomplete */
};

/* Count bytes that arrived t seconds after the first byte; beyond the last bin they are lost. */
void bins_add(struct bins *b, double t, double bytes);

/* Count bytes that arrived evenly between two times; those of a negative one are lost. */
void bins_spread(struct bins *b, double from, double to, double bytes);

/* Number of bins that were complete t seconds after the first byte. */
size_t bins_complete(double t);

/* Bins that a warm-up covers, rounded up; a bin that is touched by it is not counted. */
size_t bins_warmup(double warmup_s);

/* Bytes per second over bins first..end-1; NAN when there are none. */
double bins_rate(const struct bins *b, size_t first, size_t end);

/*
 * Tight: over the half seconds of first..end-1, 2.8 sd/sqrt(n) < 1.5 % of the mean, n >= 4
 * (shared search.md, section 2: seen often enough to stop).  A zero mean is never tight.
 */
bool bins_tight(const struct bins *b, size_t first, size_t end);

/*
 * Steady: no trend is left in the half seconds of first..end-1.  A trend is a least-squares line
 * that moves by more than 10 % of the mean from the first to the last half second and whose slope
 * is more than 2.5 of its standard errors.  Fewer than four half seconds show nothing: not steady.
 */
bool bins_steady(const struct bins *b, size_t first, size_t end);

#endif
