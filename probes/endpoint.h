/*
 * endpoint: who moves the bytes of a trial for the host, and towards whom.
 *
 * One of several ways, chosen by where the host is and what the peer is (endpoint_open()):
 *   session   the host is local, the peer a pathtune serve: this process sends or receives
 *   agent     the host is reached by ssh and has pathtune: that one sends or receives, and is told
 *             what by a pipe through ssh
 *   iperf3    the peer is an iperf3 server: iperf3 on the host, wherever that is
 *   base      the host is reached by ssh and has nothing of this: a program of its base system
 *             sends to us or receives from us, and we count
 * Goodput is always counted by an end of the transfer, never through ssh.  What a way cannot tell
 * stays unknown (NAN) in the trial.
 */
#ifndef PATHTUNE_ENDPOINT_H
#define PATHTUNE_ENDPOINT_H

#include "flow.h"
#include "host.h"
#include "udp.h"

struct endpoint;

struct endpoint_spec {
	const char *peer;                 /* "name[:port]", "iperf3://name[:port]", "ssh://..",
	                                   * or "here", with a host that is reached by ssh */
	const char *token;                /* of a pathtune serve that runs already; NULL: none */
	struct host *host;
	const char *host_name;            /* as host_open() was given it */
	const char *program;              /* by which this pathtune can be started again */
	const struct profile *profile;    /* of the host: its base programs */
	const struct host_access *access; /* to an ssh:// peer; may be NULL */
};

/* Is this peer a pathtune serve that runs already, so that its token has to be given? */
bool endpoint_has_token(const char *peer);

bool endpoint_open(struct arena *a, const struct endpoint_spec *s, struct endpoint **out,
    struct err *e);

/* The contract of peer_measure(). */
bool endpoint_measure(struct endpoint *p, struct arena *a, const struct flow_spec *f,
    const struct progress *progress, struct trial *t, struct err *e);

/* The contract of peer_udp(); out->why where this way has no UDP. */
bool endpoint_udp(struct endpoint *p, struct arena *a, const struct udp_spec *u,
    struct udp_result *out, struct err *e);

/* Smallest of n connects or pings from the host to the peer, in ms. */
bool endpoint_idle_rtt(struct endpoint *p, unsigned n, double *rtt_ms, struct err *e);

/* The peer's numeric address as the host reaches it. */
const char *endpoint_address(const struct endpoint *p);

/* The host's, from which it speaks to the peer; NULL: this way does not know. */
const char *endpoint_own(const struct endpoint *p);

/* "pathtune", "iperf3", "nc": what moves the bytes at the host's end. */
const char *endpoint_tool(const struct endpoint *p);

/* What no trial of this way can tell, in words; NULL: nothing is missing. */
const char *endpoint_unknown(const struct endpoint *p);

/*
 * Does flow_spec.cc choose the congestion control of one transfer?  Where not, the host's default
 * must be set for the trial.
 */
bool endpoint_sets_cc(const struct endpoint *p);

void endpoint_close(struct endpoint *p); /* NULL is fine */

#endif
