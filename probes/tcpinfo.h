/*
 * tcpinfo: what the kernel tells about a connection that we send on, and what a trial makes of it.
 *
 * Numbers that this kernel does not tell are NAN.  Only the sending end has anything to say: a
 * receiver's RTT and counters are those of its acknowledgements.
 */
#ifndef PATHTUNE_TCPINFO_H
#define PATHTUNE_TCPINFO_H

#include "../tuner/model.h"

struct tcp_sample {
	double rtt_ms;          /* smoothed */
	double min_rtt_ms;
	double retransmits;     /* segments sent again, since the connection began */
	double segments;        /* segments with data, those sent again included */
	double delivery_bps;    /* the kernel's estimate */
	double busy_s;          /* time with data to send, since the connection began */
	double rwnd_s;          /* of it: stopped by the receiver's window */
	double sndbuf_s;        /* of it: stopped by a full send buffer */
	double inflight_bytes;  /* sent and not acknowledged */
	double cwnd_bytes;
	double rwnd_bytes;      /* that the receiver offers */
	double unsent_bytes;    /* written, and not sent for the first time */
	double acked_bytes;     /* since the connection began */
};

/* All members are set, to NAN where not known; false when nothing is known. */
/* Bytes that were written and not acknowledged yet; NAN where the kernel does not tell. */
double tcpinfo_queued(int fd);

bool tcpinfo_read(int fd, struct tcp_sample *out);

/*
 * Add the sample of one more stream to a sum that starts as tcpinfo_none(): counters, bytes and
 * rates are summed, rtt_ms is the mean of the n streams, min_rtt_ms the smallest.
 */
struct tcp_sample tcpinfo_none(void);
void tcpinfo_add(struct tcp_sample *sum, const struct tcp_sample *s, unsigned n);

/* Sorts v. NAN of none. */
double tcp_log_median(double *v, size_t n);

/* The samples of one trial, all streams summed, about every 100 ms. */
struct tcp_log {
	struct arena *arena;
	struct tcp_sample base;  /* the first after the warm-up: counters are differences to it */
	struct tcp_sample last;
	double *rtt_ms;          /* after the warm-up; known ones only */
	size_t n_rtt_ms;
	double *inflight_bytes;
	size_t n_inflight_bytes;
	double *cwnd_bytes;
	size_t n_cwnd_bytes;
	double *unsent_bytes;
	size_t n_unsent_bytes;
	double *rwnd_bytes;
	size_t n_rwnd_bytes;
	double delivery_bps;     /* largest after the warm-up; NAN before */
	bool counting;           /* the warm-up is over */
};

void tcp_log_init(struct tcp_log *l, struct arena *a);
void tcp_log_add(struct tcp_log *l, const struct tcp_sample *s, bool warm);

/* rtt.min_ms, rtt.loaded_ms, retransmits, windows, limited times and delivery rate of t. */
void tcp_log_fill(const struct tcp_log *l, struct trial *t);

#endif
