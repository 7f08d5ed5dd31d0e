#include "endpoint_way.h"
#include "peer.h"

#include <math.h>

struct endpoint {
	const struct endpoint_way *way;
	void *self;
};

bool
endpoint_open(struct arena *a, const struct endpoint_spec *s, struct endpoint **out, struct err *e)
{
	struct endpoint *p = arena_alloc(a, sizeof(*p));

	p->way = host_is_here(s->host) ? &endpoint_session : &endpoint_agent;
	if (!(p->way == &endpoint_agent ? endpoint_agent_open : endpoint_session_open)(a, s,
		&p->self, e))
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
endpoint_tool(const struct endpoint *p)
{
	return p->way->tool(p->self);
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
