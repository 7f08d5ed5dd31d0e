/*
 * flow: one measured TCP transfer of one or more streams, seen from one end.
 *
 * The receiver counts payload per 100 ms on its own clock from the first byte on, decides when the
 * transfer is over (steady and tight, time, bytes) and says so; the sender sends until told to
 * stop.  SO_SNDBUF and SO_RCVBUF are never set: that would switch autotuning off and measure
 * something that the knobs do not govern.
 */
#ifndef PATHTUNE_FLOW_H
#define PATHTUNE_FLOW_H

#include "../tuner/model.h"

#define FLOW_INTERVAL_S 0.1
#define FLOW_STREAMS_MAX 64
#define FLOW_SECONDS_MAX 120.0 /* hard cap on one trial, warm-up included */

struct flow_spec {
	enum direction direction; /* DIR_SEND: this end sends */
	unsigned streams;
	double warmup_s;          /* not counted */
	double duration_s;        /* counted, at most */
	double early_s;           /* may end after this much when tight; 0: never early */
	double max_bytes;         /* of payload, warm-up included */
	const char *cc;           /* for our sockets when we send; NULL: leave the default */
};

/*
 * What both ends together know, as a trial: the measured members are set (goodput_bps ..
 * intervals_bps, status, why), the rest is the caller's.
 */
struct progress {
	/* Called about ten times a second while a transfer runs; may be NULL. */
	void (*tick)(void *arg, double seconds, double now_bps);
	void *arg;
};

#endif
