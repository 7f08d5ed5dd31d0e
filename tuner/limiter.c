#include "limiter.h"
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
#define LOSS_SHARE 1e-5 /* fewer segments sent again than this have no say */
#define QUEUE_RISE 1.15 /* RTT under load over idle RTT that shows a standing queue */
#define RATE_MATCH 0.93 /* goodput over the largest delivery rate: headers and nothing else */
#define BEST_SHARE 0.85 /* of what this path carried for any setting of the run: not full */

struct medians {
	double rwnd, sndbuf, retransmits, goodput, idle_ms, loaded_ms, rate;
	double inflight; /* of one connection */
	size_t n;
};

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

static struct medians
medians_of(
    struct arena *a, const struct trial *t, size_t n, enum direction d, const struct setting *s)
{
	bool *use = arena_array(a, n + 1, sizeof(*use));
	struct medians m = { .n = 0 };
	double streams;

	for (size_t i = 0; i < n; i++) {
		use[i] = t[i].status == TRIAL_OK && t[i].direction == d &&
		    setting_same(&t[i].setting, s);
		m.n += use[i];
	}
	m.rwnd = median_of(t, n, use, offsetof(struct trial, rwnd_limited));
	m.sndbuf = median_of(t, n, use, offsetof(struct trial, sndbuf_limited));
	m.retransmits = median_of(t, n, use, offsetof(struct trial, retransmits));
	m.goodput = median_of(t, n, use, offsetof(struct trial, goodput_bps));
	m.idle_ms = median_of(t, n, use, offsetof(struct trial, rtt.idle_ms));
	m.loaded_ms = median_of(t, n, use, offsetof(struct trial, rtt.loaded_ms));
	m.rate = median_of(t, n, use, offsetof(struct trial, delivery_rate_bps));
	m.inflight = median_of(t, n, use, offsetof(struct trial, inflight_bytes));
	streams = median_of(t, n, use, offsetof(struct trial, streams));
	if (streams > 1)
		m.inflight /= streams;
	return m;
}

static struct limit
limited(struct arena *a, enum limiter which, const char *who, double share)
{
	return (struct limit){ which,
		arena_printf(
		    a, "%s held the sender back for %.0f %% of the time", who, share * 100) };
}

/*
 * The times of TCP_INFO count a sender as held back only while it tries to write more; one that
 * waits until it may write (poll) shows next to nothing.  A window that is full says the same.
 */
static bool
window_full(const struct medians *m, const struct setting *s)
{
	bool queue = m->loaded_ms > m->idle_ms * QUEUE_RISE + 1;

	return m->inflight >= FULL_SHARE * s->window_bytes && !queue &&
	    !(m->retransmits > LOSS_SHARE);
}

static struct limit
full(struct arena *a, enum direction d, const struct medians *m, const struct setting *s)
{
	return (struct limit){ d == DIR_SEND ? LIMIT_SNDBUF : LIMIT_RWND,
		arena_printf(a, "%s in flight fill the window of %s that the %s buffer gives",
		    units_say_bytes(a, m->inflight), units_say_bytes(a, s->window_bytes),
		    d == DIR_SEND ? "send" : "receive") };
}

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

/* The most that any setting got over this path in one good trial. */
static double
best_goodput(const struct trial *t, size_t n, enum direction d)
{
	double best = 0;

	for (size_t i = 0; i < n; i++) {
		if (t[i].status == TRIAL_OK && t[i].direction == d && t[i].goodput_bps > best)
			best = t[i].goodput_bps;
	}
	return best;
}

static struct limit
cwnd(struct arena *a, const struct medians *m, bool loss, double best_bps)
{
	if (loss)
		return (struct limit){ LIMIT_CWND,
			arena_printf(a,
			    "losses hold the cwnd down: %.3g %% of the segments were sent again%s",
			    m->retransmits * 100, rtt_words(a, m)) };
	return (struct limit){ LIMIT_CWND,
		arena_printf(a,
		    "the cwnd stays low: no buffer or window held the sender back, and another "
		    "setting got %s over the same path%s",
		    units_say_rate(a, best_bps), rtt_words(a, m)) };
}

/* A goodput that matches the delivery rate says little alone: a low cwnd delivers as it sends. */
static struct limit
path_or_cwnd(struct arena *a, const struct medians *m, double best_bps)
{
	bool queue = m->loaded_ms > m->idle_ms * QUEUE_RISE + 1;
	bool loss = m->retransmits > LOSS_SHARE;
	bool below = m->goodput < BEST_SHARE * best_bps;
	bool matches = m->goodput > m->rate * RATE_MATCH;

	if (queue)
		return (struct limit){ LIMIT_PATH,
			arena_printf(a,
			    "the path is full: under load the RTT rises from %.1f to %.1f ms",
			    m->idle_ms, m->loaded_ms) };
	if (below || (loss && !matches))
		return cwnd(a, m, loss, best_bps);
	if (matches)
		return (struct limit){ LIMIT_PATH,
			arena_printf(a,
			    "the path carries no more: goodput is %.0f %% of the delivery rate and "
			    "no buffer or window held the sender back",
			    fmin(100, 100 * m->goodput / m->rate)) };
	return (struct limit){ LIMIT_UNKNOWN, "neither a window, losses nor a queue shows" };
}

struct limit
limiter_name(struct arena *a, const struct path_fact *path, const struct trial *trials, size_t n,
    enum direction direction, const struct setting *setting)
{
	(void)path;
	struct medians m = medians_of(a, trials, n, direction, setting);

	if (m.n == 0)
		return (struct limit){ LIMIT_UNKNOWN, "no trial of this setting" };
	if (isnan(m.rwnd) && isnan(m.sndbuf))
		return (struct limit){ LIMIT_UNKNOWN, "the sending end tells no TCP_INFO" };
	if (m.rwnd >= LIMITED_SHARE && !(m.sndbuf > m.rwnd))
		return limited(a, LIMIT_RWND, "the receiver's window", m.rwnd);
	if (m.sndbuf >= LIMITED_SHARE)
		return limited(a, LIMIT_SNDBUF, "the send buffer", m.sndbuf);
	if (window_full(&m, setting))
		return full(a, direction, &m, setting);
	return path_or_cwnd(a, &m, best_goodput(trials, n, direction));
}
