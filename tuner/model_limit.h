/*
 * model_limit: the nouns of what limits a transfer: what else a path was seen to carry, the causes,
 * and what is said.  For model.h.
 */
#ifndef PATHTUNE_MODEL_LIMIT_H
#define PATHTUNE_MODEL_LIMIT_H

#include "model_profile.h"

/*
 * One direction of the path to the peer, by other means than one TCP connection.  All rates are of
 * payload, as they arrived.
 */
struct path_fact {
	enum direction direction;
	double udp_bps;       /* the most that arrived, at any rate; what the path carries if
	                         udp_sent_bps is clearly above, else at least so much */
	double udp_loss;      /* fraction that did not arrive at the highest rate that was sent */
	double udp_sent_bps;  /* that rate */
	double udp_burst_bps; /* of short bursts after a pause: above udp_bps behind a policer */
	double udp_bytes;     /* what the probe sent */
	double streams;       /* TCP connections at a time */
	double streams_bps;   /* goodput of all of them together */
	double one_bps;       /* goodput of one of the same kind, beside them */
};

enum limiter {
	LIMIT_UNKNOWN,
	LIMIT_RWND,     /* the receiver's window                              */
	LIMIT_SNDBUF,   /* the sender's buffer                                */
	LIMIT_CWND,     /* losses held the cwnd down                          */
	LIMIT_PATH,     /* the path itself carries no more                    */
	LIMIT_POLICER,  /* a policer drops what is above its rate             */
	LIMIT_CPU,      /* the CPU of this host                               */
	LIMIT_PEER_CPU, /* the CPU of the peer                                */
	LIMIT_WRITER,   /* the sending application writes slowly              */
	LIMIT_READER,   /* the receiving application reads slowly             */
	LIMIT_GROWTH,   /* buffers still grew when the transfer was over      */
	LIMIT_NIC,      /* driver or NIC: the path carries more, nothing else */
};
extern const char *const limiter_names[];

struct limit {
	enum limiter limiter;
	const char *evidence; /* one sentence with the number that shows it */
};

/* What held the short transfers of a probe back. */
struct path_limit {
	enum direction direction;
	enum limiter limiter;
	const char *evidence;
};

#endif
