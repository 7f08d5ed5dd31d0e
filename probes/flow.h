/*
 * flow: one measured TCP transfer of one or more streams, seen from one end.
 *
 * The receiver counts payload per 100 ms on its own clock from the first byte on, decides when the
 * transfer is over (steady and tight, time, bytes) and says so; the sender sends until told to
 * stop.  SO_SNDBUF and SO_RCVBUF are not set: that would switch autotuning off and measure
 * something that the knobs do not govern.  The exception is who asks for just that (pin_bytes), to
 * see what an application gets that sets them itself.  SO_RCVLOWAT, which moves the window, never.
 *
 * A flow has no loop of its own: its owner polls what flow_poll() asks for, together with
 * whatever else it waits for, and hands the answer to flow_step().
 *
 * What is counted: the bins of 100 ms after those that the warm-up touches, up to the end.
 *  - It ends when warm-up and duration are over; when early_s is set and at least that much was
 *    counted and bins_tight() holds (tuner/bins.h); or when max_bytes have come.  Stopped by
 *    max_bytes with less than half a second counted (or the duration, if that is shorter), the
 *    trial is void.
 *  - steady: bins_steady() over what was counted.
 *  - Nothing after the warm-up, nothing for FLOW_STALL_S, or not done FLOW_STALL_S after warm-up
 *    and duration: a timeout.
 *  - A stream that closes or fails before the end: void.
 */
#ifndef PATHTUNE_FLOW_H
#define PATHTUNE_FLOW_H

#include "../tuner/model.h"

#include <poll.h>

#define FLOW_INTERVAL_S 0.1
#define FLOW_STREAMS_MAX 64
#define FLOW_SECONDS_MAX 120.0 /* hard cap on one trial, warm-up included */
#define FLOW_STALL_S 5.0
#define FLOW_PIN_MIN 4096.0 /* bounds of a pinned buffer: what a peer may make us ask for */
#define FLOW_PIN_MAX (64.0 * 1024 * 1024)

struct flow_spec {
	enum direction direction; /* DIR_SEND: this end sends */
	unsigned streams;
	double warmup_s;          /* not counted */
	double duration_s;        /* counted, at most */
	double early_s;           /* may end after this much when tight; 0: never early */
	double max_bytes;         /* of payload, warm-up included; 0: no cap */
	const char *cc;           /* of the sender's sockets; NULL: leave the default */
	double pin_bytes;         /* SO_SNDBUF and SO_RCVBUF of both ends; 0: never set */
};

struct progress {
	/*
	 * Called about ten times a second while a transfer runs; may be NULL.  seconds since the
	 * first byte; now_bps over the last half second, at a sender of what was acknowledged.
	 */
	void (*tick)(void *arg, double seconds, double now_bps);
	void *arg;
};

/* Seconds on a clock that only goes forward. */
double flow_clock_s(void);

/* Streams, times and cc within their bounds?  The error is ERR_USAGE and names the member. */
bool flow_check(const struct flow_spec *f, struct err *e);

/*
 * max_bytes of the next transfer when used of cap bytes are gone: never less than one, for 0 is no
 * cap.  A cap of 0 or NAN is none.
 */
double flow_cap_left(double cap, double used);

/* For a socket that is to send with this congestion control, before it connects. */
bool flow_set_cc(int fd, const char *cc, struct err *e);

/*
 * SO_SNDBUF and SO_RCVBUF of a socket, as iperf -w asks for them, before it connects or sends.  A
 * kernel may grant less without a word (Linux: net.core.wmem_max, rmem_max); one that refuses is an
 * error, for that socket would still tune itself.
 */
bool flow_pin(int fd, double bytes, struct err *e);

/* Every measured member unknown: numbers NAN, status VOID with this reason. */
void flow_void(struct trial *t, const char *why);

struct flow;

struct flow *flow_new(struct arena *a, const struct flow_spec *f);

/* A connected socket becomes the next stream and the flow's to close; it is made nonblocking. */
void flow_add(struct flow *fl, int fd);
unsigned flow_streams(const struct flow *fl);

/* All streams are there: clocks start, a sender sends from the next step on. */
void flow_start(struct flow *fl);

/* Fill one entry a stream (FLOW_STREAMS_MAX at most; closed ones have fd -1); how many. */
size_t flow_poll(const struct flow *fl, struct pollfd *p);
int flow_timeout_ms(const struct flow *fl); /* poll no longer than this */
void flow_step(struct flow *fl, const struct pollfd *p);

/* Over: the receiver keeps reading and counts no more, the sender sends no more. */
bool flow_over(const struct flow *fl);
void flow_stop(struct flow *fl);                 /* the receiver said that it is over */
void flow_fail(struct flow *fl, enum trial_status status, const char *why); /* over, not OK */
void flow_cap(struct flow *fl, double max_bytes); /* never raises the cap */

double flow_now_bps(const struct flow *fl);  /* of the last half second */
double flow_seconds(const struct flow *fl);  /* since the first byte */
double flow_bytes(const struct flow *fl);    /* payload read or written so far */

/*
 * What this end knows: the receiver sets status, why, goodput_bps, bytes, warmup_s, duration_s,
 * steady, the intervals and what lay unread; the sender status, why, what TCP_INFO tells and how
 * often it could have written more.  Both: the CPU of this end since the warm-up.
 */
void flow_fill(const struct flow *fl, struct arena *a, struct trial *t);

/* Closes by a reset: what is still queued is not worth the path's time.  NULL is fine. */
void flow_close(struct flow *fl);

#endif
