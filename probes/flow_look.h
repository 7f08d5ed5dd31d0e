/*
 * flow_look: what one end of a flow sees of itself while it counts: does it keep its sockets full
 * or empty, and what of the CPU does it get?
 */
#ifndef PATHTUNE_FLOW_LOOK_H
#define PATHTUNE_FLOW_LOOK_H

#include "load.h"
#include "../tuner/model.h"

struct flow_look {
	struct arena *arena;
	double looks, idle;       /* a sender's; of them it could have written */
	double *unread;           /* a receiver's: what lay there */
	size_t n_unread;
	struct load_mark mark[2]; /* when counting began, and ended */
	bool began, ended;
};

void look_init(struct flow_look *l, struct arena *a);

/* Counting begins, ends; only the first call of each matters, no end without a beginning. */
void look_begin(struct flow_look *l);
void look_end(struct flow_look *l);

/* Could more have been written at this moment?  Whoever keeps a socket full could not. */
void look_writes(struct flow_look *l, const int *fd, unsigned n);

/* What is left in the sockets when the receiver has read: next to nothing if it keeps up. */
void look_unread(struct flow_look *l, const int *fd, unsigned n);

/* cpu, cpu_wait, system_cpu, idle_writes and unread_bytes of t. */
void look_fill(const struct flow_look *l, struct trial *t);

#endif
