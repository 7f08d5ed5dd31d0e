/*
 * keeper: how commands speak with the process that keeps values until they are confirmed: over a
 * UNIX socket in the state directory, which only its owner can enter.  One message each way, ended
 * by closing that direction.
 */
#ifndef PATHTUNE_KEEPER_H
#define PATHTUNE_KEEPER_H

#include "../tuner/base.h"

#define KEEPER_BYTES ((size_t)4 * 1024 * 1024)

/* Be the one who is asked at path; a socket that a dead one left goes.  -1: an error. */
int keeper_listen(struct arena *a, const char *path, struct err *e);

/* A connection to the one who is asked; -1: nobody is there. */
int keeper_connect(struct arena *a, const char *path);

/* The whole of what the other side says within the time; a stop ends that. */
bool keeper_hear(struct arena *a, int fd, double timeout_s, const char **text, struct err *e);

/* Say all of it, and that it is all. */
bool keeper_say(int fd, const char *text);

/*
 * Become a process of its own: a session, no terminal, no descriptors but n to keep, SIGHUP and
 * SIGINT ignored; SIGTERM is a stop.
 */
bool keeper_detach(const int *keep, size_t n);

#endif
