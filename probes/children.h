/*
 * children: many processes of our own at a time, each of which does one thing and says what came of
 * it.  They are forked and nothing is executed: they share the memory of this program, with
 * its libraries ready to be used.
 *
 * A child has /dev/null to read, pipes to write, a process group of its own (the terminal's Ctrl-C
 * is ours to pass on) and a time limit.  Nothing that it does holds up the others: too much output,
 * or no end in its time, and it gets SIGTERM, which lets it restore its host, and SIGKILL when that
 * takes too long.  Signals go to one process by its number, before it is reaped.
 */
#ifndef PATHTUNE_CHILDREN_H
#define PATHTUNE_CHILDREN_H

#include "../tuner/base.h"

#include <sys/types.h>

#define CHILDREN_OUTPUT_BYTES ((size_t)16 * 1024 * 1024)
#define CHILDREN_SAID_BYTES ((size_t)4096) /* of stderr, its end */

struct child;

struct children {
	struct child *first;
	size_t n;
};

struct child_spec {
	int (*run)(void *arg); /* in the child; its exit status */
	void *arg;
	double limit_s;
	double grace_s;        /* between SIGTERM and SIGKILL */
	void *tag;             /* of whoever started it */
};

/* What became of one. */
struct child_end {
	void *tag;
	int status;            /* exit status; -1: it was ended */
	const char *why;       /* status -1: the reason */
	const char *out, *err; /* terminated; NUL bytes are '?'; of err only the end */
	size_t out_len;
	double seconds;
	struct arena *arena;   /* holds all of it: arena_free() when it has been looked at */
};

/* Streams must have been flushed: what is buffered would be written twice. */
bool children_start(struct children *c, const struct child_spec *spec, struct err *e);

/*
 * Wait until something happens, a stop (stop.h) or at most so long, and take in what is said.  True
 * when one has ended: *end tells, and it is forgotten.
 */
bool children_wait(struct children *c, double at_most_s, struct child_end *end);

/* SIGTERM to all that did not get it; children_wait() until none is left. */
void children_stop(struct children *c, const char *why);

/* How many have run for longer than this, and for how long the first one did. */
size_t children_older(const struct children *c, double than_s);
void *children_oldest(const struct children *c, double *seconds);

#endif
