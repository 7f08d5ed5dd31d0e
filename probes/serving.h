/*
 * serving: a pathtune serve of our own, here or on another host, for the time of a run.  Its token
 * is fresh and goes through its standard input; it ends with that, so also when we are dead.
 */
#ifndef PATHTUNE_SERVING_H
#define PATHTUNE_SERVING_H

#include "host.h"

struct serving {
	struct host_child child;
	unsigned port; /* that it listens on */
	const char *token;
};

/* program: its path there.  who: that host, for errors. */
bool serving_start(struct arena *a, struct host *h, const char *who, const char *program,
    struct serving *out, struct err *e);
void serving_end(struct serving *s);

/* The port of the line "ready port N"; 0: it is another line. */
unsigned serving_port(const char *line);

#endif
