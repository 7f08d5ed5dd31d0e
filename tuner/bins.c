#include "bins.h"

#include <math.h>

#define TIGHT_WIDTH 2.8
#define TIGHT_SHARE 0.015
#define TREND_SHARE 0.10
#define TREND_ERRORS 2.5
#define GROUPS_MIN 4

/* Times come from a clock in nanoseconds: this much is never a real difference. */
#define TIME_SLACK 1e-9

void
bins_add(struct bins *b, double t, double bytes)
{
	size_t i;

	if (t < 0 || t >= BINS_MAX * BINS_S)
		return;
	i = bins_complete(t);
	if (i >= BINS_MAX)
		return;
	while (b->used <= i)
		b->bytes[b->used++] = 0;
	b->bytes[i] += bytes;
}

void
bins_spread(struct bins *b, double from, double to, double bytes)
{
	double each = bytes / (to - from), end;

	if (!(to > from)) {
		bins_add(b, from, bytes);
		return;
	}
	for (; from < to && from < BINS_MAX * BINS_S; from = end) {
		end = fmin(to, (double)(bins_complete(from) + 1) * BINS_S);
		bins_add(b, from, each * (end - from));
	}
}

size_t
bins_complete(double t)
{
	return !(t > 0) ? 0 : (size_t)floor(t / BINS_S + TIME_SLACK);
}

size_t
bins_warmup(double warmup_s)
{
	return warmup_s <= 0 ? 0 : (size_t)ceil(warmup_s / BINS_S - TIME_SLACK);
}

static double
bin(const struct bins *b, size_t i)
{
	return i < b->used ? b->bytes[i] : 0; /* nothing came, so nothing was added */
}

static double
sum(const struct bins *b, size_t first, size_t end)
{
	double total = 0;

	for (size_t i = first; i < end; i++)
		total += bin(b, i);
	return total;
}

double
bins_rate(const struct bins *b, size_t first, size_t end)
{
	if (end <= first)
		return NAN;
	return sum(b, first, end) / ((double)(end - first) * BINS_S);
}

static size_t
groups(size_t first, size_t end)
{
	return end > first ? (end - first) / BINS_GROUP : 0;
}

static double
group(const struct bins *b, size_t first, size_t k)
{
	return sum(b, first + k * BINS_GROUP, first + (k + 1) * BINS_GROUP);
}

static double
group_mean(const struct bins *b, size_t first, size_t n)
{
	return sum(b, first, first + n * BINS_GROUP) / (double)n;
}

bool
bins_tight(const struct bins *b, size_t first, size_t end)
{
	size_t n = groups(first, end);
	double mean, squares = 0;

	if (n < GROUPS_MIN)
		return false;
	mean = group_mean(b, first, n);
	for (size_t k = 0; k < n; k++)
		squares += pow(group(b, first, k) - mean, 2);
	return mean > 0 &&
	    TIGHT_WIDTH * sqrt(squares / (double)(n - 1) / (double)n) < TIGHT_SHARE * mean;
}

/* Least squares of the groups over their number: slope and its standard error. */
static void
line(const struct bins *b, size_t first, size_t n, double mean, double *slope, double *error)
{
	double middle = ((double)n - 1) / 2, xx = 0, xy = 0, yy = 0;

	for (size_t k = 0; k < n; k++) {
		double x = (double)k - middle, y = group(b, first, k) - mean;

		xx += x * x;
		xy += x * y;
		yy += y * y;
	}
	*slope = xy / xx;
	*error = sqrt(fmax(0, yy - xy * xy / xx) / (double)(n - 2) / xx);
}

bool
bins_steady(const struct bins *b, size_t first, size_t end)
{
	size_t n = groups(first, end);
	double mean, slope, error;

	if (n < GROUPS_MIN)
		return false;
	mean = group_mean(b, first, n);
	if (mean <= 0)
		return false;
	line(b, first, n, mean, &slope, &error);
	return fabs(slope) * (double)(n - 1) <= TREND_SHARE * mean ||
	    fabs(slope) <= TREND_ERRORS * error;
}
