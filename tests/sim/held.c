#include "held.h"

#include "tuner/stairs.h"

#include <math.h>

#define MSS_BYTES 1448.
#define MATHIS 1.22    /* packets in flight = 1.22 / sqrt(loss) */
#define GOODPUT .965   /* of a rate on the wire */
#define OPEN_BYTES 32e6
#define MARGIN 1.25    /* that what does not limit has at least */
#define UDP_BYTES_MOST (256. * 1048576) /* of a probe: PATH_UDP_BYTES */
#define LOSS_MOST .05
#define WINDOW_LEAST 16384.
#define INTERVALS 30
#define STREAMS 4.

static double
between(struct random *r, double low, double high)
{
	return low * pow(high / low, random_uniform(r));
}

/* About 1, as repeated measurements differ. */
static double
noise(struct random *r)
{
	return exp(.03 * random_normal(r));
}

/* ---- what is imposed ------------------------------------------------------------------------ */

static double
bdp(double bps, double rtt_ms)
{
	return bps / 8 * rtt_ms / 1e3;
}

static void
impose(struct held *h, double bps, struct random *r)
{
	double packets = bdp(bps, h->rtt_ms) / MSS_BYTES;
	enum held_end end = random_bits(r) & 1 ? SENDER : RECEIVER;

	switch (h->cause) {
	case LIMIT_RWND:
	case LIMIT_SNDBUF:
		h->window_bytes[h->cause == LIMIT_RWND] = fmax(WINDOW_LEAST, bdp(bps, h->rtt_ms));
		break;
	case LIMIT_CWND:
		h->loss = fmin(LOSS_MOST, pow(MATHIS / packets, 2));
		break;
	case LIMIT_POLICER:
		h->police_bps = .8 * bps; /* a bucket that lets nearly all pass is none */
		break;
	case LIMIT_CPU:
	case LIMIT_PEER_CPU:
		end = (h->cause == LIMIT_CPU) == (h->direction == DIR_SEND) ? SENDER : RECEIVER;
		h->cpu_bps[end] = bps;
		h->interrupts[end] = random_bits(r) & 1;
		break;
	case LIMIT_WRITER:
	case LIMIT_READER:
		h->app_bps[h->cause == LIMIT_READER] = bps;
		break;
	case LIMIT_GROWTH:
		h->window_bytes[end] = fmax(WINDOW_LEAST, bdp(bps, h->rtt_ms));
		h->growth = between(r, 1.4, 3);
		break;
	case LIMIT_NIC:
		h->nic_bps = bps;
		h->nic_queue = random_bits(r) & 1 ? between(r, .1, 3) : 0;
		break;
	default:
		break;
	}
}

void
held_random(struct held *h, enum limiter cause, struct random *r)
{
	double share = between(r, .03, 1 / MARGIN);

	*h = (struct held){ .cause = cause, .direction = random_bits(r) & 1 ? DIR_SEND : DIR_RECEIVE,
		.sight = (enum sight)(random_bits(r) % 4), .capacity_bps = between(r, 20e6, 1e9),
		.rtt_ms = between(r, 10, 250), .queue_bdp = between(r, .3, 2), .growth = 1,
		.window_bytes = { OPEN_BYTES, OPEN_BYTES } };
	h->link_bps = h->capacity_bps * between(r, 1, 5);
	for (int end = SENDER; end <= RECEIVER; end++)
		h->window_bytes[end] = fmax(h->window_bytes[end],
		    4 * bdp(h->capacity_bps, h->rtt_ms));
	if (cause == LIMIT_NIC)
		share = between(r, .005, .2); /* less is no cause that anybody could tell */
	h->forgotten = random_bits(r) & random_bits(r); /* a quarter of all */
	h->busy = random_bits(r) % 4 == 0;
	impose(h, share * h->capacity_bps, r);
}

/* ---- what comes of it ----------------------------------------------------------------------- */

static double
least(double a, double b)
{
	return b > 0 ? fmin(a, b) : a;
}

/* n connections. */
static double
rate(const struct held *h, const double window_bytes[2], double n)
{
	double bps = h->capacity_bps * (h->queue_bdp < .1 ? .7 : 1);
	double window = fmin(window_bytes[SENDER], window_bytes[RECEIVER]);

	bps = least(bps, h->police_bps * .97);
	bps = fmin(bps, n * 8 * window / (h->rtt_ms / 1e3) / (h->growth > 1 ? 1.5 : 1));
	if (h->loss > 0)
		bps = fmin(bps, n * MATHIS * MSS_BYTES * 8 / (h->rtt_ms / 1e3) / sqrt(h->loss));
	for (int end = SENDER; end <= RECEIVER; end++)
		bps = least(least(bps, h->app_bps[end]), h->cpu_bps[end]);
	return GOODPUT * least(bps, h->nic_bps);
}

static double
loaded_ms(const struct held *h, bool full, struct random *r)
{
	double queues = full ? h->queue_bdp * between(r, .5, 1) : 0;

	if (h->nic_bps > 0)
		queues = h->nic_queue;
	return h->rtt_ms * (1 + queues) * (1 + .01 * fabs(random_normal(r))) +
	    .5 * random_uniform(r);
}

/* Fraction of the segments that is sent again. */
static double
sent_again(const struct held *h, bool full, double packets, struct random *r)
{
	if (h->loss > 0)
		return h->loss * noise(r);
	if (h->police_bps > 0)
		return between(r, 5e-4, .05);
	return full ? fmin(.01, pow(MATHIS / packets, 2)) : 0;
}

static void
cpu_of(const struct held *h, struct trial *t, struct random *r)
{
	for (int end = SENDER; end <= RECEIVER; end++) {
		bool ours = (end == SENDER) == (h->direction == DIR_SEND);
		bool short_of = h->cpu_bps[end] > 0;
		double used = fmin(.6, t->goodput_bps / 4e9) * noise(r);
		double wait = h->busy ? between(r, .1, .7) : between(r, .005, .1);
		double system = fmin(.5, t->goodput_bps / 3e9) * noise(r);

		if (short_of && h->interrupts[end]) {
			system = between(r, .93, 1);
		} else if (short_of) {
			used = between(r, .02, .95);
			wait = between(r, .93, .99) - used;
		}
		*(ours ? &t->cpu : &t->peer_cpu) = used;
		*(ours ? &t->cpu_wait : &t->peer_cpu_wait) = wait;
		*(ours ? &t->system_cpu : &t->peer_system_cpu) = system;
	}
}

/* Shares of the sender's time, and what lies in the sockets. */
static void
sockets_of(const struct held *h, const double window_bytes[2], bool held, struct trial *t,
    struct random *r)
{
	double room = fmax(0, window_bytes[SENDER] - t->inflight_bytes);
	bool rwnd = held && window_bytes[RECEIVER] < window_bytes[SENDER];
	bool slow_reader = h->app_bps[RECEIVER] > 0 ||
	    (h->cpu_bps[RECEIVER] > 0 && !h->interrupts[RECEIVER]);

	t->rwnd_limited = (held && rwnd) || slow_reader ? between(r, .75, 1) : between(r, 1e-4, .05);
	t->sndbuf_limited = held && !rwnd ? between(r, .25, .95) : between(r, 1e-4, .06);
	t->idle_writes = h->app_bps[SENDER] > 0 ? between(r, .9, 1) : between(r, 1e-4, .05);
	t->unsent_bytes = h->app_bps[SENDER] > 0 || (held && !rwnd) ? 0 : room * between(r, .3, 1);
	t->rwnd_bytes = rwnd ? t->inflight_bytes * between(r, 1, 1.1) : window_bytes[RECEIVER];
	t->unread_bytes = 0;
	if (slow_reader) { /* the buffer is full of what it has not read yet */
		t->rwnd_bytes = t->inflight_bytes * between(r, 1, 1.15);
		t->unread_bytes = window_bytes[RECEIVER] - t->rwnd_bytes;
	}
}

static void
intervals_of(const struct held *h, struct arena *a, struct trial *t, struct random *r)
{
	t->n_intervals_bps = INTERVALS;
	t->intervals_bps = arena_array(a, INTERVALS, sizeof(double));
	for (size_t i = 0; i < INTERVALS; i++) {
		double at = (double)i / (INTERVALS - 1);

		t->intervals_bps[i] = t->goodput_bps * noise(r) *
		    (2 + 2 * at * (h->growth * 1.3 - 1)) / (1 + h->growth * 1.3);
	}
	t->warmup_s = 0;
}

/* What a system does not tell is not known. */
static void
hide(enum sight sight, struct trial *t)
{
	if (sight == SIGHT_TIMES)
		return;
	t->rwnd_limited = t->sndbuf_limited = t->delivery_rate_bps = NAN;
	t->retransmits = t->inflight_bytes = t->cwnd_bytes = t->rwnd_bytes = NAN;
	t->unsent_bytes = t->cpu_wait = t->system_cpu = NAN;
	if (sight == SIGHT_NONE)
		t->idle_writes = t->unread_bytes = t->cpu = t->peer_cpu = t->peer_cpu_wait = NAN;
}

static void
forget(const struct held *h, struct trial *t)
{
	double *all[] = { &t->rwnd_limited, &t->sndbuf_limited, &t->delivery_rate_bps,
		&t->retransmits, &t->inflight_bytes, &t->cwnd_bytes, &t->rwnd_bytes,
		&t->unsent_bytes, &t->unread_bytes, &t->idle_writes, &t->cpu, &t->cpu_wait,
		&t->peer_cpu, &t->peer_cpu_wait, &t->system_cpu, &t->peer_system_cpu,
		&t->rtt.idle_ms, &t->rtt.loaded_ms };

	for (size_t i = 0; i < NELEM(all); i++) {
		if (h->forgotten >> i & 1)
			*all[i] = NAN;
	}
}

void
held_trial(const struct held *h, struct arena *a, double window_bytes, struct random *r,
    struct trial *t)
{
	double window[2] = { h->window_bytes[SENDER], h->window_bytes[RECEIVER] }, bps;
	bool full, held;

	window[h->direction == DIR_RECEIVE] = window_bytes;
	record_init(&trial_record, t);
	bps = rate(h, window, 1);
	full = bps >= GOODPUT * h->capacity_bps * .99;
	t->direction = h->direction;
	t->setting = (struct setting){ h->direction == DIR_SEND ? "cubic" : NULL, window_bytes,
		NULL, 0 };
	t->status = TRIAL_OK;
	t->steady = true;
	t->streams = 1;
	t->goodput_bps = bps * noise(r);
	t->rtt.idle_ms = t->rtt.min_ms = h->rtt_ms * (1 + .01 * random_uniform(r));
	t->rtt.loaded_ms = loaded_ms(h, full, r);
	t->inflight_bytes = fmin(bdp(bps / GOODPUT, t->rtt.loaded_ms),
	    fmin(window[SENDER], window[RECEIVER]));
	held = t->inflight_bytes >= .6 * fmin(window[SENDER], window[RECEIVER]);
	t->retransmits = sent_again(h, full, t->inflight_bytes / MSS_BYTES, r);
	t->delivery_rate_bps = t->goodput_bps * (h->loss > 0 || h->police_bps > 0 ?
	    between(r, 1.1, 1.6) : held ? between(r, 1.05, 1.5) : between(r, 1.01, 1.06));
	t->cwnd_bytes = t->inflight_bytes * (h->loss > 0 || h->police_bps > 0 || full ?
	    between(r, .95, 1.1) : between(r, 1.5, 10));
	sockets_of(h, window, held && !full, t, r);
	cpu_of(h, t, r);
	intervals_of(h, a, t, r);
	if (h->sight == SIGHT_PATCHY)
		forget(h, t);
	else
		hide(h->sight, t);
}

/* ---- by other means ------------------------------------------------------------------------- */

void
held_path(const struct held *h, double known_bps, struct random *r, struct path_fact *out)
{
	double carries = least(h->capacity_bps, h->police_bps) * (1 - h->loss), sent;
	struct stairs s;

	record_init(&path_fact_record, out);
	out->direction = h->direction;
	out->one_bps = known_bps;
	out->udp_bytes = 0;
	out->udp_burst_bps = h->capacity_bps * between(r, .9, 1);
	for (int end = SENDER; end <= RECEIVER; end++)
		carries = least(carries, h->cpu_bps[end] * between(r, .8, 1.5));
	stairs_init(&s, known_bps, 2 * h->link_bps);
	while (stairs_next(&s, &sent) && out->udp_bytes + sent / 8 <= UDP_BYTES_MOST) {
		double got = fmin(sent, GOODPUT * carries) * noise(r);

		out->udp_bytes += sent / 8;
		stairs_tell(&s, sent, sent, fmin(sent, got), fmax(0, 1 - got / sent), out);
	}
	out->streams = STREAMS;
	out->streams_bps = rate(h, h->window_bytes, STREAMS) * noise(r);
}
