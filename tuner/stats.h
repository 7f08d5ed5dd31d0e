/*
 * stats: estimators, intervals and the sequential test of the search.  Nothing but math.
 *
 * All take n values without NAN and leave them in place unless said otherwise.
 */
#ifndef PATHTUNE_STATS_H
#define PATHTUNE_STATS_H

#include <stdbool.h>
#include <stddef.h>

#define STATS_MAX 512 /* no sample of a search is larger */

double stats_median(const double *v, size_t n);            /* NAN when n is 0 */
double stats_quantile(const double *v, size_t n, double q); /* linear between order statistics */
double stats_hodges_lehmann(const double *v, size_t n);    /* median of all pairwise means */

struct interval {
	double estimate, low, high;
	double confidence; /* what the exact signed-rank distribution gives, at least as asked, or
	                    * the largest possible for so small an n */
};

/* Hodges-Lehmann with the exact signed-rank interval. */
struct interval stats_signed_rank(const double *v, size_t n, double confidence);

/*
 * The betting e-process for paired differences whose sign is a fair coin under "no effect":
 * returns E after the n-th difference; *max_e the largest E seen at any prefix of length >= 1.
 */
double stats_e_process(const double *d, size_t n, double *max_e);

#endif
