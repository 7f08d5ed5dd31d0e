/*
 * peer_message: what client and server tell each other in the frames of the control connection:
 * one JSON document each, read and written by one field table.
 */
#ifndef PATHTUNE_PEER_MESSAGE_H
#define PATHTUNE_PEER_MESSAGE_H

#include "flow.h"
#include "peer_wire.h"
#include "udp.h"

enum message_type {
	MESSAGE_NONE,
	MESSAGE_TRIAL,  /* client: open a transfer; the spec, direction as the client sees it */
	MESSAGE_READY,  /* server: agreed; max_bytes may be less than asked                   */
	MESSAGE_STOP,   /* client: it is over (the client receives), or called off            */
	MESSAGE_RESULT, /* server: what its end knows; the answer to STOP, and comes unasked
	                 * when the server's end is over                                      */
	MESSAGE_BYE,    /* either: the run is over; why                                       */
	MESSAGE_UDP,    /* client: as TRIAL, by UDP                                           */
};

struct message {
	int type;                 /* enum message_type */
	double trial;             /* 1.., counted by the client; 0 in BYE */
	const char *why;          /* BYE, and RESULT that is not OK */
	/* TRIAL; max_bytes in READY too, 0 is no cap */
	int direction;
	double streams, warmup_s, duration_s, early_s, max_bytes;
	double pin_bytes; /* not known: 0 */
	const char *cc;   /* of the server's sockets, when the client receives; NULL: the default */
	double rate_bps, burst; /* UDP */
	/* RESULT: members of struct trial */
	int status;
	double goodput_bps, retransmits, min_ms, loaded_ms, inflight_bytes, rwnd_limited;
	double sndbuf_limited, delivery_rate_bps, bytes, counted_s, skipped_s;
	double cpu, cpu_wait, system_cpu, idle_writes, unread_bytes, unsent_bytes, cwnd_bytes;
	double rwnd_bytes;
	bool steady;
	double *intervals_bps;
	size_t n_intervals_bps;
	/* RESULT of UDP: members of struct udp_result */
	double sent_bytes, sent_bps, got_bytes, got_bps, burst_bps;
};

extern const struct record message_record;

/* All unknown. */
struct message message_new(enum message_type type, double trial);

bool message_send(struct arena *a, struct channel *c, const struct message *m, struct err *e);

/*
 * The next message; type MESSAGE_NONE when there is none yet.  Whatever text it brings, why is one
 * short line of printable ASCII.
 */
bool message_next(struct arena *a, struct channel *c, struct message *m, struct err *e);

/* Somebody else's text as people may read it: one short line of printable ASCII; NULL stays. */
const char *message_plain(struct arena *a, const char *said);

void message_from_spec(struct message *m, const struct flow_spec *f);
/* The spec as the server's end sees it: the other direction. */
void message_to_spec(const struct message *m, struct flow_spec *f);

void message_from_udp(struct message *m, const struct udp_spec *u);
void message_to_udp(const struct message *m, struct udp_spec *u);

/* Either end's part of the result. */
void message_from_udp_result(struct message *m, const struct udp_result *r);
void message_to_udp_result(const struct message *m, struct udp_result *r);

void message_from_trial(struct message *m, const struct trial *t);

/*
 * Can a receiver that was sent so many bytes have counted what this result says?  True also for one
 * that is not OK.  What the tables leave open is looked at as well.
 */
bool message_credible(const struct message *m, double sent_bytes);

/*
 * What the server's end knows is added to t: the receiver's counts when the client sent, else what
 * the sender's kernel said.  A status other than OK is taken over unless t has one.
 */
void message_to_trial(const struct message *m, struct trial *t);

/* The same where m has it all, as message_from_trial() of a whole trial does. */
void message_to_whole_trial(const struct message *m, struct trial *t);

#endif
