/*
 * nic_evidence: what trials of one direction say about driver and NIC.
 */
#include "nic_advice.h"

#include "limiter.h"
#include "stats.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define MSS_BITS (1448.0 * 8)
#define MATHIS 1.22 /* packets in flight = 1.22 / sqrt(loss): Mathis et al. 1997 */

/* Medians over the good trials of the setting that was there before. */
struct seen {
	size_t n;
	double goodput_bps, retransmits, inflight_bytes, rtt_ms;
	double busiest;      /* core of either end */
	double window_bytes; /* the largest that any good trial of the direction had */
	double udp_bps, streams_bps;
};

static double
median_of(const struct trial *t, size_t n, const struct direction_decision *d, size_t offset)
{
	double v[STATS_MAX], x;
	size_t k = 0;

	for (size_t i = 0; i < n && k < STATS_MAX; i++) {
		if (t[i].status != TRIAL_OK || t[i].direction != d->direction ||
		    !setting_same(&t[i].setting, &d->before.setting))
			continue;
		memcpy(&x, (const char *)&t[i] + offset, sizeof(x));
		if (!isnan(x))
			v[k++] = x;
	}
	return stats_median(v, k);
}

#define MEDIAN(member) \
	median_of(run->trials, run->n_trials, d, offsetof(struct trial, member))

static struct seen
look(const struct run *run, const struct direction_decision *d)
{
	const struct path_fact *path = facts_path(&run->facts, d->direction);
	struct seen s = { .goodput_bps = MEDIAN(goodput_bps), .retransmits = MEDIAN(retransmits),
		.inflight_bytes = MEDIAN(inflight_bytes), .rtt_ms = MEDIAN(rtt.loaded_ms),
		.busiest = fmax(fmax(MEDIAN(cpu), MEDIAN(peer_cpu)),
		    fmax(MEDIAN(system_cpu), MEDIAN(peer_system_cpu))),
		.udp_bps = path == NULL ? NAN : path->udp_bps,
		.streams_bps = path == NULL ? NAN : path->streams_bps };

	for (size_t i = 0; i < run->n_trials; i++) {
		const struct trial *t = &run->trials[i];

		if (t->status != TRIAL_OK || t->direction != d->direction)
			continue;
		s.n++;
		s.window_bytes = fmax(s.window_bytes, t->setting.window_bytes);
	}
	if (isnan(s.rtt_ms))
		s.rtt_ms = run->facts.rtt_ms;
	if (isnan(s.inflight_bytes))
		s.inflight_bytes = s.goodput_bps / 8 * s.rtt_ms / 1e3;
	return s;
}

static double
window_bps(const struct seen *s)
{
	return 8 * s->window_bytes / (s->rtt_ms / 1e3);
}

/* NAN where nobody counted; infinite without a loss. */
static double
loss_bps(const struct seen *s)
{
	return MATHIS * MSS_BITS / (s->rtt_ms / 1e3) / sqrt(s->retransmits);
}

struct verdict_words {
	enum nic_verdict verdict;
	const char *reason, *words;
};

static struct verdict_words
innocent(const char *words)
{
	return (struct verdict_words){ NIC_KEEP, "nic-innocent", words };
}

static struct verdict_words
unknown(const char *words)
{
	return (struct verdict_words){ NIC_TRY, "nic-no-evidence", words };
}

/* What else explains the goodput, as far as that is known; verdict NIC_NONE: nothing does. */
static struct verdict_words
explained(struct arena *a, const struct seen *s, const struct limit *l)
{
	if (s->goodput_bps >= NIC_UDP_SHARE * s->udp_bps)
		return innocent(arena_printf(a, "TCP gets %s, UDP %s over the same NIC: that is no "
		    "sign of a NIC that holds TCP back.", units_say_rate(a, s->goodput_bps),
		    units_say_rate(a, s->udp_bps)));
	if (s->busiest > NIC_CPU_SHARE)
		return innocent(arena_printf(a, "A core was busy for %.0f %% of the time: the CPU "
		    "comes before the NIC.", s->busiest * 100));
	if (s->goodput_bps >= NIC_LOSS_SHARE * loss_bps(s))
		return innocent("So many segments were lost that TCP gets no more: the path comes "
		    "before the NIC.");
	if (s->goodput_bps >= NIC_WINDOW_SHARE * window_bps(s) ||
	    s->inflight_bytes >= NIC_INFLIGHT_SHARE * s->window_bytes)
		return innocent(arena_printf(a, "The largest window that was tried, %s, can itself "
		    "be the limit: settings come before the NIC.",
		    units_say_bytes(a, s->window_bytes)));
	if (l->limiter != LIMIT_UNKNOWN && l->limiter != LIMIT_NIC)
		return innocent(arena_printf(a, "The limit is another one (%s): %s.",
		    limiter_names[l->limiter], l->evidence == NULL ? "see above" : l->evidence));
	return (struct verdict_words){ .verdict = NIC_NONE };
}

/* Every other suspect must have an alibi, and what gives it must have been measured. */
static struct verdict_words
judge(struct arena *a, const struct seen *s, const struct limit *l)
{
	struct verdict_words v = explained(a, s, l);
	const char *lacks = isnan(s->udp_bps) ? "what UDP gets over the same path" :
	    isnan(s->retransmits) && isnan(s->streams_bps) ? "how many segments were sent again" :
	    isnan(s->rtt_ms) ? "what the RTT is" :
	    isnan(s->busiest) ? "how busy the CPUs were" : NULL;

	if (v.verdict != NIC_NONE)
		return v;
	if (lacks != NULL)
		return unknown(arena_printf(a, "Whether the NIC is the limit cannot be told: it is "
		    "not known %s.", lacks));
	if (l->limiter != LIMIT_NIC)
		return unknown("Whether the NIC is the limit cannot be told: nothing names it.");
	return (struct verdict_words){ NIC_SWITCH, "nic-guilty", arena_printf(a,
	    "TCP gets %s where UDP got %s over the same NIC and path; no window (up to %s), no "
	    "loss and no CPU explains it%s.", units_say_rate(a, s->goodput_bps),
	    units_say_rate(a, s->udp_bps), units_say_bytes(a, s->window_bytes),
	    isnan(s->streams_bps) ? "" : arena_printf(a, ", and several connections get %s "
	    "together", units_say_rate(a, s->streams_bps))) };
}

/*
 * An emulated NIC costs the CPU for every packet.  Where interrupts and network processing keep a
 * core busy and our own process does not, that is what a paravirtual one spares.
 */
static bool
burns_cpu(const struct run *run, const struct direction_decision *d)
{
	return d->limit_before.limiter == LIMIT_CPU && MEDIAN(system_cpu) > NIC_CPU_SHARE &&
	    !(MEDIAN(cpu) > NIC_CPU_SHARE);
}

enum nic_verdict
nic_evidence(struct arena *a, const struct run *run, const struct direction_decision *d,
    bool emulated, const char **reason, const char **words)
{
	struct seen s = look(run, d);
	struct verdict_words v;

	if (s.n == 0 || isnan(s.goodput_bps))
		v = (struct verdict_words){ NIC_TRY, "nic-no-evidence",
			"Nothing was measured that would tell whether the NIC is the limit." };
	else if (d->verdict == VERDICT_CHANGE)
		v = (struct verdict_words){ NIC_KEEP, "nic-settings-first",
			"Settings gained: put them in force and measure again before you look at "
			"the NIC." };
	else if (emulated && burns_cpu(run, d))
		v = (struct verdict_words){ NIC_SWITCH, "nic-burns-cpu", arena_printf(a,
		    "Interrupts and network processing keep a core busy for %.0f %% of the time, "
		    "and the NIC is an emulated one, which costs them for every packet.",
		    MEDIAN(system_cpu) * 100) };
	else
		v = judge(a, &s, &d->limit_before);
	*reason = v.reason;
	*words = v.words;
	return v.verdict;
}
