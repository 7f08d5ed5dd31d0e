#include "endpoint_way.h"
#include "peer.h"

#include <math.h>

#include <string.h>

struct endpoint {
	const struct endpoint_way *way;
	void *self;
};

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

bool
endpoint_has_token(const char *peer)
{
	return !begins(peer, ENDPOINT_IPERF3) && !begins(peer, ENDPOINT_SSH) &&
	    strcmp(peer, ENDPOINT_HERE) != 0;
}

/* Nobody asked for a choice: the first that is there. */
static bool
choose_here(struct arena *a, const struct endpoint_spec *s, struct endpoint *p, struct err *e)
{
	bool agent;

	if (host_is_here(s->host))
		return fail(e, ERR_USAGE, "--peer here: the host is this machine as well; here is "
		    "a peer for a host that is reached by ssh");
	if (!endpoint_has_agent(a, s, &agent, e))
		return false;
	p->way = agent ? &endpoint_served : &endpoint_base;
	return (agent ? endpoint_here_open : endpoint_base_open)(a, s, &p->self, e);
}

static bool
open_way(struct arena *a, const struct endpoint_spec *s, struct endpoint *p, struct err *e)
{
	if (begins(s->peer, ENDPOINT_IPERF3)) {
		p->way = s->profile->endpoints.iperf3_cc ? &endpoint_iperf3_cc : &endpoint_iperf3;
		return endpoint_iperf3_open(a, s, &p->self, e);
	}
	if (strcmp(s->peer, ENDPOINT_HERE) == 0)
		return choose_here(a, s, p, e);
	if (begins(s->peer, ENDPOINT_SSH)) {
		p->way = &endpoint_served;
		return endpoint_ssh_open(a, s, &p->self, e);
	}
	p->way = host_is_here(s->host) ? &endpoint_session : &endpoint_agent;
	return (p->way == &endpoint_agent ? endpoint_agent_open : endpoint_session_open)(a, s,
	    &p->self, e);
}

bool
endpoint_open(struct arena *a, const struct endpoint_spec *s, struct endpoint **out, struct err *e)
{
	struct endpoint *p = arena_alloc(a, sizeof(*p));

	if (!open_way(a, s, p, e))
		return false;
	*out = p;
	return true;
}

bool
endpoint_measure(struct endpoint *p, struct arena *a, const struct flow_spec *f,
    const struct progress *progress, struct trial *t, struct err *e)
{
	return p->way->measure(p->self, a, f, progress, t, e);
}

/* Nobody but a pathtune serve proves who it is before it sends or hears UDP. */
bool
endpoint_udp(struct endpoint *p, struct arena *a, const struct udp_spec *u,
    struct udp_result *out, struct err *e)
{
	if (p->way == &endpoint_session)
		return peer_udp(p->self, a, u, out, e);
	*out = (struct udp_result){ "only a pathtune serve, from the local host, answers UDP", NAN,
		NAN, NAN, NAN, NAN, NAN };
	return true;
}

bool
endpoint_idle_rtt(struct endpoint *p, unsigned n, double *rtt_ms, struct err *e)
{
	return p->way->idle_rtt(p->self, n, rtt_ms, e);
}

const char *
endpoint_address(const struct endpoint *p)
{
	return p->way->address(p->self);
}

const char *
endpoint_own(const struct endpoint *p)
{
	return p->way->own == NULL ? NULL : p->way->own(p->self);
}

const char *
endpoint_tool(const struct endpoint *p)
{
	return p->way->tool(p->self);
}

const char *
endpoint_unknown(const struct endpoint *p)
{
	return p->way->unknown;
}

bool
endpoint_sets_cc(const struct endpoint *p)
{
	return p->way->sets_cc;
}

void
endpoint_close(struct endpoint *p)
{
	if (p != NULL)
		p->way->close(p->self);
}
