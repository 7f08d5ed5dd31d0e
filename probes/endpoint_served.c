/*
 * endpoint_served: the peer is a pathtune serve that is started for the run: on a peer that is
 * reached by ssh, or on this machine for a host that is.  Then it goes on as with one that ran
 * already.
 */
#include "endpoint_way.h"
#include "here.h"
#include "serving.h"

#include <string.h>

#define ADDRESSES 2

struct served {
	struct host *place; /* where it serves; ours to close */
	struct serving serving;
	const struct endpoint_way *way;
	void *self;
};

static const char *
with_port(struct arena *a, const char *address, unsigned port)
{
	return arena_printf(a, strchr(address, ':') != NULL ? "[%s]:%u" : "%s:%u", address, port);
}

/* The session or the agent that speaks to it, by the first address that works. */
static bool
go_on(struct arena *a, const struct endpoint_spec *s, const char *const *address,
    struct served *x, struct err *e)
{
	struct err first = { ERR_NONE, "" };

	x->way = host_is_here(s->host) ? &endpoint_session : &endpoint_agent;
	for (size_t i = 0; i < ADDRESSES && address[i] != NULL && first.code != ERR_STOPPED; i++) {
		struct endpoint_spec run = *s;
		struct err why = { ERR_NONE, "" };

		run.token = x->serving.token;
		run.peer = with_port(a, address[i], x->serving.port);
		if ((x->way == &endpoint_agent ? endpoint_agent_open : endpoint_session_open)(a,
			&run, &x->self, &why))
			return true;
		if (first.code == ERR_NONE || why.code == ERR_STOPPED)
			first = why;
	}
	return first.code == ERR_STOPPED ? fail(e, first.code, "%s", first.text) :
	    fail(e, first.code, "%s; pathtune was started at %s for this run, and TCP port %u "
	    "there must be reachable", first.text, s->peer, x->serving.port);
}

static bool
serve_at(struct arena *a, const char *name,
    const struct host_access *access, const char *program, struct served *x, struct err *e)
{
	return host_open_by(a, name, access, &x->place, e) &&
	    serving_start(a, x->place, name, program, &x->serving, e);
}

static void
served_close(void *self)
{
	struct served *x = self;

	if (x->self != NULL)
		x->way->close(x->self);
	serving_end(&x->serving);
	host_close(x->place);
}

static bool
opened(struct served *x, bool ok, void **self)
{
	if (ok)
		*self = x;
	else
		served_close(x);
	return ok;
}

static const char *
program_there(const struct host_access *access)
{
	return access != NULL && access->agent != NULL ? access->agent : "pathtune";
}

bool
endpoint_ssh_open(struct arena *a, const struct endpoint_spec *s, void **self, struct err *e)
{
	struct served *x = arena_alloc(a, sizeof(*x));
	struct host_access access = { .identity = NULL };
	const char *address[ADDRESSES];

	x->serving.child.pid = -1;
	if (s->access != NULL)
		access = *s->access;
	access.become = 0; /* serving takes no privilege */
	return opened(x, serve_at(a, s->peer, &access, program_there(s->access), x, e) &&
	    here_peer(a, x->place, s->peer, address, ADDRESSES, e) &&
	    go_on(a, s, address, x, e), self);
}

bool
endpoint_here_open(struct arena *a, const struct endpoint_spec *s, void **self, struct err *e)
{
	struct served *x = arena_alloc(a, sizeof(*x));
	const char *address[ADDRESSES] = { NULL };
	struct here here;

	x->serving.child.pid = -1;
	if (!here_find(a, s, &here, e))
		return false;
	address[0] = here.address;
	return opened(x, serve_at(a, "local", NULL, s->program, x, e) &&
	    go_on(a, s, address, x, e), self);
}

bool
endpoint_has_agent(struct arena *a, const struct endpoint_spec *s, bool *there, struct err *e)
{
	const char *program = program_there(s->access);
	const char *const argv[] = { "sh", "-c", "command -v \"$1\"", "sh", program, NULL };
	const struct command c = { .argv = argv };
	struct output o;

	if (!host_run(s->host, a, &c, 1, &o, e))
		return false;
	*there = o.status == 0;
	return true;
}

static bool
served_measure(void *self, struct arena *a, const struct flow_spec *f,
    const struct progress *progress, struct trial *t, struct err *e)
{
	struct served *x = self;

	return x->way->measure(x->self, a, f, progress, t, e);
}

static bool
served_idle_rtt(void *self, unsigned n, double *rtt_ms, struct err *e)
{
	struct served *x = self;

	return x->way->idle_rtt(x->self, n, rtt_ms, e);
}

static const char *
served_address(const void *self)
{
	const struct served *x = self;

	return x->way->address(x->self);
}

static const char *
served_tool(const void *self)
{
	const struct served *x = self;

	return x->way->tool(x->self);
}

static const char *
served_own(const void *self)
{
	const struct served *x = self;

	return x->way->own(x->self);
}

const struct endpoint_way endpoint_served = { served_measure, served_idle_rtt, served_address,
	served_tool, served_own, true, NULL, served_close };
