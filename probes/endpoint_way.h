/*
 * endpoint_way: what stands behind endpoint.h.  Every member has the contract of the function of
 * the same name there.
 */
#ifndef PATHTUNE_ENDPOINT_WAY_H
#define PATHTUNE_ENDPOINT_WAY_H

#include "endpoint.h"

struct endpoint_way {
	bool (*measure)(void *self, struct arena *a, const struct flow_spec *f,
	    const struct progress *progress, struct trial *t, struct err *e);
	bool (*idle_rtt)(void *self, unsigned n, double *rtt_ms, struct err *e);
	const char *(*address)(const void *self);
	const char *(*tool)(const void *self);
	const char *(*own)(const void *self); /* NULL: it knows none */
	bool sets_cc;
	const char *unknown; /* endpoint_unknown() */
	void (*close)(void *self);
};

/* Each opens its way; self is what the way's members are given. */
bool endpoint_session_open(struct arena *a, const struct endpoint_spec *s, void **self,
    struct err *e);

bool endpoint_iperf3_open(struct arena *a, const struct endpoint_spec *s, void **self,
    struct err *e);
/* A pathtune serve is started for the run: on an ssh:// peer; here, for a host that is not. */
bool endpoint_ssh_open(struct arena *a, const struct endpoint_spec *s, void **self,
    struct err *e);
bool endpoint_here_open(struct arena *a, const struct endpoint_spec *s, void **self,
    struct err *e);

/* Has the host a pathtune of its own? */
bool endpoint_has_agent(struct arena *a, const struct endpoint_spec *s, bool *there,
    struct err *e);

bool endpoint_base_open(struct arena *a, const struct endpoint_spec *s, void **self,
    struct err *e);

/* The second one of iperf3: where its -C chooses the congestion control of a transfer. */
extern const struct endpoint_way endpoint_session, endpoint_iperf3, endpoint_iperf3_cc,
    endpoint_base, endpoint_served;

/* How a peer is named that is not a pathtune serve. */
#define ENDPOINT_IPERF3 "iperf3://"
#define ENDPOINT_SSH "ssh://"
#define ENDPOINT_HERE "here"

/* Smallest of the pings that the profile knows, from the host; NAN when there is no answer. */
bool endpoint_ping(struct host *h, const struct profile *p, const char *address, double *rtt_ms,
    struct err *e);

/* The host is not here and has a pathtune of its own: that one is started, and told. */
bool endpoint_agent_open(struct arena *a, const struct endpoint_spec *s, void **self,
    struct err *e);

extern const struct endpoint_way endpoint_agent;

#endif
