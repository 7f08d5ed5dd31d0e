#include "agent.h"

#include "agent_line.h"
#include "peer.h"
#include "stop.h"

#include <math.h>
#include <signal.h>
#include <string.h>

#define TICK_S 0.5 /* they share the path that is measured */
#define WHO "who started this agent"

struct serving {
	struct arena *arena; /* of the session */
	struct agent_channel *channel;
	struct session *session;
	double ticked_s;
};

static bool
say_failed(struct serving *s, const struct err *why, struct err *e)
{
	struct agent_line l = agent_line_new(AGENT_FAILED);

	l.usage = why->code == ERR_USAGE;
	l.why = why->text;
	return agent_say(s->channel, &l, e);
}

static bool
open_session(struct serving *s, const struct agent_line *asked, struct err *e)
{
	struct agent_line l = agent_line_new(AGENT_OPENED);
	struct err why = { ERR_NONE, "" };

	if (asked->peer == NULL || asked->token == NULL || s->session != NULL)
		return fail(e, ERR_USAGE, "an agent opens one session, with a token");
	if (!peer_open(s->arena, asked->peer, asked->token, &s->session, &why))
		return say_failed(s, &why, e);
	l.address = peer_address(s->session);
	l.own = peer_own_address(s->session);
	return agent_say(s->channel, &l, e);
}

static bool
measure_rtt(struct serving *s, const struct agent_line *asked, struct err *e)
{
	struct agent_line l = agent_line_new(AGENT_RTT);
	struct err why = { ERR_NONE, "" };

	if (s->session == NULL || isnan(asked->n))
		return fail(e, ERR_USAGE, "an RTT has a session and a number of connects");
	if (!peer_idle_rtt(s->session, (unsigned)asked->n, &l.rtt_ms, &why))
		return say_failed(s, &why, e);
	return agent_say(s->channel, &l, e);
}

/* Nobody is there any more: the trial ends as by a signal. */
static void
tick(void *arg, double seconds, double bps)
{
	struct serving *s = arg;
	struct agent_line l = agent_line_new(AGENT_TICK);
	struct err ignored = { ERR_NONE, "" };
	double now_s = flow_clock_s();

	if (agent_ended(s->channel)) {
		raise(SIGTERM);
		return;
	}
	if (now_s - s->ticked_s < TICK_S)
		return;
	s->ticked_s = now_s;
	l.seconds = seconds;
	l.bps = bps;
	if (!agent_say(s->channel, &l, &ignored))
		raise(SIGTERM);
}

static bool
measure_trial(struct serving *s, const struct agent_line *asked, struct err *e)
{
	struct agent_line l = agent_line_new(AGENT_DONE);
	struct progress progress = { tick, s };
	struct message done = message_new(MESSAGE_RESULT, 0);
	struct err why = { ERR_NONE, "" };
	struct arena *a = arena_new();
	struct flow_spec f;
	struct trial t;
	bool ok;

	if (s->session == NULL || asked->n_flow != 1) {
		arena_free(a);
		return fail(e, ERR_USAGE, "a trial has a session and a transfer");
	}
	message_to_spec(&asked->flow[0], &f);
	f.direction = (enum direction)asked->flow[0].direction;
	f.cc = asked->cc;
	record_init(&trial_record, &t);
	if (peer_measure(s->session, a, &f, &progress, &t, &why)) {
		message_from_trial(&done, &t);
		l.flow = &done;
		l.n_flow = 1;
		ok = agent_say(s->channel, &l, e);
	} else {
		ok = say_failed(s, &why, e);
	}
	arena_free(a);
	return ok;
}

static bool
answer(struct serving *s, const struct agent_line *asked, struct err *e)
{
	switch (asked->type) {
	case AGENT_OPEN:
		return open_session(s, asked, e);
	case AGENT_RTT:
		return measure_rtt(s, asked, e);
	case AGENT_MEASURE:
		return measure_trial(s, asked, e);
	default:
		return fail(e, ERR_USAGE, "an agent is not told this");
	}
}

static bool
serve(struct serving *s, struct err *e)
{
	struct agent_line hello = agent_line_new(AGENT_HELLO), asked;
	bool ok;

	hello.protocol = AGENT_PROTOCOL;
	hello.version = PATHTUNE_VERSION;
	ok = agent_say(s->channel, &hello, e);
	while (ok) {
		struct arena *a = arena_new();

		ok = agent_hear(a, s->channel, WHO, PEER_IDLE_S, &asked, e);
		if (ok && asked.type == AGENT_NONE) {
			arena_free(a);
			return true;
		}
		ok = ok && answer(s, &asked, e);
		arena_free(a);
	}
	return false;
}

bool
agent_serve(int in, int out, struct err *e)
{
	struct serving s = { .arena = arena_new() };
	bool ok;

	s.channel = arena_alloc(s.arena, sizeof(*s.channel));
	s.channel->in = in;
	s.channel->out = out;
	ok = serve(&s, e);
	peer_close(s.session);
	ok = ok || s.channel->closed;
	arena_free(s.arena);
	return ok;
}
