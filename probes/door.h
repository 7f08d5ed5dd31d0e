/*
 * door: a listener for one transfer, to which programs that know nothing of us connect.  Fresh for
 * every trial: some kernels hand a listener's congestion control on to what it accepts.
 *
 * Only who shows the secret gets in: a line of its own first, or in the path of an HTTP request;
 * where a program can say nothing, it has to come from the host's address.
 */
#ifndef PATHTUNE_DOOR_H
#define PATHTUNE_DOOR_H

#include "flow.h"
#include "net.h"

#define DOOR_SECRET 32 /* hexadecimal digits */
#define DOOR_WAITING 16
#define DOOR_POLL_MAX (NET_LISTEN_MAX + DOOR_WAITING)
#define DOOR_PROVE_S 5.0 /* so long may a connection take to show the secret */

struct door_spec {
	const char *address;      /* to listen at; one that is not ours means all of them */
	enum greeting greeting;
	bool answer;              /* HTTP: say OK before we send */
	const struct net_address *from; /* GREETING_ADDRESS: the host */
	size_t n_from;
};

struct door;

bool door_open(struct arena *a, const struct door_spec *s, struct door **out, struct err *e);
unsigned door_port(const struct door *d);
const char *door_secret(const struct door *d);

/* Fill DOOR_POLL_MAX entries at most; how many.  door_step() is given them back. */
size_t door_poll(const struct door *d, struct pollfd *p);
void door_step(struct door *d, const struct pollfd *p);

/* A connection that got in, the caller's to close; -1: none is there. */
int door_take(struct door *d);

/* The last one that did not get in, as text; NULL: none. */
const char *door_refused(const struct door *d);

void door_close(struct door *d); /* NULL is fine */

#endif
