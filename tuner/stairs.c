#include "stairs.h"

#include <math.h>

#define FIRST 1.3     /* of what TCP got: a path that is full is overloaded at once */
#define STEP 2.0
#define LEAST_BPS 2e6 /* the first step where nothing is known */
#define ARRIVES 0.85  /* of what was sent; less: the path is overloaded */
#define MORE 1.15     /* times what was seen before: the path carries more yet */
#define SENT 0.8      /* of what was asked for; less: the sender cannot send more */

void
stairs_init(struct stairs *s, double known_bps, double most_bps)
{
	*s = (struct stairs){ .most_bps = most_bps, .best_bps = isnan(known_bps) ? 0 : known_bps };
	s->next_bps = fmin(most_bps, fmax(LEAST_BPS, s->best_bps * FIRST));
}

bool
stairs_next(const struct stairs *s, double *rate_bps)
{
	*rate_bps = s->next_bps;
	return !s->over && s->next_bps <= s->most_bps;
}

void
stairs_tell(struct stairs *s, double asked_bps, double sent_bps, double got_bps, double loss,
    struct path_fact *out)
{
	bool slow = sent_bps < SENT * asked_bps, full = got_bps < ARRIVES * sent_bps;

	if (isnan(out->udp_bps) || got_bps > out->udp_bps)
		out->udp_bps = got_bps;
	if (isnan(out->udp_sent_bps) || sent_bps > out->udp_sent_bps) {
		out->udp_sent_bps = sent_bps;
		out->udp_loss = loss;
	}
	s->over = (full && s->full && got_bps < MORE * s->best_bps) || (slow && s->again);
	s->full = full;
	s->best_bps = fmax(s->best_bps, got_bps);
	s->next_bps = slow ? asked_bps : asked_bps * STEP;
	s->again = slow;
	/* The last step is the most that may be. */
	if (asked_bps < s->most_bps && s->next_bps > s->most_bps)
		s->next_bps = s->most_bps;
}

bool
stairs_top_seen(const struct path_fact *p)
{
	return p != NULL && p->udp_bps < ARRIVES * p->udp_sent_bps;
}
