/*
 * lab_link: one direction of the emulated link, without sockets and without a clock: what comes in
 * at a given time comes out at a time that is computed at once.
 *
 *   arrival -> policer -> bounded drop-tail queue -> serialiser -> wire loss -> delay -> delivery
 *
 * Everything is accounted per wire segment; only delivery is batched, by as much as takes
 * LINK_BATCH_NS to serialise.  The serialiser is a virtual clock: when it will have sent all that
 * it was given.  Times are ns since an origin of the caller's, as double: exact to 1/50 ns for a
 * day.
 */
#ifndef PATHTUNE_LAB_LINK_H
#define PATHTUNE_LAB_LINK_H

#include "lab.h"
#include "lab_segment.h"

#define LINK_BATCH_NS 500e3

struct link;

/* Memory for one direction: what the queue and the wire can hold, and the overhead. */
double link_memory_bytes(const struct lab_spec *s, unsigned direction);

/* Room of the queue in bytes; in packets for QUEUE_PACKETS. */
double link_queue_room(const struct lab_spec *s, unsigned direction);

/* NULL: no memory.  direction: 0 a to b, 1 b to a. */
struct link *link_new(const struct lab_spec *s, unsigned direction);
void link_free(struct link *l); /* NULL is fine */

/* Where the next packet of up to SEGMENT_PACKET_MAX bytes is to be read; never NULL. */
unsigned char *link_room(struct link *l);

/* len bytes were put there at now_ns.  Ends what the last link_take() gave. */
void link_arrive(struct link *l, size_t len, double now_ns);

/* When the next delivery is due; INFINITY when nothing is on its way. */
double link_due(const struct link *l);

/*
 * The next packet that is due by now_ns: iov to be written to the other side, 0 when there is
 * none.  It stays readable until the next link_arrive() or link_take().
 */
int link_take(struct link *l, double now_ns, struct iovec iov[2]);

struct lab_stats link_stats(const struct link *l, double now_ns);

#endif
