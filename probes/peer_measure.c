/* One trial as the client runs it: ask, connect the streams, drive our end, take the result. */
#include "peer_session.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { AT_CONTROL, AT_STREAMS, AT_ROOM = AT_STREAMS + FLOW_STREAMS_MAX + 1 };

/* A data connection on its way to being a stream. */
struct dial {
	int fd; /* -1: handed on to the flow */
	bool connected;
	double began_s;
	unsigned char hello[WIRE_HELLO];
	size_t len;
};

struct attempt {
	struct session *s;
	struct arena *arena;
	const struct flow_spec *spec;
	struct flow *flow;
	struct dial dial[FLOW_STREAMS_MAX];
	struct message result; /* NONE until it came */
	double stopped_s;      /* STOP was sent; NAN before */
	double deadline_s;
	double ticked_s;
};

static bool
lost(const struct attempt *at, const char *why, struct err *e)
{
	return fail(e, ERR_FAILED, "peer %s: %s", at->s->name, why);
}

static bool
attempt_message(struct attempt *at, const struct message *m, struct err *e)
{
	if (m->type == MESSAGE_BYE)
		return fail(e, ERR_FAILED, "peer %s ended the run: %.200s", at->s->name,
		    m->why != NULL ? m->why : "no reason given");
	if (m->trial != at->s->trial)
		return lost(at, "answers to something that was not asked", e);
	if (m->type == MESSAGE_READY && m->max_bytes > 0)
		flow_cap(at->flow, m->max_bytes);
	else if (m->type == MESSAGE_RESULT)
		at->result = *m;
	else if (m->type != MESSAGE_READY)
		return lost(at, "sends messages that only a client sends", e);
	return true;
}

/* What the peer said before its end failed comes first: it may say why. */
static bool
attempt_hear(struct attempt *at, struct err *e)
{
	struct channel *c = &at->s->channel;
	struct err why = { .code = ERR_NONE };
	bool alive = channel_fill(c, &why);
	struct message m;

	do {
		if (!message_next(at->arena, c, &m, e) ||
		    (m.type != MESSAGE_NONE && !attempt_message(at, &m, e)))
			return false;
		/* What follows a result, as a goodbye may, is for the next trial to hear. */
	} while (m.type != MESSAGE_NONE && at->result.type == MESSAGE_NONE);
	if (at->result.type == MESSAGE_NONE && !alive)
		return lost(at, why.text, e);
	if (at->result.type == MESSAGE_NONE && c->closed)
		return lost(at, "closed the session", e);
	return true;
}

static bool
attempt_sent(struct attempt *at, bool ok, const struct err *why, struct err *e)
{
	if (ok)
		return true;
	return attempt_hear(at, e) &&
	    (at->result.type != MESSAGE_NONE || lost(at, why->text, e));
}

static bool
attempt_send(struct attempt *at, const struct message *m, struct err *e)
{
	struct err why = { .code = ERR_NONE };

	return attempt_sent(at, message_send(at->arena, &at->s->channel, m, &why), &why, e);
}

/* Wait with n stream entries filled in from p[AT_STREAMS] on. */
static bool
attempt_poll(struct attempt *at, struct pollfd *p, size_t n, int timeout_ms, struct err *e)
{
	struct channel *c = &at->s->channel;
	struct err why = { .code = ERR_NONE };

	p[AT_CONTROL] = (struct pollfd){ .fd = c->fd,
		.events = channel_pending(c) ? POLLIN | POLLOUT : POLLIN };
	if (!session_poll(p, AT_STREAMS + n, timeout_ms, e))
		return false;
	if ((p[AT_CONTROL].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !attempt_hear(at, e))
		return false;
	return (p[AT_CONTROL].revents & POLLOUT) == 0 ||
	    attempt_sent(at, channel_flush(c, &why), &why, e);
}

static bool
attempt_stop(struct attempt *at, struct err *e)
{
	struct message m = message_new(MESSAGE_STOP, at->s->trial);

	if (!isnan(at->stopped_s))
		return true;
	at->stopped_s = flow_clock_s();
	return attempt_send(at, &m, e);
}

static bool
attempt_ask(struct attempt *at, struct err *e)
{
	struct message m = message_new(MESSAGE_TRIAL, ++at->s->trial);

	if (!attempt_hear(at, e))
		return false;
	message_from_spec(&m, at->spec);
	return attempt_send(at, &m, e);
}

/* Not the session's failure but this transfer's: a note in the flow. */
static void
attempt_void(struct attempt *at, const char *why)
{
	flow_fail(at->flow, TRIAL_VOID, why);
}

static bool
dial_begin(struct attempt *at, struct dial *d)
{
	struct err why = { .code = ERR_NONE };

	d->began_s = flow_clock_s();
	d->fd = net_socket(&at->s->to, &why);
	if (d->fd != -1 && at->spec->direction == DIR_SEND && at->spec->cc != NULL)
		(void)flow_set_cc(d->fd, at->spec->cc, &why);
	if (why.code == ERR_NONE && at->spec->pin_bytes > 0)
		(void)flow_pin(d->fd, at->spec->pin_bytes, &why);
	if (why.code == ERR_NONE && net_connect(d->fd, &at->s->to) < 0)
		session_refused(at->s->name, errno, &why);
	if (why.code != ERR_NONE)
		attempt_void(at, why.text);
	return why.code == ERR_NONE;
}

/* The greeting is there: answer with our claim, and the connection is a stream. */
static void
dial_claim(struct attempt *at, struct dial *d)
{
	unsigned char nonce[WIRE_NONCE], claim[WIRE_DATA];

	if (!wire_hello_read(d->hello, nonce)) {
		attempt_void(at, "a data connection was not greeted as by a pathtune server");
		return;
	}
	wire_data(&at->s->keys, nonce, (uint32_t)at->s->trial, (uint32_t)(d - at->dial), claim);
	if (send(d->fd, claim, sizeof(claim), MSG_NOSIGNAL) != (ssize_t)sizeof(claim)) {
		attempt_void(at, "a data connection was closed before it began");
		return;
	}
	flow_add(at->flow, d->fd);
	d->fd = -1;
}

static void
dial_step(struct attempt *at, struct dial *d)
{
	ssize_t n;
	int why;

	if (!d->connected) {
		why = net_connected(d->fd);
		if (why != 0) {
			struct err text = { .code = ERR_NONE };

			session_refused(at->s->name, why, &text);
			attempt_void(at, text.text);
			return;
		}
		d->connected = true;
		at->s->idle_ms = fmin(at->s->idle_ms, (flow_clock_s() - d->began_s) * 1e3);
		return;
	}
	n = recv(d->fd, d->hello + d->len, sizeof(d->hello) - d->len, 0);
	if (n == 0 || (n < 0 && !net_later())) {
		attempt_void(at, "a data connection was closed by the peer before it began");
		return;
	}
	d->len += n > 0 ? (size_t)n : 0;
	if (d->len == sizeof(d->hello))
		dial_claim(at, d);
}

static size_t
dial_poll(const struct attempt *at, struct pollfd *p)
{
	for (unsigned i = 0; i < at->spec->streams; i++)
		p[i] = (struct pollfd){ .fd = at->dial[i].fd,
			.events = at->dial[i].connected ? POLLIN : POLLOUT };
	return at->spec->streams;
}

/* Connect all streams; true also when that failed, then the flow is over. */
static bool
attempt_dial(struct attempt *at, struct err *e)
{
	double deadline = flow_clock_s() + PEER_CONNECT_S;
	struct pollfd p[AT_ROOM];

	for (unsigned i = 0; i < at->spec->streams; i++)
		if (!dial_begin(at, &at->dial[i]))
			return true;
	while (flow_streams(at->flow) < at->spec->streams && !flow_over(at->flow) &&
	    at->result.type == MESSAGE_NONE) {
		size_t n = dial_poll(at, p + AT_STREAMS);

		if (!attempt_poll(at, p, n, 100, e))
			return false;
		for (size_t i = 0; i < n && !flow_over(at->flow); i++)
			if (at->dial[i].fd != -1 && p[AT_STREAMS + i].revents != 0)
				dial_step(at, &at->dial[i]);
		if (flow_clock_s() >= deadline)
			attempt_void(at, "the data connections did not come about within 10 s");
	}
	if (!flow_over(at->flow) && flow_streams(at->flow) == at->spec->streams)
		flow_start(at->flow);
	return true;
}

static void
attempt_tick(struct attempt *at, const struct progress *p)
{
	double now = flow_clock_s();

	if (p == NULL || p->tick == NULL || now - at->ticked_s < FLOW_INTERVAL_S)
		return;
	at->ticked_s = now;
	p->tick(p->arg, flow_seconds(at->flow), flow_now_bps(at->flow));
}

/* Until the result is there, or the time in which it must come is over. */
static bool
attempt_drive(struct attempt *at, const struct progress *progress, struct err *e)
{
	struct pollfd p[AT_ROOM];

	while (at->result.type == MESSAGE_NONE) {
		double now = flow_clock_s();
		size_t n;

		if (now >= at->deadline_s)
			flow_fail(
			    at->flow, TRIAL_TIMEOUT, "the peer did not end the transfer in time");
		if (flow_over(at->flow) && !attempt_stop(at, e))
			return false;
		if (!isnan(at->stopped_s) && now - at->stopped_s >= PEER_ANSWER_S)
			return lost(at, "no longer answers", e);
		n = flow_poll(at->flow, p + AT_STREAMS);
		if (!attempt_poll(at, p, n, flow_timeout_ms(at->flow), e))
			return false;
		flow_step(at->flow, p + AT_STREAMS);
		attempt_tick(at, progress);
	}
	flow_stop(at->flow);
	return true;
}

/* Whoever has the token may still be nobody's friend. */
static void
attempt_disbelieve(const struct attempt *at, struct trial *t)
{
	if (t->status == TRIAL_OK)
		t->why = "the peer claims to have received what was not sent";
	t->status = t->status == TRIAL_OK ? TRIAL_VOID : t->status;
	t->bytes = flow_bytes(at->flow);
	t->intervals_bps = NULL;
	t->n_intervals_bps = 0;
}

static void
attempt_fill(const struct attempt *at, struct trial *t)
{
	flow_fill(at->flow, at->arena, t);
	if (at->spec->direction == DIR_RECEIVE && t->status != TRIAL_OK &&
	    at->result.status != TRIAL_OK && flow_seconds(at->flow) == 0) {
		t->status = TRIAL_OK; /* nothing came: the sender knows why */
	}
	message_to_trial(&at->result, t);
	t->rtt.idle_ms = at->s->idle_ms;
	if (t->status == TRIAL_OK && !(t->goodput_bps > 0)) {
		t->status = TRIAL_VOID;
		t->why = "the peer's result holds no goodput";
	}
	if (at->spec->direction == DIR_SEND &&
	    !message_credible(&at->result, flow_bytes(at->flow)))
		attempt_disbelieve(at, t);
	if (t->status != TRIAL_OK)
		t->goodput_bps = NAN;
}

static bool
attempt_run(struct attempt *at, const struct progress *p, struct trial *t, struct err *e)
{
	if (!attempt_ask(at, e) || !attempt_dial(at, e))
		return false;
	at->deadline_s =
	    flow_clock_s() + at->spec->warmup_s + at->spec->duration_s + 3 * FLOW_STALL_S;
	if (!attempt_drive(at, p, e))
		return false;
	attempt_fill(at, t);
	return true;
}

bool
peer_measure(struct session *s, struct arena *a, const struct flow_spec *f,
    const struct progress *p, struct trial *t, struct err *e)
{
	struct attempt *at = arena_alloc(a, sizeof(*at));
	struct trial measured = *t;
	bool ok;

	if (!flow_check(f, e))
		return false;
	*at = (struct attempt){ .s = s, .arena = a, .spec = f, .stopped_s = NAN };
	at->flow = flow_new(a, f);
	for (unsigned i = 0; i < FLOW_STREAMS_MAX; i++)
		at->dial[i].fd = -1;
	flow_void(&measured, NULL);
	measured.direction = f->direction;
	measured.streams = f->streams;
	ok = attempt_run(at, p, &measured, e);
	for (unsigned i = 0; i < FLOW_STREAMS_MAX; i++)
		if (at->dial[i].fd != -1)
			close(at->dial[i].fd);
	flow_close(at->flow);
	if (ok)
		*t = measured;
	return ok;
}
