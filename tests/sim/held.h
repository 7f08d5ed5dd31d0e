/*
 * held: one transfer that something known holds back, and what its two ends would see of it: the
 * numbers that limiter.h judges by.  Figures as in the labs of tests/bench/limits.c.
 */
#ifndef PATHTUNE_SIM_HELD_H
#define PATHTUNE_SIM_HELD_H

#include "world.h"

enum held_end { SENDER, RECEIVER };

/* What the sending end's system tells of a connection. */
enum sight {
	SIGHT_TIMES,   /* all, as Linux */
	SIGHT_RTT,     /* the RTT, as the BSDs; and what its sockets show to poll(2) */
	SIGHT_NONE,    /* an RTT by ping, as of a program of the base system: no UDP either */
	SIGHT_PATCHY,  /* all but what is forgotten */
};

struct held {
	enum limiter cause;
	enum direction direction;
	enum sight sight;
	uint64_t forgotten;            /* bits, by the list in held.c */
	bool busy;                     /* both machines: with something else, too */
	double capacity_bps, link_bps; /* of the path, of our interface */
	double rtt_ms, queue_bdp, loss;
	double police_bps;             /* 0: none, as of all that follow */
	double window_bytes[2];        /* that the buffer of the sender, of the receiver gives */
	double app_bps[2];             /* as fast as the sender writes, the receiver reads */
	double cpu_bps[2];             /* as much as the CPU of that end moves */
	bool interrupts[2];            /* and it is busy with the network, not with the process */
	double nic_bps;                /* as much as the sender's NIC lets TCP have, .. */
	double nic_queue;              /* .. with so many RTTs in a queue of its own */
	double growth;                 /* last third over the first, below the window; 1: none */
};

/* Something of that cause; the rest has at least a quarter more to give. */
void held_random(struct held *h, enum limiter cause, struct random *r);

/* A trial with that window on our side in place of the buffer's; its strings and lists live in a. */
void held_trial(const struct held *h, struct arena *a, double window_bytes, struct random *r,
    struct trial *t);

/* What UDP and several connections get beside one that got known_bps. */
void held_path(const struct held *h, double known_bps, struct random *r, struct path_fact *out);

#endif
