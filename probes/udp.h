/*
 * udp: one end of a paced, bounded stream of UDP datagrams in one direction, for what a path
 * carries where TCP cannot show it.
 *
 * Datagrams are of UDP_BYTES, each with the run's nonce, a number and a MAC that covers who sent
 * it (peer_wire.h): what is not authentic, came before, or belongs to another trial is dropped and
 * not counted.  The end that serves has a socket on the address and port of the control
 * connection, for the time of the trial only.  It hears nobody but the host at the other end of
 * that connection, and sends nothing before that host has sent an authentic greeting there: no
 * forged address can aim it at somebody else.  How much is sent is bounded by rate, time and bytes
 * before it begins.
 *
 * Like a flow it is polled and stepped by its owner.  The receiver's clock counts, by the kernel's
 * time stamps where there are such.
 */
#ifndef PATHTUNE_UDP_H
#define PATHTUNE_UDP_H

#include "net.h"
#include "peer_wire.h"
#include "../tuner/model.h"

#include <poll.h>

#define UDP_BYTES 1200         /* payload of a datagram: no path that is in use splits it */
#define UDP_SECONDS_MAX 5.0
#define UDP_RATE_MIN 1e5
#define UDP_RATE_MAX 1e10
#define UDP_BURST_MAX 64
#define UDP_DATAGRAMS_MAX 1e6  /* of one trial */
#define UDP_GREET_S 0.1        /* between two greetings */
#define UDP_WAIT_S 3.0         /* for the first datagram of the other end */
#define UDP_DRAIN_S 0.5        /* for what is on its way when all was sent */

struct udp_spec {
	enum direction direction; /* DIR_SEND: this end sends */
	double rate_bps;          /* of payload */
	double duration_s;
	double burst;             /* datagrams back to back; 0: as many as take 1/4 ms */
	double max_bytes;         /* of payload; 0: rate and time alone bound it */
};

struct udp_result {
	const char *why;     /* nothing came of it; NULL: something did */
	double sent_bytes;
	double sent_bps;     /* that the kernel took in the second half of the time */
	double got_bytes;
	double got_bps;      /* that arrived in the second half of the time: what lasts */
	double burst_bps;    /* within bursts, median of those that arrived whole; NAN: none */
	double loss;         /* fraction of what was sent */
};

/* Within the bounds above?  The error is ERR_USAGE. */
bool udp_check(const struct udp_spec *u, struct err *e);

/* Datagrams of a whole trial. */
double udp_datagrams(const struct udp_spec *u);

struct udp;

/*
 * One end of trial number.  The serving end (server) binds a socket to local and hears only the
 * host of remote; the other connects one to remote.  NULL with an error: there is no socket.
 */
struct udp *udp_new(struct arena *a, const struct udp_spec *u, const struct wire_session *keys,
    uint32_t trial, bool server, const struct net_address *local, const struct net_address *remote,
    struct err *e);

size_t udp_poll(const struct udp *u, struct pollfd *p); /* one entry */
int udp_timeout_ms(const struct udp *u);
void udp_step(struct udp *u, const struct pollfd *p);

/* The sender has sent all, the receiver was told to stop, or it failed. */
bool udp_over(const struct udp *u);
void udp_stop(struct udp *u);
void udp_fail(struct udp *u, const char *why);

double udp_bytes(const struct udp *u); /* payload sent or received so far */

/* What this end knows: the sender what it sent, the receiver what arrived; the rest is NAN. */
struct udp_result udp_result(const struct udp *u, struct arena *a);

void udp_close(struct udp *u); /* NULL is fine */

#endif
