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

struct choice {
	bool (*open)(struct arena *a, const struct endpoint_spec *s, void **self, struct err *e);
	const struct endpoint_way *way;
};

static struct choice
choose(const struct endpoint_spec *s)
{
	if (begins(s->peer, ENDPOINT_IPERF3))
		return (struct choice){ endpoint_iperf3_open,
			s->profile->endpoints.iperf3_cc ? &endpoint_iperf3_cc : &endpoint_iperf3 };
	if (strcmp(s->peer, ENDPOINT_HERE) == 0)
		return (struct choice){ endpoint_base_open, &endpoint_base };
	if (!host_is_here(s->host))
		return (struct choice){ endpoint_agent_open, &endpoint_agent };
	return (struct choice){ endpoint_session_open, &endpoint_session };
}

bool
endpoint_open(struct arena *a, const struct endpoint_spec *s, struct endpoint **out, struct err *e)
{
	struct endpoint *p = arena_alloc(a, sizeof(*p));
	struct choice c = choose(s);

	if (!c.open(a, s, &p->self, e))
		return false;
	p->way = c.way;
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
