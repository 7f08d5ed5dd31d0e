/*
 * peer: the two ends of a measurement: the server (pathtune serve) and the client's session.
 *
 * A run is one authenticated session.  The token is a secret of at least 16 characters that is
 * good for one run; it never travels: both ends prove that they know it (challenge-response with
 * fresh nonces, crypto_auth of libsodium), and a key derived from token and nonces authenticates
 * every later control message, with direction and sequence number.  A data connection names the
 * run's nonce and is authenticated the same way; the server sends data to nobody else.  Who has
 * recorded a greeting can try tokens on it at leisure: a token of one's own must be as random as
 * those that peer_token_new() makes.  The measured payload itself is not authenticated.
 */
#ifndef PATHTUNE_PEER_H
#define PATHTUNE_PEER_H

#include "flow.h"
#include "udp.h"

#define PEER_PORT 5209
#define PEER_TOKEN_MIN 16
#define PEER_TOKEN_MAX 256
#define PEER_IDLE_S 60.0 /* a session that says nothing for this long between trials is ended */

struct session;

/*
 * peer: name, name:port, [v6]:port or v6.  Connects within 10 s, authenticates.  Errors tell apart:
 * cannot resolve, refused, no answer, not a pathtune server, wrong token, busy.
 */
bool peer_open(struct arena *a, const char *peer, const char *token, struct session **out,
    struct err *e);

/*
 * One trial, every time on new connections.  The measured members of t are set (status, why,
 * goodput_bps .. intervals_bps, and direction and streams from f), the rest is the caller's.  A
 * peer that refuses or fails this one transfer gives true with t->status set; false when the
 * session is lost or a stop was requested, then t is untouched.  The intervals live in a.  It takes
 * at most warm-up and duration and 35 s more: connecting 10, stalling 15, no answer 10.
 */
bool peer_measure(struct session *s, struct arena *a, const struct flow_spec *f,
    const struct progress *p, struct trial *t, struct err *e);

/*
 * One UDP probe (udp.h) in one direction, at the address and port of the session: only where the
 * session exists may the server listen there, and it sends to nobody but the host that holds the
 * other end.  Nothing that arrives gives true with out->why set; false when the session is lost or
 * a stop was requested.
 */
bool peer_udp(struct session *s, struct arena *a, const struct udp_spec *u, struct udp_result *out,
    struct err *e);

/* Smallest of n TCP connects, in ms: the idle RTT. */
bool peer_idle_rtt(struct session *s, unsigned n, double *rtt_ms, struct err *e);

/* Addresses in text, for messages and facts. */
const char *peer_address(const struct session *s);
const char *peer_own_address(const struct session *s); /* from which we speak; NULL: unknown */

void peer_close(struct session *s); /* NULL is fine; tells the server that the run is over */

struct serve_options {
	const char *listen;    /* address[:port], "*" is all of IPv4 and IPv6, port 0: the kernel
	                        * chooses; NULL: "*" and PEER_PORT */
	const char *token;     /* NULL: make one for every run and announce it */
	bool once;             /* end after one run; implied by a given token, it is good for one */
	bool while_stdin;      /* end when standard input does */
	double max_time_s;     /* of the server's life; NAN: no end */
	double max_bytes;      /* sent and received in all; NAN: no end */
	/* Before every run: its port, and the token when it was made here (else NULL). */
	void (*ready)(void *arg, unsigned port, const char *token);
	/* One line about what happened (a run began, ended, was refused); may be NULL. */
	void (*say)(void *arg, const char *line);
	void *arg;
};

/*
 * Serves until its own end; false on failure to start or when stopped by a signal.
 *
 * What a stranger can cost it is bounded: 32 connections at a time may be unproven, for 5 s
 * each.  When more come, the oldest of the host with most of them is closed, one of the host
 * whose run it is only after 1 s.  A wrong proof is answered by closing.  After 100 wrong ones
 * for a token each is answered a second later, and no other proof of that host is looked at
 * before: the server does not end, or anybody could end it.  A second client with the right
 * token hears that the server is busy.  The caps on bytes count payload; what was under way when
 * a cap was reached may come on top.
 */
bool peer_serve(const struct serve_options *o, struct err *e);

/*
 * Where a token comes from, first that is given: file, the environment (PATHTUNE_TOKEN), stdin.
 * One line, without its newline; too short, too long, unprintable or a file that others can read
 * is an error.  A stop is heard while waiting for the line.
 */
bool peer_token_file(struct arena *a, const char *path, const char **out, struct err *e);
bool peer_token_env(const char **out, struct err *e);
bool peer_token_stdin(struct arena *a, const char **out, struct err *e);
bool peer_token_check(const char *token, struct err *e);
const char *peer_token_new(struct arena *a);

#endif
