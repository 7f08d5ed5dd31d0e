#include "stats.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define EXACT_MAX 128 /* largest n with the exact signed-rank distribution */

/* Insertion sort: samples are small and often nearly in order. */
static void
sort_into(double *sorted, const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t j = i;

		for (; j > 0 && sorted[j - 1] > v[i]; j--)
			sorted[j] = sorted[j - 1];
		sorted[j] = v[i];
	}
}

static double
quantile_of_sorted(const double *sorted, size_t n, double q)
{
	double place = q * (double)(n - 1);
	size_t below = (size_t)place;

	if (below + 1 >= n)
		return sorted[n - 1];
	return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

static double
median_of_sorted(const double *sorted, size_t n)
{
	return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double
stats_mean(const double *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i];
	return n == 0 ? NAN : sum / (double)n;
}

double
stats_median(const double *v, size_t n)
{
	double sorted[STATS_MAX];

	if (n == 0 || n > STATS_MAX)
		return NAN;
	sort_into(sorted, v, n);
	return median_of_sorted(sorted, n);
}

double
stats_quantile(const double *v, size_t n, double q)
{
	double sorted[STATS_MAX];

	if (n == 0 || n > STATS_MAX || !(q >= 0) || q > 1)
		return NAN;
	sort_into(sorted, v, n);
	return quantile_of_sorted(sorted, n, q);
}

double
stats_variance(const double *v, size_t n)
{
	double mean = stats_mean(v, n), sum = 0;

	if (n < 2)
		return 0;
	for (size_t i = 0; i < n; i++)
		sum += (v[i] - mean) * (v[i] - mean);
	return sum / (double)(n - 1);
}

double
stats_mad_sd(const double *v, size_t n)
{
	double median = stats_median(v, n), away[STATS_MAX];

	if (n == 0 || n > STATS_MAX)
		return NAN;
	for (size_t i = 0; i < n; i++)
		away[i] = fabs(v[i] - median);
	return 1.4826 * stats_median(away, n);
}

double
stats_winsorised_variance(const double *v, size_t n)
{
	double sorted[STATS_MAX];
	size_t moved = n / 8;

	if (n < 2 || n > STATS_MAX)
		return 0;
	sort_into(sorted, v, n);
	for (size_t i = 0; i < moved; i++) {
		sorted[i] = sorted[moved];
		sorted[n - 1 - i] = sorted[n - 1 - moved];
	}
	return stats_variance(sorted, n);
}

/*
 * The pairwise means of a sorted sample form a matrix with ascending rows: row i holds the means of
 * i with i, i+1, .. n-1.  The k-th smallest (from 0) is found by choosing a pivot among those still
 * possible, counting what is below it in each row, and keeping one side: O(n log n), no n^2 memory.
 */
struct walsh {
	const double *sorted;
	size_t n;
	size_t from[STATS_MAX], to[STATS_MAX]; /* columns still possible in each row */
	uint32_t seed; /* chooses pivots; the result does not depend on it */
};

static double
walsh_mean(const struct walsh *w, size_t i, size_t j)
{
	return (w->sorted[i] + w->sorted[j]) / 2;
}

static double
walsh_pivot(struct walsh *w, size_t left)
{
	size_t nth, i;

	w->seed = w->seed * 1664525 + 1013904223;
	nth = (size_t)(((uint64_t)w->seed * left) >> 32);
	for (i = 0; nth >= w->to[i] - w->from[i]; i++)
		nth -= w->to[i] - w->from[i];
	return walsh_mean(w, i, w->from[i] + nth);
}

/* End of the columns of each row with means below (or, with equal, not above) the pivot. */
static size_t
walsh_count(const struct walsh *w, double pivot, bool equal, size_t *ends)
{
	size_t total = 0, j = w->n;

	for (size_t i = 0; i < w->n; i++) {
		while (j > i &&
		    (equal ? walsh_mean(w, i, j - 1) > pivot : walsh_mean(w, i, j - 1) >= pivot))
			j--;
		ends[i] = j > i ? j : i;
		total += ends[i] - i;
	}
	return total;
}

static double
walsh_select(const double *sorted, size_t n, size_t k)
{
	struct walsh w = {.sorted = sorted, .n = n, .seed = 1};
	size_t left = n * (n + 1) / 2, ends[STATS_MAX];

	for (size_t i = 0; i < n; i++) {
		w.from[i] = i;
		w.to[i] = n;
	}
	for (;;) {
		double pivot = walsh_pivot(&w, left);

		if (walsh_count(&w, pivot, false, ends) > k) {
			memcpy(w.to, ends, n * sizeof(*ends));
		} else if (walsh_count(&w, pivot, true, ends) > k) {
			return pivot;
		} else {
			memcpy(w.from, ends, n * sizeof(*ends));
		}
		left = 0;
		for (size_t i = 0; i < n; i++) {
			if (w.to[i] < w.from[i])
				w.to[i] = w.from[i];
			left += w.to[i] - w.from[i];
		}
	}
}

static double
hl_of_sorted(const double *sorted, size_t n)
{
	size_t means = n * (n + 1) / 2;
	double upper = walsh_select(sorted, n, means / 2);

	return means % 2 == 1 ? upper : (walsh_select(sorted, n, means / 2 - 1) + upper) / 2;
}

double
stats_hodges_lehmann(const double *v, size_t n)
{
	double sorted[STATS_MAX];

	if (n == 0 || n > STATS_MAX)
		return NAN;
	sort_into(sorted, v, n);
	return hl_of_sorted(sorted, n);
}

/* Largest k with P(rank sum <= k) <= tail, and that probability; false when there is none. */
static bool
exact_tail(size_t n, double tail, size_t *k, double *probability)
{
	double p[EXACT_MAX * (EXACT_MAX + 1) / 4 + 1] = {1};
	size_t top = n * (n + 1) / 4;
	double sum = 0;

	for (size_t rank = 1; rank <= n; rank++)
		for (size_t s = top + 1; s-- > 0;)
			p[s] = (p[s] + (s >= rank ? p[s - rank] : 0)) / 2;
	for (size_t s = 0; s <= top && sum + p[s] <= tail; s++) {
		sum += p[s];
		*k = s;
	}
	*probability = sum;
	return sum > 0;
}

/* By bisection: called once a run. */
double
stats_normal_quantile(double tail)
{
	double low = 0, high = 40;

	for (int i = 0; i < 60; i++) {
		double z = (low + high) / 2;

		if (erfc(z / sqrt(2)) / 2 > tail)
			low = z;
		else
			high = z;
	}
	return (low + high) / 2;
}

static bool
normal_tail(size_t n, double tail, size_t *k, double *probability)
{
	double m = (double)n, sd = sqrt(m * (m + 1) * (2 * m + 1) / 24);
	double place = m * (m + 1) / 4 - stats_normal_quantile(tail) * sd - .5;

	if (place < 0)
		return false;
	*k = (size_t)place;
	*probability = tail;
	return true;
}

struct interval
stats_signed_rank(const double *v, size_t n, double confidence)
{
	struct interval r = {NAN, NAN, NAN, NAN};
	double sorted[STATS_MAX], tail = (1 - confidence) / 2, p;
	size_t k = 0;

	if (n == 0 || n > STATS_MAX)
		return r;
	sort_into(sorted, v, n);
	r.estimate = hl_of_sorted(sorted, n);
	if (!(n <= EXACT_MAX ? exact_tail(n, tail, &k, &p) : normal_tail(n, tail, &k, &p)))
		p = ldexp(1, -(int)n); /* only the whole range is left */
	r.low = walsh_select(sorted, n, k);
	r.high = walsh_select(sorted, n, n * (n + 1) / 2 - 1 - k);
	r.confidence = 1 - 2 * p;
	return r;
}

void
stats_bets_start(struct bets *b)
{
	b->careful = b->bold = b->e = b->max_e = 1;
	b->n = 0;
}

static double
bet_factor(double d, double r, double slope)
{
	return d == 0 ? 1 : 1 + copysign(fmin(tanh(slope * r), .97), d);
}

void
stats_bet(struct bets *b, double d)
{
	double size = fabs(d), median, r;
	size_t i = b->n;

	if (b->n == STATS_MAX)
		return;
	for (; i > 0 && b->sizes[i - 1] > size; i--)
		b->sizes[i] = b->sizes[i - 1];
	b->sizes[i] = size;
	b->n++;
	median = median_of_sorted(b->sizes, b->n);
	r = median > 0 ? size / median : 0; /* no scale yet: no bet */
	b->careful *= bet_factor(d, r, .45);
	b->bold *= bet_factor(d, r, 1.8);
	b->e = .7 * b->careful + .3 * b->bold;
	b->max_e = fmax(b->max_e, b->e);
}

double
stats_e_process(const double *d, size_t n, double *max_e)
{
	struct bets b;

	stats_bets_start(&b);
	for (size_t i = 0; i < n; i++)
		stats_bet(&b, d[i]);
	*max_e = b.max_e;
	return b.e;
}
