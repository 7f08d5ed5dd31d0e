/*
 * stairs: which rate a UDP probe sends next, until the path carries no more: from a little above
 * what TCP got, doubled, so that the path is overloaded twice and for less than a second each.  Two
 * steps must arrive in part only, the second with no more than was seen before: a short queue
 * drops from the unevenness of a sender long before the path is full, and so does any path from a
 * pause of the machine.
 */
#ifndef PATHTUNE_STAIRS_H
#define PATHTUNE_STAIRS_H

#include "model.h"

#define STAIRS_S 1.0 /* of one step */
#define STAIRS_BURST 16.0
#define STAIRS_BURST_BPS 2.56e6 /* 16 datagrams of 1200 bytes every 60 ms */

struct stairs {
	double next_bps, most_bps;
	double best_bps; /* that arrived, by TCP or any step */
	bool full;       /* the step before arrived in part only */
	bool over;       /* the path was overloaded, or the sender could not send more */
	bool again;      /* the last step was sent too slowly once: it may have been chance */
};

/* known_bps: what TCP got, NAN: nothing is known.  most_bps: no step is above. */
void stairs_init(struct stairs *s, double known_bps, double most_bps);

/* False: no more steps. */
bool stairs_next(const struct stairs *s, double *rate_bps);

/* What came of a step; out keeps the most that arrived and the highest rate. */
void stairs_tell(struct stairs *s, double asked_bps, double sent_bps, double got_bps, double loss,
    struct path_fact *out);

/* Was more sent than arrived, so that udp_bps is what the path carries? */
bool stairs_top_seen(const struct path_fact *p);

#endif
