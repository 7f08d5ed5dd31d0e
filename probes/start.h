/*
 * start: a program that goes on beside us (host_start()), for all transports.
 */
#ifndef PATHTUNE_START_H
#define PATHTUNE_START_H

#include "host.h"

/* Standard input, output and error of what is started: [0] is read from. */
struct start_pipes {
	int in[2], out[2], err[2];
};

bool start_pipes_open(struct start_pipes *p, struct err *e);
void start_pipes_close(struct start_pipes *p);

/*
 * Start argv here.  *said: where its stderr can be read, the caller's to close; NULL: it goes to
 * /dev/null.  as_user as in process.h.
 */
bool start_program(struct arena *a, const char *const *argv, bool as_user, struct host_child *out,
    int *said, struct err *e);

/*
 * c is a shell that reads a script from its standard input: have it become argv.  Whatever a login
 * says before that is passed over; said (closed in any case) tells why when it does not come to
 * it.  On failure c is ended.  name: the host, for errors.
 */
bool start_through(struct arena *a, const char *name, const char *const *argv, double limit_s,
    struct host_child *c, int said, struct err *e);

#endif
