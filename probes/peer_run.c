#include "peer_run.h"
#include "peer.h"

#include <math.h>
#include <stdio.h>

#define JOIN_S 10.0 /* for all streams of a trial to connect */
#define DRAIN_S 5.0 /* for the client to close them after the result */
#define CC_MAX 31
#define UDP_TRIAL_S (UDP_WAIT_S + 2 * UDP_SECONDS_MAX + JOIN_S)

struct served {
	struct channel channel;
	struct wire_session keys;
	struct arena *arena; /* of the session */
	struct arena *trial; /* of the present trial and the messages about it */
	struct flow_spec spec;
	struct flow *flow; /* NULL between trials, and during one by UDP */
	struct udp *udp;   /* NULL but in a trial by UDP */
	double number;     /* of the present or last trial */
	char cc[CC_MAX + 1]; /* of the present trial's sockets; "": the default */
	unsigned trials;
	bool told; /* its result was sent */
	double asked_s, told_s;
	double heard_s;     /* last message */
	double left_bytes;  /* before the present trial; NAN: no end */
	double moved_bytes; /* by the trials before */
	bool goodbye;
};

struct served *
served_new(int fd, const struct wire_session *keys, double left_bytes)
{
	struct arena *a = arena_new();
	struct served *r = arena_alloc(a, sizeof(*r));

	*r = (struct served){
		.keys = *keys, .arena = a, .trial = arena_new(), .left_bytes = left_bytes
	};
	r->heard_s = flow_clock_s();
	channel_init(&r->channel, fd, true, keys);
	return r;
}

static void
trial_clear(struct served *r)
{
	double before = r->moved_bytes;

	if (r->flow == NULL && r->udp == NULL)
		return;
	r->moved_bytes = served_bytes(r);
	r->left_bytes -= r->moved_bytes - before;
	flow_close(r->flow);
	udp_close(r->udp);
	r->flow = NULL;
	r->udp = NULL;
	arena_free(r->trial);
	r->trial = arena_new();
}

void
served_free(struct served *r)
{
	if (r == NULL)
		return;
	trial_clear(r);
	channel_close(&r->channel);
	arena_free(r->trial);
	arena_free(r->arena);
}

double
served_bytes(const struct served *r)
{
	return r->moved_bytes + (r->flow != NULL ? flow_bytes(r->flow) : 0) +
	    (r->udp != NULL ? udp_bytes(r->udp) : 0);
}

unsigned
served_trials(const struct served *r)
{
	return r->trials;
}

bool
served_busy(const struct served *r)
{
	return (r->flow != NULL || r->udp != NULL) && !r->told;
}

/* A stream; with buffers and control of its own if it is to have them, which it may not get. */
static void
stream_add(struct served *r, int fd)
{
	struct err refused = { .code = ERR_NONE };

	flow_add(r->flow, fd);
	if ((r->spec.pin_bytes > 0 && !flow_pin(fd, r->spec.pin_bytes, &refused)) ||
	    (r->cc[0] != '\0' && !flow_set_cc(fd, r->cc, &refused)))
		flow_fail(r->flow, TRIAL_VOID, refused.text);
	else if (flow_streams(r->flow) == r->spec.streams)
		flow_start(r->flow);
}

enum run_claim
served_claim(struct served *r, int fd, const unsigned char nonce[WIRE_NONCE],
    const unsigned char claim[WIRE_DATA])
{
	uint32_t trial, stream;

	if (!wire_data_check(&r->keys, nonce, claim, &trial, &stream))
		return CLAIM_REFUSED;
	if (trial == r->number + 1) /* the request for it is still on its way */
		return CLAIM_EARLY;
	if (trial != r->number || !served_busy(r) || r->flow == NULL || flow_over(r->flow) ||
	    stream >= r->spec.streams || flow_streams(r->flow) >= r->spec.streams)
		return CLAIM_REFUSED;
	stream_add(r, fd);
	return CLAIM_TAKEN;
}

static bool
trial_tell(struct served *r, struct err *e)
{
	struct message m = message_new(MESSAGE_RESULT, r->number);
	struct trial t = { .direction = r->spec.direction };

	flow_void(&t, NULL);
	flow_fill(r->flow, r->trial, &t);
	message_from_trial(&m, &t);
	r->told = true;
	r->told_s = flow_clock_s();
	if (r->spec.direction == DIR_SEND)
		flow_close(r->flow); /* what is queued would only keep the path busy */
	return message_send(r->trial, &r->channel, &m, e);
}

static bool
udp_tell(struct served *r, struct err *e)
{
	struct message m = message_new(MESSAGE_RESULT, r->number);
	struct udp_result result = udp_result(r->udp, r->trial);

	message_from_udp_result(&m, &result);
	r->told = true;
	r->told_s = flow_clock_s();
	udp_close(r->udp); /* nobody is heard any more */
	return message_send(r->trial, &r->channel, &m, e);
}

/* The smaller of two caps, where 0 and NAN are none. */
static double
cap(double asked, double left)
{
	if (isnan(left))
		return asked;
	return asked > 0 ? fmin(asked, left) : left;
}

static bool
trial_next(struct served *r, const struct message *m, struct err *e)
{
	if (served_busy(r) || m->trial != r->number + 1)
		return fail(e, ERR_FAILED, "a trial was asked for out of turn");
	trial_clear(r);
	r->number = m->trial;
	r->trials++;
	r->told = false;
	r->asked_s = flow_clock_s();
	return true;
}

/* No trial can be: the result says why. */
static bool
trial_refuse(struct served *r, const char *why, struct err *e)
{
	struct message m = message_new(MESSAGE_RESULT, r->number);

	m.status = TRIAL_VOID;
	m.why = why;
	r->told = true;
	r->told_s = flow_clock_s();
	return message_send(r->trial, &r->channel, &m, e);
}

/* At the address and port of the control connection, for the host at its other end alone. */
static bool
udp_begin(struct served *r, const struct message *m, struct err *e)
{
	struct net_address local = { .len = sizeof(local.addr) }, remote = local;
	struct message ready = message_new(MESSAGE_READY, m->trial);
	struct err refused = { .code = ERR_NONE };
	struct udp_spec u;

	if (!trial_next(r, m, e))
		return false;
	message_to_udp(m, &u);
	u.max_bytes = cap(u.max_bytes, r->left_bytes);
	if (!udp_check(&u, &refused))
		return trial_refuse(r, refused.text, e);
	if (r->left_bytes <= 0)
		return trial_refuse(r, "the server's byte cap is used up", e);
	if (getsockname(r->channel.fd, (struct sockaddr *)&local.addr, &local.len) != 0 ||
	    getpeername(r->channel.fd, (struct sockaddr *)&remote.addr, &remote.len) != 0)
		return fail(e, ERR_FAILED, "the client vanished");
	r->udp = udp_new(r->trial, &u, &r->keys, (uint32_t)r->number, true, &local, &remote,
	    &refused);
	if (r->udp == NULL)
		return trial_refuse(r, refused.text, e);
	ready.max_bytes = u.max_bytes;
	return message_send(r->trial, &r->channel, &ready, e);
}

static bool
trial_begin(struct served *r, const struct message *m, struct err *e)
{
	struct message ready = message_new(MESSAGE_READY, m->trial);
	struct err refused = { .code = ERR_NONE };

	/* Its text may go with the trial before. */
	snprintf(r->cc, sizeof(r->cc), "%s", m->cc != NULL && m->direction == DIR_RECEIVE ?
	    m->cc : "");
	if (!trial_next(r, m, e))
		return false;
	message_to_spec(m, &r->spec);
	r->spec.max_bytes = cap(r->spec.max_bytes, r->left_bytes);
	r->flow = flow_new(r->trial, &r->spec);
	if (!flow_check(&r->spec, &refused)) {
		flow_fail(r->flow, TRIAL_VOID, refused.text);
		return true;
	}
	if (r->left_bytes <= 0) {
		flow_fail(r->flow, TRIAL_VOID, "the server's byte cap is used up");
		return true;
	}
	ready.max_bytes = r->spec.max_bytes;
	return message_send(r->trial, &r->channel, &ready, e);
}

static bool
trial_stop(struct served *r, const struct message *m, struct err *e)
{
	if (m->trial != r->number || (r->flow == NULL && r->udp == NULL && !r->told))
		return fail(e, ERR_FAILED, "a trial was stopped that is not running");
	if (r->told)
		return true; /* our result and this have crossed */
	if (r->udp != NULL) {
		udp_stop(r->udp);
		return true;
	}
	if (r->spec.direction == DIR_RECEIVE || flow_streams(r->flow) < r->spec.streams)
		flow_fail(r->flow, TRIAL_VOID, "called off by the client");
	flow_stop(r->flow);
	return true;
}

static bool
run_message(struct served *r, const struct message *m, struct err *e)
{
	r->heard_s = flow_clock_s();
	switch (m->type) {
	case MESSAGE_TRIAL:
		return trial_begin(r, m, e);
	case MESSAGE_UDP:
		return udp_begin(r, m, e);
	case MESSAGE_STOP:
		return trial_stop(r, m, e);
	case MESSAGE_BYE:
		r->goodbye = true;
		return false;
	default:
		return fail(e, ERR_FAILED, "a message came that only a server sends");
	}
}

static bool
run_hear(struct served *r, short revents, struct err *e)
{
	struct message m;

	if (revents & POLLOUT && !channel_flush(&r->channel, e))
		return false;
	if ((revents & (POLLIN | POLLHUP | POLLERR)) == 0)
		return true;
	if (!channel_fill(&r->channel, e))
		return false;
	do {
		if (!message_next(r->trial, &r->channel, &m, e) ||
		    (m.type != MESSAGE_NONE && !run_message(r, &m, e)))
			return false;
	} while (m.type != MESSAGE_NONE);
	if (r->channel.closed)
		return fail(e, ERR_FAILED, "the client vanished");
	return true;
}

static bool
run_clock(struct served *r, struct err *e)
{
	double now = flow_clock_s();

	if (r->flow != NULL && !r->told && flow_streams(r->flow) < r->spec.streams &&
	    now - r->asked_s >= JOIN_S)
		flow_fail(
		    r->flow, TRIAL_VOID, "the data connections did not come about within 10 s");
	if (r->flow != NULL && !r->told && flow_over(r->flow) && !trial_tell(r, e))
		return false;
	if (r->udp != NULL && !r->told && now - r->asked_s >= UDP_TRIAL_S)
		udp_fail(r->udp, "the client did not end the UDP probe in time");
	if (r->udp != NULL && !r->told && udp_over(r->udp) && !udp_tell(r, e))
		return false;
	if (r->flow != NULL && r->told && now - r->told_s >= DRAIN_S)
		trial_clear(r);
	if (!served_busy(r) && now - fmax(r->heard_s, r->told_s) >= PEER_IDLE_S)
		return fail(
		    e, ERR_FAILED, "nothing was heard from the client for %g s", PEER_IDLE_S);
	return true;
}

size_t
served_poll(const struct served *r, struct pollfd *p)
{
	p[0] = (struct pollfd){ .fd = r->channel.fd,
		.events = channel_pending(&r->channel) ? POLLIN | POLLOUT : POLLIN };
	if (r->udp != NULL)
		return 1 + udp_poll(r->udp, p + 1);
	return 1 + (r->flow != NULL ? flow_poll(r->flow, p + 1) : 0);
}

int
served_timeout_ms(const struct served *r)
{
	if (r->udp != NULL)
		return udp_timeout_ms(r->udp);
	return r->flow != NULL ? flow_timeout_ms(r->flow) : 1000;
}

bool
served_step(struct served *r, const struct pollfd *p, struct err *e)
{
	if (r->flow != NULL)
		flow_step(r->flow, p + 1);
	else if (r->udp != NULL)
		udp_step(r->udp, p + 1);
	return run_hear(r, p[0].revents, e) && run_clock(r, e);
}

void
served_bye(struct served *r, const char *why)
{
	struct message m = message_new(MESSAGE_BYE, 0);
	struct err ignored = { .code = ERR_NONE };

	m.why = why;
	(void)message_send(r->trial, &r->channel, &m, &ignored); /* a courtesy */
}
