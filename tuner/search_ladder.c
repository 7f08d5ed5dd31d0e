#include "search_state.h"

#include <math.h>

#define LADDER_START (64. * 1024)
#define FIRST_STEP 1.2 /* a step less than this above the default would be hard to tell from it */

static void
ladder_add(struct search *s, double window)
{
	if (s->n_ladder < LADDER_MAX)
		s->ladder[s->n_ladder++] = window;
}

void
ladder_build(struct search *s)
{
	double start = s->config.window_bytes, most = s->config.window_max_bytes;

	ladder_add(s, start);
	if (s->config.window_next_bytes > FIRST_STEP * start &&
	    s->config.window_next_bytes <= most) {
		start = s->config.window_next_bytes;
		ladder_add(s, start);
	}
	for (double w = LADDER_START; w <= most; w *= 2) {
		if (w > FIRST_STEP * start)
			ladder_add(s, w);
		if (1.5 * w > FIRST_STEP * start && 1.5 * w <= most)
			ladder_add(s, 1.5 * w);
	}
	if (most > FIRST_STEP * s->ladder[s->n_ladder - 1])
		ladder_add(s, most);
}

double
ladder_ceil(const struct search *s, double window)
{
	for (size_t i = 0; i < s->n_ladder; i++)
		if (s->ladder[i] >= window)
			return s->ladder[i];
	return s->ladder[s->n_ladder - 1];
}

double
ladder_floor(const struct search *s, double window)
{
	double found = s->ladder[0];

	for (size_t i = 0; i < s->n_ladder && s->ladder[i] <= window; i++)
		found = s->ladder[i];
	return found;
}

double
ladder_below(const struct search *s, double window)
{
	double found = NAN;

	for (size_t i = 0; i < s->n_ladder && s->ladder[i] < window; i++)
		found = s->ladder[i];
	return found;
}

double
ladder_above(const struct search *s, double window)
{
	for (size_t i = 0; i < s->n_ladder; i++)
		if (s->ladder[i] > window)
			return s->ladder[i];
	return NAN;
}
