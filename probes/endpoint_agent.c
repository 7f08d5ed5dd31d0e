/*
 * endpoint_agent: the host is not here and has pathtune, which is started there for the run and
 * does what this process would do on its own host.  What it says is not trusted.
 */
#include "agent_line.h"
#include "endpoint_way.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>

#define LATE_S 30.0   /* on its way back, behind what was measured */
#define OPEN_S 20.0   /* its own limits: connecting 10, the proof 10 */
#define CONNECT_S 10.0
#define TRIAL_S 35.0  /* peer_measure() beyond warm-up and duration */

struct agent {
	struct host_child child;
	struct agent_channel *channel;
	const char *who;     /* for errors */
	const char *address, *own;
};

static bool
ask(struct agent *g, const struct agent_line *l, struct err *e)
{
	struct err why = { ERR_NONE, "" };

	return agent_say(g->channel, l, &why) ||
	    fail(e, ERR_FAILED, "%s: has ended: %s", g->who, why.text);
}

/* The answer of this type, nothing else; ticks go to progress. */
static bool
hear(struct agent *g, struct arena *a, enum agent_type type, double limit_s,
    const struct progress *progress, struct agent_line *out, struct err *e)
{
	double end_s = flow_clock_s() + limit_s;

	do {
		if (!agent_hear(a, g->channel, g->who, end_s - flow_clock_s(), out, e))
			return false;
		if (out->type == AGENT_TICK && progress != NULL && progress->tick != NULL &&
		    !isnan(out->seconds) && !isnan(out->bps))
			progress->tick(progress->arg, out->seconds, out->bps);
	} while (out->type == AGENT_TICK);
	if (out->type == AGENT_NONE)
		return fail(e, ERR_FAILED, "%s: has ended, or the way to it", g->who);
	if (out->type == AGENT_FAILED)
		return fail(e, out->usage ? ERR_USAGE : ERR_FAILED, "%s",
		    out->why != NULL ? out->why : "the agent failed and gives no reason");
	return out->type == (int)type ||
	    fail(e, ERR_FAILED, "%s: answers what was not asked", g->who);
}

/* ---- open ------------------------------------------------------------------------------------ */

static bool
start(struct agent *g, struct arena *a, const struct endpoint_spec *s, struct err *e)
{
	const char *path = s->access != NULL && s->access->agent != NULL ? s->access->agent :
	    "pathtune";
	const char *const argv[] = { path, "agent", NULL };
	struct err why = { ERR_NONE, "" };

	if (host_start(s->host, a, argv, &g->child, &why))
		return true;
	return fail(e, why.code, why.code == ERR_FAILED && strstr(why.text, ": not found") != NULL ?
	    "%s; install it there, or say where it is (--agent PATH)" : "%s", why.text);
}

static bool
greet(struct agent *g, struct arena *a, struct err *e)
{
	struct agent_line hello;

	if (!hear(g, a, AGENT_HELLO, LATE_S, NULL, &hello, e))
		return false;
	return hello.protocol == AGENT_PROTOCOL ||
	    fail(e, ERR_FAILED, "%s: is version %.40s, which this version (%s) does not "
	    "understand; install the same", g->who,
	    hello.version != NULL ? hello.version : "unknown", PATHTUNE_VERSION);
}

/* It goes to commands of a host. */
static bool
is_number(const char *address)
{
	unsigned char number[sizeof(struct in6_addr)];

	return address != NULL && (inet_pton(AF_INET, address, number) == 1 ||
	    inet_pton(AF_INET6, address, number) == 1);
}

static bool
open_session(struct agent *g, struct arena *a, const struct endpoint_spec *s, struct err *e)
{
	struct agent_line l = agent_line_new(AGENT_OPEN), opened;

	l.peer = s->peer;
	l.token = s->token;
	if (!ask(g, &l, e) || !hear(g, a, AGENT_OPENED, OPEN_S + LATE_S, NULL, &opened, e))
		return false;
	if (!is_number(opened.address))
		return fail(e, ERR_FAILED, "%s: the peer's address is none", g->who);
	g->address = opened.address;
	g->own = is_number(opened.own) ? opened.own : NULL;
	return true;
}

bool
endpoint_agent_open(struct arena *a, const struct endpoint_spec *s, void **self, struct err *e)
{
	struct agent *g = arena_alloc(a, sizeof(*g));

	if (s->token == NULL)
		return fail(e, ERR_USAGE, "--peer %s: a token is needed", s->peer);
	g->who = "pathtune on the host";
	if (!start(g, a, s, e))
		return false;
	g->channel = arena_alloc(a, sizeof(*g->channel));
	g->channel->in = g->child.out;
	g->channel->out = g->child.in;
	if (!greet(g, a, e) || !open_session(g, a, s, e)) {
		host_end(&g->child);
		return false;
	}
	*self = g;
	return true;
}

/* ---- measure --------------------------------------------------------------------------------- */

/* It can have moved neither more than it was allowed to nor more than it says that it moved. */
static bool
check(const struct message *m, const struct flow_spec *f, struct err *e)
{
	double most_bytes = f->max_bytes > 0 ? f->max_bytes : INFINITY;
	bool ok = isnan(m->bytes) || m->bytes <= most_bytes + 1;

	ok = ok && message_credible(m, isnan(m->bytes) ? most_bytes : m->bytes);
	return ok || fail(e, ERR_FAILED, "pathtune on the host: its figures make no sense");
}

static bool
agent_measure(void *self, struct arena *a, const struct flow_spec *f,
    const struct progress *progress, struct trial *t, struct err *e)
{
	struct agent_line l = agent_line_new(AGENT_MEASURE), done;
	struct message spec = message_new(MESSAGE_TRIAL, 0);
	struct agent *g = self;

	if (!flow_check(f, e))
		return false;
	message_from_spec(&spec, f);
	l.cc = f->cc;
	l.flow = &spec;
	l.n_flow = 1;
	if (!ask(g, &l, e) || !hear(g, a, AGENT_DONE,
		f->warmup_s + f->duration_s + TRIAL_S + LATE_S, progress, &done, e))
		return false;
	if (done.n_flow != 1)
		return fail(e, ERR_FAILED, "%s: a trial without figures", g->who);
	if (!check(&done.flow[0], f, e))
		return false;
	flow_void(t, NULL);
	t->status = TRIAL_OK;
	t->direction = f->direction;
	t->streams = f->streams;
	message_to_whole_trial(&done.flow[0], t);
	return true;
}

static bool
agent_idle_rtt(void *self, unsigned n, double *rtt_ms, struct err *e)
{
	struct agent_line l = agent_line_new(AGENT_RTT), answer;
	struct arena *a = arena_new();
	struct agent *g = self;
	bool ok;

	l.n = n;
	ok = ask(g, &l, e) && hear(g, a, AGENT_RTT, n * CONNECT_S + LATE_S, NULL, &answer, e);
	if (ok && isnan(answer.rtt_ms))
		ok = fail(e, ERR_FAILED, "%s: an RTT without a number", g->who);
	if (ok)
		*rtt_ms = answer.rtt_ms;
	arena_free(a);
	return ok;
}

static const char *
agent_address(const void *self)
{
	return ((const struct agent *)self)->address;
}

static const char *
agent_tool(const void *self)
{
	(void)self;
	return "pathtune";
}

static const char *
agent_own(const void *self)
{
	return ((const struct agent *)self)->own;
}

static void
agent_close(void *self)
{
	struct agent *g = self;

	host_end(&g->child);
}

const struct endpoint_way endpoint_agent = { agent_measure, agent_idle_rtt, agent_address,
	agent_tool, agent_own, true, NULL, agent_close };
