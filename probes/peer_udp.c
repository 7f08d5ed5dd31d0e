/* One UDP probe as the client runs it: ask, send or receive, take the result. */
#include "peer_session.h"

#include <math.h>
#include <string.h>

struct asking {
	struct session *s;
	struct arena *arena;
	struct udp_spec spec;
	struct udp *udp;          /* NULL until the server is ready */
	struct message result;    /* NONE until it came */
	double asked_s, drained_s; /* drained_s: what is on its way has come by then; NAN before */
	bool stopped;
};

static bool
lost(const struct asking *x, const char *why, struct err *e)
{
	return fail(e, ERR_FAILED, "peer %s: %s", x->s->name, why);
}

static bool
begin(struct asking *x, const struct message *m, struct err *e)
{
	struct err refused = { .code = ERR_NONE };

	if (m->max_bytes > 0 && !(x->spec.max_bytes > 0 && x->spec.max_bytes < m->max_bytes))
		x->spec.max_bytes = m->max_bytes;
	x->udp = udp_new(x->arena, &x->spec, &x->s->keys, (uint32_t)x->s->trial, false, NULL,
	    &x->s->to, &refused);
	return x->udp != NULL || lost(x, refused.text, e);
}

static bool
message(struct asking *x, const struct message *m, struct err *e)
{
	if (m->type == MESSAGE_BYE)
		return fail(e, ERR_FAILED, "peer %s ended the run: %.200s", x->s->name,
		    m->why != NULL ? m->why : "no reason given");
	if (m->trial != x->s->trial)
		return lost(x, "answers to something that was not asked", e);
	if (m->type == MESSAGE_READY)
		return x->udp != NULL || begin(x, m, e);
	if (m->type != MESSAGE_RESULT)
		return lost(x, "sends messages that only a client sends", e);
	x->result = *m;
	return true;
}

static bool
hear(struct asking *x, struct err *e)
{
	struct channel *c = &x->s->channel;
	struct err why = { .code = ERR_NONE };
	bool alive = channel_fill(c, &why);
	struct message m;

	do {
		if (!message_next(x->arena, c, &m, e) ||
		    (m.type != MESSAGE_NONE && !message(x, &m, e)))
			return false;
	} while (m.type != MESSAGE_NONE && x->result.type == MESSAGE_NONE);
	if (x->result.type == MESSAGE_NONE && (!alive || c->closed))
		return lost(x, alive ? "closed the session" : why.text, e);
	return true;
}

/* Our datagrams have had the time to arrive. */
static bool
stop_when_drained(struct asking *x, double now, struct err *e)
{
	struct message m = message_new(MESSAGE_STOP, x->s->trial);

	if (x->stopped || x->udp == NULL || x->spec.direction != DIR_SEND || !udp_over(x->udp))
		return true;
	if (isnan(x->drained_s))
		x->drained_s = now + UDP_DRAIN_S + x->s->idle_ms / 1e3;
	if (now < x->drained_s)
		return true;
	x->stopped = true;
	return message_send(x->arena, &x->s->channel, &m, e);
}

/* With the server's result the last of its datagrams may still be on their way. */
static bool
finished(struct asking *x, double now)
{
	if (x->result.type == MESSAGE_NONE)
		return false;
	if (x->udp == NULL || x->spec.direction == DIR_SEND || x->result.status != TRIAL_OK)
		return true;
	if (isnan(x->drained_s))
		x->drained_s = now + UDP_DRAIN_S;
	return now >= x->drained_s;
}

static bool
drive(struct asking *x, struct err *e)
{
	double most_s = UDP_WAIT_S + x->spec.duration_s + 2 * PEER_ANSWER_S, now;
	struct pollfd p[3];

	while (now = flow_clock_s(), !finished(x, now)) {
		size_t n = 1;

		if (now - x->asked_s >= most_s)
			return lost(x, "no longer answers", e);
		p[0] = (struct pollfd){ .fd = x->s->channel.fd,
			.events = channel_pending(&x->s->channel) ? POLLIN | POLLOUT : POLLIN };
		if (x->udp != NULL)
			n += udp_poll(x->udp, p + 1);
		if (!session_poll(p, n, x->udp != NULL ? udp_timeout_ms(x->udp) : 100, e))
			return false;
		if ((p[0].revents & POLLOUT) != 0 && !channel_flush(&x->s->channel, e))
			return false;
		if (p[0].revents & (POLLIN | POLLHUP | POLLERR) && !hear(x, e))
			return false;
		if (x->udp != NULL && n == 2)
			udp_step(x->udp, p + 1);
		if (!stop_when_drained(x, now, e))
			return false;
	}
	return true;
}

/* All of what was sent may arrive in the second half of the time, and not more. */
static bool
credible(const struct message *m, const struct udp_result *sent, double rate_bps)
{
	double sent_bytes = isnan(sent->sent_bytes) ? 0 : sent->sent_bytes;

	return !(m->got_bytes > sent_bytes) && !(m->got_bps > 2.01 * rate_bps);
}

static struct udp_result
result_of(const struct asking *x)
{
	struct udp_result r = { NULL, NAN, NAN, NAN, NAN, NAN, NAN };

	if (x->udp != NULL)
		r = udp_result(x->udp, x->arena);
	if (x->spec.direction == DIR_SEND && !credible(&x->result, &r, x->spec.rate_bps)) {
		r.why = "the peer claims to have received what was not sent";
		return r;
	}
	message_to_udp_result(&x->result, &r);
	if (r.why == NULL && !(r.got_bytes > 0))
		r.why = "no datagram came through: a firewall, or NAT for TCP only";
	if (r.sent_bytes > 0)
		r.loss = fmax(0, 1 - r.got_bytes / r.sent_bytes);
	return r;
}

bool
peer_udp(struct session *s, struct arena *a, const struct udp_spec *u, struct udp_result *out,
    struct err *e)
{
	struct asking *x = arena_alloc(a, sizeof(*x));
	struct message m = message_new(MESSAGE_UDP, s->trial + 1);
	bool ok;

	if (!udp_check(u, e))
		return false;
	*x = (struct asking){ .s = s, .arena = a, .spec = *u, .drained_s = NAN,
		.asked_s = flow_clock_s() };
	s->trial++;
	message_from_udp(&m, u);
	ok = message_send(a, &s->channel, &m, e) && drive(x, e);
	if (ok)
		*out = result_of(x);
	udp_close(x->udp);
	return ok;
}
