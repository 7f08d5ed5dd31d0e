/*
 * ssh_link: a session of libssh that never blocks beyond its time: every wait hears a stop, has a
 * deadline, and gives up a host that is silent although it was asked whether it is there.
 */
#ifndef PATHTUNE_SSH_LINK_H
#define PATHTUNE_SSH_LINK_H

#include "host.h"
#include "ssh_name.h"
#include "ssh_proxy.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <poll.h>

struct ssh_link {
	struct arena *arena;
	const char *rest;        /* what ssh_link_new() was given */
	const char *name;        /* as errors call the host */
	const char *asked;       /* the name that was given */
	struct ssh_name to;      /* after the login what settings made of it */
	const struct host_access *access;
	double silence_s;        /* so long it may say nothing; also for the login */
	ssh_session session;
	struct ssh_callbacks_struct callbacks;
	struct ssh_proxy *proxy; /* NULL: a TCP connection */
	bool even_stopped;       /* the present round goes on after a stop */
	bool ready;              /* logged in: it can be asked whether it is there */
	double heard_s, asked_s; /* when it last said something, when we last asked */
	const struct pollfd *also; /* what a wait ends for as well */
	size_t n_also;             /* two at most */
};

/* rest: what follows ssh:// in the name of a host.  Nothing is connected yet. */
bool ssh_link_new(struct arena *a, const char *rest, const struct host_access *access,
    struct ssh_link **out, struct err *e);

/*
 * Until something can be done again.  False, with l->name in the error: a stop (ERR_STOPPED), the
 * deadline (flow_clock_s(); what has no end then, within limit_s), silence.
 */
bool ssh_link_wait(struct ssh_link *l, double deadline_s, const char *what, double limit_s,
    struct err *e);

/* A round trip begins: silence counts from now on. */
void ssh_link_fresh(struct ssh_link *l);

/* What libssh, or the proxy's command, says of the failure. */
const char *ssh_link_why(struct ssh_link *l);

/* Reach the host, verify its key, log in (ssh_login.c).  ssh_link_close() in any case. */
bool ssh_login(struct ssh_link *l, struct err *e);

/*
 * A new channel with a shell that reads a script.  Again until it is there, or the deadline; false
 * with an error.  limit_s as in ssh_link_wait().
 */
bool ssh_link_shell(struct ssh_link *l, ssh_channel c, double deadline_s, double limit_s,
    struct err *e);

void ssh_link_close(struct ssh_link *l);

#endif
