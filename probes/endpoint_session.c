/*
 * endpoint_session: the host is this machine, the peer a pathtune serve.
 */
#include "endpoint_way.h"
#include "peer.h"

bool
endpoint_session_open(struct arena *a, const struct endpoint_spec *s, void **self, struct err *e)
{
	struct session *session;

	if (!peer_open(a, s->peer, s->token, &session, e))
		return false;
	*self = session;
	return true;
}

static bool
session_measure(void *self, struct arena *a, const struct flow_spec *f,
    const struct progress *progress, struct trial *t, struct err *e)
{
	return peer_measure(self, a, f, progress, t, e);
}

static bool
session_idle_rtt(void *self, unsigned n, double *rtt_ms, struct err *e)
{
	return peer_idle_rtt(self, n, rtt_ms, e);
}

static const char *
session_address(const void *self)
{
	return peer_address(self);
}

static const char *
session_tool(const void *self)
{
	(void)self;
	return "pathtune";
}

static const char *
session_own(const void *self)
{
	return peer_own_address(self);
}

static void
session_close(void *self)
{
	peer_close(self);
}

const struct endpoint_way endpoint_session = { session_measure, session_idle_rtt, session_address,
	session_tool, session_own, true, NULL, session_close };
