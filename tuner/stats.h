/*
 * stats: estimators, intervals and the sequential test of the search.  Nothing but math.
 *
 * All take n values without NAN, n at most STATS_MAX, and leave them in place.
 */
#ifndef PATHTUNE_STATS_H
#define PATHTUNE_STATS_H

#include <stdbool.h>
#include <stddef.h>

#define STATS_MAX 512 /* no sample of a search is larger */

double stats_mean(const double *v, size_t n);              /* NAN when n is 0 */
double stats_median(const double *v, size_t n);            /* NAN when n is 0 */
double stats_quantile(const double *v, size_t n, double q); /* linear between order statistics */
double stats_variance(const double *v, size_t n);          /* n - 1 below; 0 when n < 2 */
double stats_mad_sd(const double *v, size_t n);            /* 1.4826 * median |v - median| */

/*
 * Variance after the outermost eighth of either side (rounded down) was moved in to its neighbour:
 * one outage in a dozen blocks must not decide how sure we are.
 */
double stats_winsorised_variance(const double *v, size_t n);

/* Hodges-Lehmann: the median of all pairwise means, each value with itself included. */
double stats_hodges_lehmann(const double *v, size_t n);

struct interval {
	double estimate, low, high;
	double confidence; /* what the signed-rank distribution gives: at least as asked, or the
	                    * largest possible for so small an n */
};

/*
 * Hodges-Lehmann with the signed-rank interval.  The distribution is exact up to n = 128, its
 * normal approximation beyond; ties and zeros are left to the order of the pairwise means, which
 * can only widen the interval.
 */
struct interval stats_signed_rank(const double *v, size_t n, double confidence);

#define STATS_SHIFT_MAX 100

/*
 * Two samples that were not paired: by how much the second lies above the first, the median of all
 * differences, with the interval of the rank-sum test (Mann and Whitney), which is exact up to
 * STATS_SHIFT_EXACT values a side and by the normal approximation beyond.  At most STATS_SHIFT_MAX
 * values a side.
 */
#define STATS_SHIFT_EXACT 20
struct interval stats_shift(const double *first, size_t n, const double *second, size_t m,
    double confidence);

/*
 * The betting e-process for paired differences whose sign is a fair coin under "no effect":
 *   E_n = .7 prod(1 + sgn(d) tanh(.45 r)) + .3 prod(1 + sgn(d) tanh(1.8 r)),
 * r = |d| / median of all |d| so far (0 while that is 0), each tanh capped at .97.  Every factor
 * has mean 1 whatever the
 * sizes are, so P(E ever reaches c) <= 1/c (Ville), however often and whenever one looks.
 */
struct bets {
	double careful, bold; /* the two products */
	double e;             /* now */
	double max_e;         /* largest so far, the 1 before the first difference included */
	size_t n;
	double sizes[STATS_MAX]; /* |d|, ascending */
};

/* z of P(Z < -z) = tail, at most one half. */
double stats_normal_quantile(double tail);

void stats_bets_start(struct bets *b);
void stats_bet(struct bets *b, double d); /* beyond STATS_MAX nothing happens any more */

/* The same over an array: E after the n-th difference; *max_e as in struct bets. */
double stats_e_process(const double *d, size_t n, double *max_e);

#endif
