/*
 * pipeline_path: what other traffic than one connection gets over a path: UDP in steps, and several
 * connections.  For whoever wants to know what limits a transfer (limiter.h).
 */
#ifndef PATHTUNE_PIPELINE_PATH_H
#define PATHTUNE_PIPELINE_PATH_H

#include "model.h"
#include "../probes/endpoint.h"

#define PATH_UDP_BYTES (256.0 * 1024 * 1024) /* that one direction's UDP may take at most */
#define PATH_STREAMS 4
#define PATH_SECONDS 15.0 /* about what a whole look takes */

struct path_ask {
	enum direction direction;
	double known_bps;   /* what one connection got; NAN: not known */
	double link_bps;    /* of our interface: no step goes beyond twice that; NAN: not known */
	double rtt_ms;
	double cap_bytes;   /* of payload, for all of it; 0: none */
	const char *cc;     /* of the connections, when we send; NULL: the default */
	bool udp, streams;
};

/*
 * out is filled as far as something came of it; *why says what did not, or NULL.  False: the
 * peer is lost or a stop was requested.
 */
bool path_measure(struct endpoint *p, struct arena *a, const struct path_ask *ask,
    struct path_fact *out, const char **why, struct err *e);

#endif
