#include "limiter_state.h"
#include "stairs.h"
#include "units.h"

#include <math.h>

#define QUEUE_SURE 1.3  /* the same beyond any noise of the machine */
#define RATE_MATCH 0.93 /* goodput over the largest delivery rate: headers and nothing else */
#define BEST_SHARE 0.85 /* of what this path carried for anything else: not full */
#define WAIT_DOUBT 0.3  /* of the time an end waited for a core: too much to be sure by less */
#define SEVERAL 2.0     /* so many times as much by anything else: the path is not full */
#define MORE_BY_SEVERAL 1.5 /* so many times as much by several connections: none of the NIC's */
#define POLICED 1.4     /* bursts over what lasts */
#define DROPPED 0.1     /* of what UDP sent above the rate */
#define FOUND_SHARE 0.6 /* of a policer's rate that several connections get */

/* Below a millisecond or two a rise is no sign of a standing queue, nor is it of none. */
static const char *
rtt_words(struct arena *a, const struct medians *m)
{
	if (isnan(m->idle_ms) || isnan(m->loaded_ms))
		return "";
	return arena_printf(a, "%s (RTT %.1f ms idle, %.1f under load)",
	    m->loaded_ms <= m->idle_ms * QUEUE_RISE ? " and no queue stands" : "", m->idle_ms,
	    m->loaded_ms);
}

static double
known(double v)
{
	return isnan(v) ? 0 : v;
}

/* The most that anything got over this path, and what it was. */
static double
most_bps(const struct question *q, const char **what)
{
	double udp = q->path == NULL ? 0 : known(q->path->udp_bps);
	double streams = q->path == NULL ? 0 : known(q->path->streams_bps), best = q->best_bps;

	*what = "another setting";
	if (q->path != NULL && streams > best) {
		*what = arena_printf(q->arena, "%.0f connections", q->path->streams);
		best = streams;
	}
	if (udp > best) {
		*what = "UDP";
		best = udp;
	}
	return best;
}

/* The path was overloaded, and what TCP got does not belie the rest. */
static bool
top_seen(const struct question *q)
{
	return stairs_top_seen(q->path) && !(q->path->udp_bps < BEST_SHARE * q->m.goodput);
}

/* A token bucket lets bursts pass at the link's rate, and drops what lasts without a queue. */
static bool
policer(const struct question *q, struct limit *out)
{
	const struct path_fact *p = q->path;

	if (q->m.loaded_ms > q->m.idle_ms * QUEUE_SURE + 2 || !top_seen(q) ||
	    !(p->udp_loss >= DROPPED) ||
	    !(p->udp_burst_bps >= POLICED * p->udp_bps) || q->m.goodput > p->udp_bps / BEST_SHARE)
		return false;
	/* Several connections together find such a rate; those whom a short queue robs do not. */
	if (!(p->streams_bps >= FOUND_SHARE * p->udp_bps) ||
	    p->streams_bps > p->udp_bps / BEST_SHARE)
		return false;
	*out = (struct limit){ LIMIT_POLICER,
		arena_printf(q->arena, "a policer drops what is above %s, by UDP and by %.0f "
		    "connections, while short bursts pass at %s%s",
		    units_say_rate(q->arena, p->udp_bps), p->streams,
		    units_say_rate(q->arena, p->udp_burst_bps), rtt_words(q->arena, &q->m)) };
	return true;
}

/*
 * What must be known before driver or NIC can be blamed, and is not; NULL: nothing.  Each of
 * several connections has a cwnd, a window and losses of its own: where they together get no more
 * than one, none of that was the limit.
 */
static const char *
unproved(const struct question *q)
{
	const struct medians *m = &q->m;

	if (isnan(m->inflight))
		return "how much was in flight";
	if (isnan(m->idle_writes) && !(m->unsent > 0))
		return "whether the sender always had something to send";
	if (isnan(m->unread) && isnan(m->rwnd))
		return "whether the receiver read at once";
	if (isnan(m->cpu) || isnan(m->peer_cpu))
		return "how busy both ends were";
	if (!isnan(q->path->streams_bps))
		return NULL;
	if (isnan(m->retransmits))
		return "how many segments were sent again";
	if (isnan(m->cwnd))
		return "whether the cwnd was full";
	if ((isnan(m->rwnd) && !(m->inflight < FREE_SHARE * m->offered)) ||
	    (isnan(m->sndbuf) && !(m->unsent > 0)))
		return "whether a window was full";
	return NULL;
}

static struct limit
blame(const struct question *q, const char *lacks)
{
	const char *seen = arena_printf(q->arena, "TCP gets %s, UDP %s over the same path",
	    units_say_rate(q->arena, q->m.goodput), units_say_rate(q->arena, q->path->udp_bps));

	if (lacks != NULL)
		return (struct limit){ LIMIT_UNKNOWN,
			arena_printf(q->arena, "%s, but it is not known %s", seen, lacks) };
	return (struct limit){ LIMIT_NIC,
		arena_printf(q->arena, "%s: no window, no loss and no CPU explains it, driver or "
		    "NIC do", seen) };
}

/* UDP carries far more, several connections do not, nothing is lost, and no window is full. */
static bool
nic(const struct question *q, struct limit *out)
{
	const struct path_fact *p = q->path;

	/* A cwnd that is full without a queue explains the rate, whatever made it small. */
	bool cwnd_full = q->m.inflight >= FREE_SHARE * q->m.cwnd && !limiter_queue(&q->m);

	if (p == NULL || !(p->udp_bps >= NIC_SHARE * q->m.goodput) || limiter_loses(&q->m) ||
	    cwnd_full ||
	    p->streams_bps >= MORE_BY_SEVERAL * q->m.goodput ||
	    q->m.inflight >= .5 * q->setting->window_bytes)
		return false;
	*out = blame(q, unproved(q));
	return true;
}

static bool
udp_gets_no_more(const struct question *q, struct limit *out)
{
	if (!top_seen(q) || q->m.goodput < BEST_SHARE * q->path->udp_bps)
		return false;
	*out = (struct limit){ LIMIT_PATH,
		arena_printf(q->arena, "the path carries no more: UDP gets %s over it",
		    units_say_rate(q->arena, q->path->udp_bps)) };
	return true;
}

struct limit
limiter_blind(const struct question *q)
{
	struct limit l;

	if (nic(q, &l) || udp_gets_no_more(q, &l))
		return l;
	return (struct limit){ LIMIT_UNKNOWN, "the sending end tells no TCP_INFO" };
}

static struct limit
cwnd(const struct question *q)
{
	const char *what;
	double most = most_bps(q, &what);

	if (limiter_loses(&q->m))
		return (struct limit){ LIMIT_CWND,
			arena_printf(q->arena,
			    "losses hold the cwnd down: %.3g %% of the segments were sent again%s",
			    q->m.retransmits * 100, rtt_words(q->arena, &q->m)) };
	return (struct limit){ LIMIT_CWND,
		arena_printf(q->arena,
		    "the cwnd stays low: no buffer or window held the sender back, and %s got %s "
		    "over the same path%s",
		    what, units_say_rate(q->arena, most), rtt_words(q->arena, &q->m)) };
}

/* A goodput that matches the delivery rate says little alone: a low cwnd delivers as it sends. */
struct limit
limiter_path(const struct question *q)
{
	const struct medians *m = &q->m;
	const char *what;
	bool below = m->goodput < BEST_SHARE * most_bps(q, &what);
	bool matches = m->goodput > m->rate * RATE_MATCH;
	struct limit l;

	if (nic(q, &l) || policer(q, &l))
		return l;
	if (limiter_queue(m) && !(most_bps(q, &what) >= SEVERAL * m->goodput))
		return (struct limit){ LIMIT_PATH,
			arena_printf(q->arena,
			    "the path is full: under load the RTT rises from %.1f to %.1f ms",
			    m->idle_ms, m->loaded_ms) };
	if (!below && udp_gets_no_more(q, &l))
		return l;
	if (m->wait >= WAIT_DOUBT || m->peer_wait >= WAIT_DOUBT)
		return (struct limit){ LIMIT_UNKNOWN,
			arena_printf(q->arena, "%s process had to wait for a core %.0f %% of the "
			    "time: too much to be sure of anything else",
			    m->wait >= WAIT_DOUBT ? "our" : "the peer's",
			    100 * (m->wait >= WAIT_DOUBT ? m->wait : m->peer_wait)) };
	if (below || (limiter_loses(m) && !matches))
		return cwnd(q);
	if (q->path != NULL && !isnan(q->path->udp_bps))
		return (struct limit){ LIMIT_UNKNOWN,
			"neither a window, losses nor a queue shows, and UDP did not fill "
			"the path" };
	if (matches)
		return (struct limit){ LIMIT_PATH,
			arena_printf(q->arena,
			    "the path carries no more: goodput is %.0f %% of the delivery rate and "
			    "no buffer or window held the sender back",
			    fmin(100, 100 * m->goodput / m->rate)) };
	return (struct limit){ LIMIT_UNKNOWN, "neither a window, losses nor a queue shows" };
}
