/*
 * agent_line: what a pathtune that was started on a host (agent.h) and the one that started it tell
 * each other: one line of JSON each, read and written by one field table.  Neither trusts the
 * other: a line is at most AGENT_LINE_BYTES, its numbers are finite and within bounds, its texts
 * are printable.
 */
#ifndef PATHTUNE_AGENT_LINE_H
#define PATHTUNE_AGENT_LINE_H

#include "peer_message.h"

#define AGENT_PROTOCOL 1
#define AGENT_LINE_BYTES ((size_t)256 * 1024)

enum agent_type {
	AGENT_NONE,    /* the other end has closed */
	AGENT_HELLO,   /* agent: first of all; protocol, version        */
	AGENT_OPEN,    /* asked: a session; peer, token                 */
	AGENT_OPENED,  /* agent: address, own                           */
	AGENT_RTT,     /* asked: n connects; agent: rtt_ms              */
	AGENT_MEASURE, /* asked: one trial; flow and cc                 */
	AGENT_TICK,    /* agent, while it lasts: seconds, bps           */
	AGENT_DONE,    /* agent: the trial, in flow                     */
	AGENT_FAILED,  /* agent, in place of any answer: usage, why     */
};

struct agent_line {
	int type; /* enum agent_type */
	double protocol;
	const char *version;
	const char *peer, *token, *address, *own;
	double n, rtt_ms;
	const char *cc;
	struct message *flow; /* none or one; direction as the host sees it */
	size_t n_flow;
	double seconds, bps;
	bool usage;           /* what failed is what the user asked for */
	const char *why;
};

struct agent_channel {
	int in, out;
	bool closed;
	size_t len, taken; /* of text; what was taken as a line already */
	char text[AGENT_LINE_BYTES + 1];
};

struct agent_line agent_line_new(enum agent_type type);

bool agent_say(struct agent_channel *c, const struct agent_line *l, struct err *e);

/*
 * The next line within limit_s, or AGENT_NONE at the end of input.  False: a stop, no line in time,
 * or one that is none of ours.  who is for errors.
 */
bool agent_hear(struct arena *a, struct agent_channel *c, const char *who, double limit_s,
    struct agent_line *out, struct err *e);

/* Has the other end closed, or said too much?  Never waits. */
bool agent_ended(struct agent_channel *c);

#endif
