/*
 * peer_session: what peer_client.c (open, close), peer_measure.c (one trial) and peer_token.c (its
 * wait) share.
 */
#ifndef PATHTUNE_PEER_SESSION_H
#define PATHTUNE_PEER_SESSION_H

#include "net.h"
#include "peer.h"
#include "peer_message.h"

#include <poll.h>

#define PEER_CONNECT_S 10.0
#define PEER_ANSWER_S 10.0 /* an answer may have to wait behind a full queue on the path */

struct session {
	struct channel channel;
	struct wire_session keys;
	struct net_address to;
	const char *name;     /* "192.0.2.1:5209", for messages */
	const char *address;
	const char *own;      /* ours; or NULL */
	double idle_ms;       /* smallest connect so far */
	double trial;         /* number of the last one */
};

/*
 * Poll until something is ready or timeout_ms is over (true).  p[n] must be free: it hears the
 * stop.  False: stopped (ERR_STOPPED), or poll failed.
 */
bool session_poll(struct pollfd *p, size_t n, int timeout_ms, struct err *e);

/* Begin to connect to the peer; -1 with an error. */
int session_dial(const struct net_address *to, const char *name, struct err *e);

/* Errno of a connect in words that help. */
bool session_refused(const char *name, int why, struct err *e);

#endif
