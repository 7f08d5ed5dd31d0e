#include "search_state.h"

#include <math.h>
#include <string.h>

#define ALLOW_S 0.050         /* of queueing, or half the idle RTT if that is more */
#define ALLOW_LATENCY 4       /* --policy latency: this many times less */
#define RETRANSMITS 0.01      /* more than the default's, absolute */
#define RETRANSMITS_GAIN 0.03 /* the same when the gain exceeds one half */
#define SMALL_GROUP 5         /* below this the largest stands for the usual */

static double
median_member(const struct sample *v, size_t n, size_t offset)
{
	double known[STATS_MAX];
	size_t m = 0;

	for (size_t i = 0; i < n && m < STATS_MAX; i++) {
		double x;

		memcpy(&x, (const char *)&v[i] + offset, sizeof(x));
		if (!isnan(v[i].y) && !isnan(x))
			known[m++] = x;
	}
	return m == 0 ? NAN : stats_median(known, m);
}

double
samples_median_rtt(const struct sample *v, size_t n)
{
	return median_member(v, n, offsetof(struct sample, rtt_s));
}

double
samples_median_retransmits(const struct sample *v, size_t n)
{
	return median_member(v, n, offsetof(struct sample, retransmits));
}

double
samples_median_y(const struct sample *v, size_t n)
{
	return median_member(v, n, offsetof(struct sample, y));
}

struct load
samples_load(const struct sample *v, size_t n)
{
	struct load l = {samples_median_rtt(v, n), samples_median_retransmits(v, n)};

	return l;
}

/* Controls that fill whatever window they get until something is dropped. */
bool
loss_based(const char *cc)
{
	return cc == NULL || strncmp(cc, "bbr", 3) != 0;
}

double
guard_policy_s(enum policy policy, double rtt0_s)
{
	double allow = fmax(ALLOW_S, rtt0_s / 2);

	switch (policy) {
	case POLICY_THROUGHPUT:
		return INFINITY;
	case POLICY_LATENCY:
		return allow / ALLOW_LATENCY;
	case POLICY_BALANCED:
		break;
	}
	return allow;
}

double
guard_allowance_s(const struct search *s)
{
	return guard_policy_s(s->config.policy, s->rtt0_s);
}

double
guard_rtt_limit_s(const struct search *s, double default_rtt_s)
{
	return fmax(s->rtt0_s, default_rtt_s) + guard_allowance_s(s);
}

double
guard_retransmit_allowance(double gain)
{
	return gain > HALF_AGAIN ? RETRANSMITS_GAIN : RETRANSMITS;
}

/* An unknown number breaks nothing: every comparison with NAN is false. */
bool
guard_broken(struct search *s, struct load candidate, struct load start, double gain, double factor)
{
	double rtt_limit = guard_rtt_limit_s(s, start.rtt_s);
	double more = candidate.retransmits - start.retransmits;

	s->result.guard_limit_ms = isinf(rtt_limit) ? NAN : rtt_limit * 1000;
	s->result.guard_rtt = candidate.rtt_s > factor * rtt_limit;
	s->result.guard_retransmits = more > factor * guard_retransmit_allowance(gain);
	s->result.retransmit_exception = !s->result.guard_retransmits && more > RETRANSMITS;
	return s->result.guard_rtt || s->result.guard_retransmits;
}

struct load
race_default_load(const struct search *s)
{
	struct sample v[RACE_BLOCKS + 1];

	v[0] = s->probe;
	memcpy(v + 1, s->race.arms[0].at, s->race.blocks * sizeof(*v));
	return samples_load(v, s->race.blocks + 1);
}

size_t
search_connections(const struct search *s)
{
	const struct arm *arm = s->confirm.arm;

	return s->confirm.n + s->confirm.n_extra + s->knee.n_seen + (arm == NULL ? 0 : arm->n);
}

/* How many of a group without a partner lie far below its usual value. */
static size_t
stuck_alone(const struct sample *v, size_t n, double far)
{
	double usual = -INFINITY;
	size_t stuck = 0, known = 0;

	for (size_t i = 0; i < n; i++)
		if (!isnan(v[i].y)) {
			usual = fmax(usual, v[i].y);
			known++;
		}
	if (known >= SMALL_GROUP)
		usual = samples_median_y(v, n);
	for (size_t i = 0; i < n; i++)
		stuck += v[i].y < usual - far;
	return stuck;
}

/*
 * Fresh connections of the candidate that fell into a second, much lower group: below half of the
 * usual, by themselves and against their partner, and further away than the noise reaches.
 */
size_t
search_stuck(const struct search *s)
{
	const struct confirm *c = &s->confirm;
	const struct arm *arm = s->confirm.arm;
	double usual = samples_median_y(c->side[1], c->n), ahead = stats_median(c->d, c->n);
	double noise = stats_mad_sd(c->d, c->n), far = fmax(log(2), 3 * noise);
	size_t stuck = 0;

	for (size_t i = 0; i < c->n; i++)
		stuck += c->d[i] < ahead - far && c->side[1][i].y < usual - log(2);
	for (size_t i = 0; i < c->n_extra; i++)
		stuck += c->extra[i].y < usual - far;
	far = fmax(log(2), 4 * noise);
	stuck += stuck_alone(s->knee.seen, s->knee.n_seen, far);
	if (arm != NULL)
		stuck += stuck_alone(arm->at, s->race.blocks, far);
	return stuck;
}
