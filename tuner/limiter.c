#include "limiter_state.h"
#include "stats.h"
#include "units.h"

#include <math.h>
#include <string.h>

/*
 * A sender spends some of its busy time waiting for buffers even on a path that is full; from a
 * fifth of the time on the wait is what decides (measured in the lab: .33 with a send buffer of a
 * quarter of the BDP, .94 with a tiny receive window, below .05 on full paths).
 */
#define LIMITED_SHARE 0.2
#define FULL_SHARE 0.9  /* of the usable window in flight: the window is what decides */
#define BUSY_SHARE 0.85 /* of the time running or waiting to run: the CPU is what decides */
#define BEHIND_SHARE 0.5 /* the same of an end that did not keep up */
#define SYSTEM_SHARE 0.9 /* of a core spent on interrupts */
#define IDLE_SHARE 0.5  /* of looks at a sender that could have written more */
#define UNSENT_SHARE 0.1 /* of what is in flight: next to nothing waits in the buffer */
#define GROWTH 1.25     /* goodput of the last third over the first: still rising */
#define UNGROWN 0.7     /* of the window that the settings give */

bool
setting_same(const struct setting *a, const struct setting *b)
{
	if (a->window_bytes != b->window_bytes || a->n_extras != b->n_extras)
		return false;
	for (size_t i = 0; i < a->n_extras; i++) {
		if (strcmp(a->extras[i], b->extras[i]) != 0)
			return false;
	}
	if (a->cc == NULL || b->cc == NULL)
		return a->cc == b->cc;
	return strcmp(a->cc, b->cc) == 0;
}

/* ---- medians of the trials in question ------------------------------------------------------ */

static double
growth_of(const struct trial *t)
{
	size_t skip = isnan(t->warmup_s) ? 0 : (size_t)(t->warmup_s * 10 + .5);
	size_t n = t->n_intervals_bps > skip ? (t->n_intervals_bps - skip) / 3 : 0;
	double first = 0, last = 0;

	for (size_t i = 0; i < n; i++) {
		first += t->intervals_bps[skip + i];
		last += t->intervals_bps[t->n_intervals_bps - 1 - i];
	}
	return first > 0 ? last / first : NAN;
}

static double
median_of(const struct trial *t, size_t n, const bool *use, size_t offset)
{
	double v[STATS_MAX];
	size_t k = 0;

	for (size_t i = 0; i < n && k < STATS_MAX; i++) {
		double x;

		memcpy(&x, (const char *)&t[i] + offset, sizeof(x));
		if (use[i] && !isnan(x))
			v[k++] = x;
	}
	return stats_median(v, k);
}

static double
median_growth(const struct trial *t, size_t n, const bool *use)
{
	double v[STATS_MAX];
	size_t k = 0;

	for (size_t i = 0; i < n && k < STATS_MAX; i++) {
		double x = use[i] ? growth_of(&t[i]) : NAN;

		if (!isnan(x))
			v[k++] = x;
	}
	return stats_median(v, k);
}

static void
medians_of(struct question *q, const struct trial *t, size_t n)
{
	static const struct {
		size_t from, to;
	} members[] = {
#define MEMBER(from, to) { offsetof(struct trial, from), offsetof(struct medians, to) }
		MEMBER(rwnd_limited, rwnd), MEMBER(sndbuf_limited, sndbuf),
		MEMBER(retransmits, retransmits), MEMBER(goodput_bps, goodput),
		MEMBER(rtt.idle_ms, idle_ms), MEMBER(rtt.loaded_ms, loaded_ms),
		MEMBER(delivery_rate_bps, rate), MEMBER(inflight_bytes, inflight),
		MEMBER(streams, streams), MEMBER(cpu, cpu), MEMBER(cpu_wait, wait),
		MEMBER(system_cpu, system), MEMBER(peer_cpu, peer_cpu),
		MEMBER(peer_cpu_wait, peer_wait), MEMBER(peer_system_cpu, peer_system),
		MEMBER(idle_writes, idle_writes), MEMBER(unread_bytes, unread),
		MEMBER(rwnd_bytes, offered), MEMBER(unsent_bytes, unsent),
		MEMBER(cwnd_bytes, cwnd),
#undef MEMBER
	};
	bool *use = arena_array(q->arena, n + 1, sizeof(*use));

	for (size_t i = 0; i < n; i++) {
		use[i] = t[i].status == TRIAL_OK && t[i].direction == q->direction &&
		    setting_same(&t[i].setting, q->setting);
		q->m.n += use[i];
		if (t[i].status == TRIAL_OK && t[i].direction == q->direction &&
		    t[i].goodput_bps > q->best_bps)
			q->best_bps = t[i].goodput_bps;
	}
	for (size_t i = 0; i < NELEM(members); i++) {
		double x = median_of(t, n, use, members[i].from);

		memcpy((char *)&q->m + members[i].to, &x, sizeof(x));
	}
	q->m.growth = median_growth(t, n, use);
	if (isnan(q->m.inflight)) /* on average */
		q->m.inflight = q->m.goodput / 8 * q->m.loaded_ms / 1e3;
	if (q->m.streams > 1) {
		q->m.inflight /= q->m.streams;
		q->m.offered /= q->m.streams;
		q->m.unread /= q->m.streams;
		q->m.cwnd /= q->m.streams;
	}
}

/* ---- the ends ------------------------------------------------------------------------------- */

bool
limiter_queue(const struct medians *m)
{
	return m->loaded_ms > m->idle_ms * QUEUE_RISE + 1;
}

bool
limiter_loses(const struct medians *m)
{
	return m->retransmits > LOSS_SHARE;
}

/* This end did not keep its socket full, or empty. */
static bool
behind(const struct question *q, bool peer)
{
	bool sends = (q->direction == DIR_SEND) != peer;

	return sends ? q->m.idle_writes >= IDLE_SHARE :
	    q->m.unread > 0 && q->m.unread >= q->m.inflight;
}

static bool
cpu(const struct question *q, bool peer, struct limit *out)
{
	const struct medians *m = &q->m;
	double used = peer ? m->peer_cpu : m->cpu, wait = peer ? m->peer_wait : m->wait;
	double system = peer ? m->peer_system : m->system;
	const char *who = peer ? "the peer's" : "our";

	if (isnan(wait))
		wait = 0;
	out->limiter = peer ? LIMIT_PEER_CPU : LIMIT_CPU;
	if (system >= SYSTEM_SHARE) {
		out->evidence = arena_printf(q->arena, "%s machine spends %.0f %% of a core on "
		    "interrupts and network processing", who, system * 100);
		return true;
	}
	if (!(used + wait >= (behind(q, peer) ? BEHIND_SHARE : BUSY_SHARE)))
		return false;
	if (wait >= .1)
		out->evidence = arena_printf(q->arena, "%s process got %.3g %% of a core and "
		    "waited for more %.0f %% of the time", who, used * 100, wait * 100);
	else
		out->evidence = arena_printf(q->arena, "%s process used %.0f %% of a core", who,
		    used * 100);
	return true;
}

/* Data that lies unread, more than is on its way: the window is full because nobody reads. */
static bool
reader(const struct question *q, struct limit *out)
{
	const struct medians *m = &q->m;

	if (!(m->unread > 0 && m->unread >= m->inflight))
		return false;
	*out = (struct limit){ LIMIT_READER,
		arena_printf(q->arena, "the receiving application reads slowly: %s lay unread in "
		    "its socket, with %s in flight", units_say_bytes(q->arena, m->unread),
		    units_say_bytes(q->arena, m->inflight)) };
	return true;
}

static bool
writer(const struct question *q, struct limit *out)
{
	const struct medians *m = &q->m;

	if (!(m->idle_writes >= IDLE_SHARE))
		return false;
	*out = (struct limit){ LIMIT_WRITER,
		arena_printf(q->arena, "the sending application writes slowly: in %.0f %% of the "
		    "looks its socket would have taken more", m->idle_writes * 100) };
	return true;
}

/* ---- windows -------------------------------------------------------------------------------- */

/* The window that we know is the one of our own buffers. */
static bool
ours(const struct question *q, enum limiter l)
{
	return l == (q->direction == DIR_SEND ? LIMIT_SNDBUF : LIMIT_RWND);
}

static bool
grows(const struct question *q, enum limiter l)
{
	return q->m.growth >= GROWTH &&
	    !(ours(q, l) && q->m.inflight >= UNGROWN * q->setting->window_bytes);
}

static struct limit
limited(const struct question *q, enum limiter which, double share)
{
	const char *who = which == LIMIT_RWND ? "the receiver's window" : "the send buffer";

	if (grows(q, which))
		return (struct limit){ LIMIT_GROWTH,
			arena_printf(q->arena, "%s still grew when the transfer was over: it held "
			    "the sender back for %.0f %% of the time, and the last third carried "
			    "%.1f times what the first did", who, share * 100, q->m.growth) };
	return (struct limit){ which,
		arena_printf(q->arena, "%s held the sender back for %.0f %% of the time", who,
		    share * 100) };
}

/*
 * The times of TCP_INFO count a sender as held back only while it tries to write more; one that
 * waits until it may write (poll) shows next to nothing.  A window that is full says the same.
 */
static bool
window_full(const struct question *q)
{
	return q->m.inflight >= FULL_SHARE * q->setting->window_bytes && !limiter_queue(&q->m) &&
	    !limiter_loses(&q->m);
}

/*
 * All that was written is in flight, cwnd and receiver would let more go, and yet the socket takes
 * no more: its buffer is full of what is not yet acknowledged.
 */
static bool
buffer_full(const struct question *q, struct limit *out)
{
	const struct medians *m = &q->m;

	if (!(m->idle_writes < IDLE_SHARE) || !(m->unsent <= UNSENT_SHARE * m->inflight) ||
	    !(m->inflight < FREE_SHARE * m->cwnd) || !(m->inflight < FREE_SHARE * m->offered))
		return false;
	*out = (struct limit){ LIMIT_SNDBUF,
		arena_printf(q->arena, "the send buffer is full with %s in flight, where cwnd and "
		    "receiver would let %s go", units_say_bytes(q->arena, m->inflight),
		    units_say_bytes(q->arena, fmin(m->cwnd, m->offered))) };
	return true;
}

static struct limit
full(const struct question *q)
{
	bool sends = q->direction == DIR_SEND;

	return (struct limit){ sends ? LIMIT_SNDBUF : LIMIT_RWND,
		arena_printf(q->arena,
		    "%s in flight fill the window of %s that the %s buffer gives",
		    units_say_bytes(q->arena, q->m.inflight),
		    units_say_bytes(q->arena, q->setting->window_bytes),
		    sends ? "send" : "receive") };
}

static double
known(double v)
{
	return isnan(v) ? 0 : v;
}

static struct limit
name(const struct question *q)
{
	const struct medians *m = &q->m;
	bool peer_first = m->peer_cpu + known(m->peer_wait) > m->cpu + known(m->wait);
	struct limit l;

	if (m->n == 0)
		return (struct limit){ LIMIT_UNKNOWN, "no trial of this setting" };
	if (cpu(q, peer_first, &l) || cpu(q, !peer_first, &l) || reader(q, &l))
		return l;
	if (isnan(m->rwnd) && isnan(m->sndbuf))
		return writer(q, &l) ? l : limiter_blind(q);
	if (m->rwnd >= LIMITED_SHARE && !(m->sndbuf > m->rwnd))
		return limited(q, LIMIT_RWND, m->rwnd);
	if (m->sndbuf >= LIMITED_SHARE)
		return limited(q, LIMIT_SNDBUF, m->sndbuf);
	if (writer(q, &l))
		return l;
	if (window_full(q))
		return full(q);
	if (buffer_full(q, &l))
		return l;
	return limiter_path(q);
}

struct limit
limiter_name(struct arena *a, const struct path_fact *path, const struct trial *trials, size_t n,
    enum direction direction, const struct setting *setting)
{
	struct question q = { .arena = a, .path = path, .direction = direction,
		.setting = setting };

	medians_of(&q, trials, n);
	return name(&q);
}

/* A path is full for sure when a queue stands, unless that may be the driver's own. */
bool
limiter_unsure(const struct limit *l, const struct side *side, double idle_ms, double link_bps)
{
	bool queue = side->rtt_ms > idle_ms * QUEUE_RISE + 1;

	if (l->limiter == LIMIT_PATH)
		return !queue || !(side->goodput_bps * NIC_SHARE >= link_bps);
	return (l->limiter == LIMIT_UNKNOWN || l->limiter == LIMIT_CWND) && side->goodput_bps > 0;
}

double
limiter_scp_bps(double rtt_ms)
{
	return rtt_ms > 0 ? LIMITER_SCP_BYTES * 8 / (rtt_ms / 1e3) : NAN;
}
