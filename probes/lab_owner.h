/*
 * lab_owner: the loop of the process that plays the link, and the figures it shows.
 */
#ifndef PATHTUNE_LAB_OWNER_H
#define PATHTUNE_LAB_OWNER_H

#include "lab.h"

#include <stdatomic.h>

/* In a file that the owner maps and others read: odd while it is being written. */
struct lab_shared {
	atomic_uint sequence;
	struct lab_stats stats[2];
};

/*
 * Carry packets between the two TUN devices until killed, or until the other end of the socket
 * maker closes (-1: there is none); false only when it cannot.
 */
bool owner_run(const struct lab_spec *s, const int tun[2], int maker, struct lab_shared *shared,
    struct err *e);

/* A consistent copy; false when the owner seems to have died while writing. */
bool shared_read(const struct lab_shared *shared, struct lab_stats stats[2]);

#endif
