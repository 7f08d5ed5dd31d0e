/*
 * lab_limit: transfers in labs of ours that are held back by something that we impose, and what the
 * limiter says of them.  Whoever links this wraps send, recv and accept (-Wl,--wrap): an application
 * that reads or writes slowly is the program itself with the first two slowed down.
 */
#ifndef PATHTUNE_BENCH_LAB_LIMIT_H
#define PATHTUNE_BENCH_LAB_LIMIT_H

#include "tuner/model.h"

enum limit_end { END_A, END_B }; /* a: the tuned host; b: the peer */

enum limit_cpu { CPU_FREE, CPU_GROUP, CPU_RIVAL }; /* a share of a control group; a busy process */

struct limit_case {
	const char *name;
	enum limiter expected;
	double rate_bps, rtt_ms;
	double queue_bdp;
	double loss, police_bps;
	enum direction direction; /* as a sees it; DIR_NONE: it sends */
	const char *cc;           /* of a when it sends; NULL: cubic */
	double send_max[2], receive_max[2]; /* third fields of tcp_wmem, tcp_rmem by end; 0: wide open */
	double slow_bps[2];       /* the application of that end; 0: as fast as it can */
	double gulp_bytes;        /* it moves so much at a time; 0: 16 KiB */
	enum limit_cpu cpu[2];
	double share[2];          /* CPU_GROUP: of a core */
	bool quick;               /* clear-cut: for every day */
};

extern const struct limit_case limit_cases[];
extern const size_t n_limit_cases;

struct limit_seen {
	bool skipped;         /* this machine cannot impose it: why */
	const char *why;
	struct limit limit;
	struct trial trial;
	struct path_fact path;
	bool probed;          /* path was measured */
	double window_bytes;
};

/* In a lab of its own, which is gone when this returns. */
bool limit_case_run(struct arena *a, const struct limit_case *c, struct limit_seen *out,
    struct err *e);

#endif
