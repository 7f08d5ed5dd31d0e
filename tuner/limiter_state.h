/*
 * limiter_state: what limiter.c (the ends and their windows) and limiter_path.c (the path) share.
 */
#ifndef PATHTUNE_LIMITER_STATE_H
#define PATHTUNE_LIMITER_STATE_H

#include "limiter.h"

#define LOSS_SHARE 1e-5 /* fewer segments sent again than this have no say */
#define QUEUE_RISE 1.15 /* RTT under load over idle RTT that shows a standing queue */
#define FREE_SHARE 0.8  /* of cwnd and of the window offered: neither is full */
#define NIC_SHARE 4.0   /* so many times as much by UDP */

/* Of the trials in question. */
struct medians {
	double rwnd, sndbuf, retransmits, goodput, idle_ms, loaded_ms, rate;
	double cpu, wait, system, peer_cpu, peer_wait, peer_system;
	double idle_writes, unread, unsent, offered, cwnd;
	double growth;   /* last third over first third of what was counted */
	double inflight; /* of one connection */
	double streams;
	size_t n;
};

/* What is asked about, in one place. */
struct question {
	struct arena *arena;
	const struct path_fact *path;
	enum direction direction;
	const struct setting *setting;
	struct medians m;
	double best_bps; /* the most that any setting of the run got */
};

bool limiter_queue(const struct medians *m); /* one stands */
bool limiter_loses(const struct medians *m);

/* With the ends and their windows out of the question. */
struct limit limiter_path(const struct question *q);

/* The same where the sending end tells no TCP_INFO: by what other traffic gets. */
struct limit limiter_blind(const struct question *q);

#endif
