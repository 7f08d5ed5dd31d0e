/* Arms of the race that send too much again to pass the guard. */
#include "search_state.h"

#include <math.h>

#define MARGIN 0.9 /* of the guard's allowance: such an arm would not pass it */

/* Of two the smaller: the first trial may have held STARTUP's losses, see drops_learn(). */
static double
usual_retransmits(const struct search *s, const struct arm *a)
{
	double least = INFINITY;

	if (a->n > 2)
		return samples_median_retransmits(a->at, s->race.blocks);
	for (size_t i = 0; i < s->race.blocks; i++)
		if (a->at[i].retransmits < least && !isnan(a->at[i].y))
			least = a->at[i].retransmits;
	return isinf(least) ? NAN : least;
}

static bool
too_many_retransmits(const struct search *s, const struct arm *a)
{
	const struct arm *def = &s->race.arms[0];
	double more = usual_retransmits(s, a) -
	    samples_median_retransmits(def->at, s->race.blocks);

	return a->n >= 2 && more > MARGIN * guard_retransmit_allowance(arm_gain(s, a));
}

/*
 * A window that does not overfill the path.  bbr keeps the room that it starts with, short of which
 * it sends still more again, unless that is what it had.
 */
static double
modest_window(struct search *s, const struct arm *a)
{
	double bdp = exp(samples_median_y(a->at, s->race.blocks)) * s->rtt0_s / 8;
	double starts = ladder_ceil(s, KAPPA_BBR_STARTS * bdp);

	if (!loss_based(s->cc[a->cc]) && starts < a->window)
		return starts;
	return ladder_floor(s, 1.02 * bdp);
}

/* Once with a smaller window; after that it is out. */
static void
cut_window(struct search *s, struct arm *a)
{
	double window = modest_window(s, a);

	if (a->replaced || window >= a->window ||
	    (a->cc == 0 && window <= s->config.window_bytes &&
	    extras_at(s, a->extras, window) == 0)) {
		s->race.refused_retransmits |= arm_gain(s, a) > WORTH;
		a->live = false;
		return;
	}
	a->replaced = true;
	a->window = window;
	a->extras = extras_at(s, a->extras, window);
	arm_forget(a);
}

void
drops_screen(struct search *s, struct arm *a)
{
	if (too_many_retransmits(s, a))
		cut_window(s, a);
}

/*
 * What sends so much again may still have been starting: on 200 Mbit/s, 150 ms bbr did 7 to 9 %
 * after 2.4 s of warm-up and .03 % a second later.
 */
void
drops_learn(struct search *s)
{
	for (size_t i = 0; i < s->block.n; i++)
		if (s->block.slots[i].who != 0 &&
		    s->block.got[i].retransmits > guard_retransmit_allowance(0))
			s->sends_again = true;
}
