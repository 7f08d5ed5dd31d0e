/*
 * limits [-q] [-v] [-n N] [-s N] [WORD]: what the limiter says of transfers that are held back by
 * something known, as a confusion matrix, and how many of them would be blamed on the NIC.  -q: the
 * clear-cut ones; -v: what was seen of each; -n N: only the N-th; -s N: instead of labs, N simulated
 * transfers of each cause; WORD: only those with it in their names.  Needs root for control groups;
 * without, those cases are skipped and counted.  So are those in which the machine itself left an
 * end without a core, three times in a row.
 *
 * wraps: send recv accept
 */
#include "held.h"
#include "lab_limit.h"
#include "probes/stop.h"
#include "tuner/limiter.h"
#include "tuner/nic_advice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KINDS (LIMIT_NIC + 1)
#define WRONG_BAR .02
#define UNKNOWN_BAR .10
#define DISTURBED .25 /* of the time, an end that nothing held back waited for a core */
#define ATTEMPTS 3
#define WIDE_BYTES 64e6

struct tally {
	unsigned seen[KINDS][KINDS];
	unsigned cases, wrong, unknown, skipped, failed, disturbed;
	unsigned blamed; /* the NIC, with all other windows tried in vain */
};

/*
 * Would the host be told to switch its NIC?  As if the search had then tried windows of any size and
 * gained nothing, and whatever the present model is.
 */
static bool
blamed(struct arena *a, const struct trial *seen, const struct path_fact *path,
    const struct limit *limit)
{
	struct trial *t = arena_array(a, 2, sizeof(*t));
	struct direction_decision d = { .direction = seen->direction, .verdict = VERDICT_KEEP,
		.before = { seen->setting, seen->goodput_bps, seen->rtt.loaded_ms, NAN },
		.limit_before = *limit };
	struct path_fact other;
	struct run run;
	const char *reason, *words;

	record_init(&run_record, &run);
	run.facts.rtt_ms = seen->rtt.idle_ms;
	if (path != NULL) {
		other = *path;
		run.facts.path = &other;
		run.facts.n_path = 1;
	}
	t[0] = t[1] = *seen;
	t[1].setting.window_bytes = fmax(WIDE_BYTES, 16 * seen->setting.window_bytes);
	run.trials = t;
	run.n_trials = 2;
	return nic_evidence(a, &run, &d, false, &reason, &words) == NIC_SWITCH ||
	    nic_evidence(a, &run, &d, true, &reason, &words) == NIC_SWITCH;
}

static void
tell(const struct limit_case *c, const struct limit_seen *s, bool all)
{
	const struct trial *t = &s->trial;
	const struct path_fact *p = &s->path;

	if (s->skipped) {
		printf("skipped    %s: %s\n", c->name, s->why);
		return;
	}
	printf("%-10s %s%s; %.1f Mbit/s: %s\n", limiter_names[s->limit.limiter],
	    s->limit.limiter == c->expected ? "" : "(NOT EXPECTED) ", c->name, t->goodput_bps / 1e6,
	    s->limit.evidence);
	if (!all)
		return;
	printf("  rwnd %.2f sndbuf %.2f retr %.5f rtt %.1f/%.1f rate %.1f inflight %.0fK W %.0fK "
	    "cwnd %.0fK rwnd %.0fK\n", t->rwnd_limited, t->sndbuf_limited, t->retransmits,
	    t->rtt.idle_ms, t->rtt.loaded_ms, t->delivery_rate_bps / 1e6, t->inflight_bytes / 1024,
	    s->window_bytes / 1024, t->cwnd_bytes / 1024, t->rwnd_bytes / 1024);
	printf("  cpu %.3f+%.3f (%.2f) peer %.3f+%.3f (%.2f) idle %.2f unread %.0fK unsent %.0fK "
	    "steady %d\n",
	    t->cpu, t->cpu_wait, t->system_cpu, t->peer_cpu, t->peer_cpu_wait, t->peer_system_cpu,
	    t->idle_writes, t->unread_bytes / 1024, t->unsent_bytes / 1024, t->steady);
	if (s->probed)
		printf("  udp %.1f of %.1f loss %.2f burst %.1f (%.1f MB) streams %.1f\n",
		    p->udp_bps / 1e6, p->udp_sent_bps / 1e6, p->udp_loss, p->udp_burst_bps / 1e6,
		    p->udp_bytes / 1e6, p->streams_bps / 1e6);
}

/* The machine held it back, and not what was imposed: says nothing about the limiter. */
static bool
disturbed(const struct limit_case *c, const struct limit_seen *s)
{
	return !s->skipped && c->cpu[0] == CPU_FREE && c->cpu[1] == CPU_FREE &&
	    (s->trial.cpu_wait >= DISTURBED || s->trial.peer_cpu_wait >= DISTURBED);
}

static void
count(struct tally *t, enum limiter expected, enum limiter said)
{
	t->cases++;
	t->seen[expected][said]++;
	t->unknown += said == LIMIT_UNKNOWN;
	t->wrong += said != LIMIT_UNKNOWN && said != expected;
}

static void
count_lab(struct arena *a, struct tally *t, const struct limit_case *c, const struct limit_seen *s)
{
	t->skipped += s->skipped;
	if (s->skipped)
		return;
	count(t, c->expected, s->limit.limiter);
	if (blamed(a, &s->trial, s->probed ? &s->path : NULL, &s->limit)) {
		printf("BLAMES THE NIC: %s\n", c->name);
		t->blamed++;
	}
}

/* Again, if the machine was too busy; still too busy at last: it is not counted. */
static void
run(struct tally *t, const struct limit_case *c, bool all)
{
	for (int attempt = 1; attempt <= ATTEMPTS && !stop_requested(); attempt++) {
		struct err e = { .code = ERR_NONE };
		struct arena *a = arena_new();
		struct limit_seen s;
		bool ok = limit_case_run(a, c, &s, &e), again = ok && disturbed(c, &s);

		if (!ok) {
			printf("FAILED     %s: %s\n", c->name, e.text);
			t->failed++;
		} else if (!again) {
			count_lab(a, t, c, &s);
			tell(c, &s, all);
		} else if (attempt == ATTEMPTS) {
			printf("disturbed  %s\n", c->name);
			t->disturbed++;
		}
		arena_free(a);
		if (!again)
			return;
	}
}

/* One that Linux sees and nothing else disturbs; the same at every run. */
static void
simulate(struct tally *t, enum limiter cause, size_t n)
{
	struct random r;

	random_seed(&r, (uint64_t)cause);
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new();
		struct path_fact path;
		struct limit limit;
		struct trial trial;
		struct side side;
		struct held h;

		held_random(&h, cause, &r);
		h.sight = SIGHT_TIMES;
		h.busy = false;
		/* An emulated NIC whose interrupts keep a core busy is not innocent. */
		h.interrupts[SENDER] = h.interrupts[RECEIVER] = false;
		held_trial(&h, a, h.window_bytes[h.direction == DIR_RECEIVE], &r, &trial);
		side = (struct side){ trial.setting, trial.goodput_bps, trial.rtt.loaded_ms, NAN };
		held_path(&h, trial.goodput_bps, &r, &path);
		limit = limiter_name(a, NULL, &trial, 1, h.direction, &trial.setting);
		if (limiter_unsure(&limit, &side, trial.rtt.idle_ms, NAN))
			limit = limiter_name(a, &path, &trial, 1, h.direction, &trial.setting);
		count(t, cause, limit.limiter);
		t->blamed += cause != LIMIT_NIC && blamed(a, &trial, &path, &limit);
		arena_free(a);
	}
}

static bool
matrix(const struct tally *t)
{
	bool used[KINDS] = { false };
	bool ok = t->wrong <= WRONG_BAR * t->cases && t->unknown <= UNKNOWN_BAR * t->cases &&
	    t->blamed == 0;

	for (int i = 0; i < KINDS; i++)
		for (int j = 0; j < KINDS; j++)
			used[i] |= t->seen[i][j] + t->seen[j][i] > 0;
	printf("\n%-12s", "imposed");
	for (int j = 0; j < KINDS; j++)
		if (used[j])
			printf(" %8s", limiter_names[j]);
	for (int i = 1; i < KINDS; i++) {
		if (!used[i])
			continue;
		printf("\n%-12s", limiter_names[i]);
		for (int j = 0; j < KINDS; j++)
			if (used[j])
				printf(" %8u", t->seen[i][j]);
	}
	printf("\n\n%u cases, %u skipped, %u disturbed, %u failed; wrong %u (%.1f %%, bar 2 %%), "
	    "unknown %u (%.1f %%, bar 10 %%), advice to switch an innocent NIC in %u (bar 0): %s\n",
	    t->cases, t->skipped, t->disturbed, t->failed, t->wrong,
	    100.0 * t->wrong / fmax(1, t->cases), t->unknown,
	    100.0 * t->unknown / fmax(1, t->cases), t->blamed, ok ? "ok" : "MISSED");
	return ok && t->failed == 0;
}

int
main(int argc, char **argv)
{
	struct tally t = { .cases = 0 };
	bool quick = false, all = false;
	size_t only = 0, simulated = 0;
	int opt;

	while ((opt = getopt(argc, argv, "qvn:s:")) != -1) {
		quick |= opt == 'q';
		all |= opt == 'v';
		if (opt == 'n')
			only = strtoul(optarg, NULL, 10);
		if (opt == 's')
			simulated = strtoul(optarg, NULL, 10);
		if (opt == '?')
			return 2;
	}
	if (!stop_install())
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int cause = LIMIT_RWND; cause <= LIMIT_NIC; cause++)
		simulate(&t, (enum limiter)cause, simulated);
	for (size_t i = 0; simulated == 0 && i < n_limit_cases && !stop_requested(); i++) {
		const struct limit_case *c = &limit_cases[i];

		if ((quick && !c->quick) || (only != 0 && only != i + 1) ||
		    (optind < argc && strstr(c->name, argv[optind]) == NULL))
			continue;
		run(&t, c, all);
	}
	return matrix(&t) ? 0 : 1;
}
