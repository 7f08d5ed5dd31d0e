/* stats_shift: two samples that were not paired. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int
by_size(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/*
 * Largest k with P(U <= k) <= tail under "no difference", and that probability; false: there is
 * none.  The number of ways to get each U are the coefficients of a Gaussian binomial.
 */
static bool
exact_tail(size_t n, size_t m, double tail, size_t *k, double *probability)
{
	double ways[STATS_SHIFT_EXACT * STATS_SHIFT_EXACT + 1] = { 1 }, all = 1, sum = 0;
	size_t top = n * m;

	for (size_t i = 1; i <= m; i++) {
		for (size_t u = top; u >= n + i && u <= top; u--)
			ways[u] -= ways[u - n - i];
		for (size_t u = i; u <= top; u++)
			ways[u] += ways[u - i];
		all *= (double)(n + i) / (double)i;
	}
	*probability = 0;
	for (size_t u = 0; u <= top / 2; u++) {
		sum += ways[u] / all;
		if (sum > tail)
			break;
		*k = u;
		*probability = sum;
	}
	return *probability > 0;
}

static bool
normal_tail(size_t n, size_t m, double tail, size_t *k, double *probability)
{
	double a = (double)n, b = (double)m, sd = sqrt(a * b * (a + b + 1) / 12);
	double place = a * b / 2 - stats_normal_quantile(tail) * sd - .5;

	if (place < 0)
		return false;
	*k = (size_t)place;
	*probability = tail;
	return true;
}

static double
binomial(size_t n, size_t m)
{
	double all = 1;

	for (size_t i = 1; i <= m; i++)
		all *= (double)(n + i) / (double)i;
	return all;
}

struct interval
stats_shift(const double *first, size_t n, const double *second, size_t m, double confidence)
{
	struct interval r = { NAN, NAN, NAN, NAN };
	double d[STATS_SHIFT_MAX * STATS_SHIFT_MAX], tail = (1 - confidence) / 2, p = 0;
	size_t k = 0, all = n * m;
	bool exact = n <= STATS_SHIFT_EXACT && m <= STATS_SHIFT_EXACT;

	if (n == 0 || m == 0 || n > STATS_SHIFT_MAX || m > STATS_SHIFT_MAX)
		return r;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++)
			d[i * m + j] = second[j] - first[i];
	qsort(d, all, sizeof(*d), by_size);
	r.estimate = all % 2 == 1 ? d[all / 2] : (d[all / 2 - 1] + d[all / 2]) / 2;
	if (!(exact ? exact_tail(n, m, tail, &k, &p) : normal_tail(n, m, tail, &k, &p))) {
		k = 0; /* only the whole range is left */
		p = 1 / binomial(n, m);
	}
	r.low = d[k];
	r.high = d[all - 1 - k];
	r.confidence = 1 - 2 * p;
	return r;
}
