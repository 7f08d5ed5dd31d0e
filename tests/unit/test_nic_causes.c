/*
 * Advice on the NIC by what the limiter says of simulated transfers, on the machines of
 * tests/transcripts: nothing here tells the advice a cause.
 */
#include "held.h"
#include "tuner/cmd.h"
#include "tuner/limiter.h"
#include "tuner/nic_advice.h"
#include "tuner/profile.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define EACH 15    /* of every cause on every machine */
#define STEPS 3   /* windows that a search tries: as it is, four times, sixteen times */
#define REPEATS 4 /* trials of each */
#define GAINS 1.1 /* so many times as fast: the search would change the settings */

static const char *const machines[] = { "netbsd-10.1-vioif", "netbsd-11.0-vioif-tuned",
	"netbsd-9.3-wm", "freebsd-13.2-vtnet", "freebsd-14.2-em", "freebsd-14.2-vmx",
	"freebsd-15.0-vtnet-pf", "openbsd-7.4-em", "openbsd-7.6-vio", "openbsd-7.8-vmx",
	"dragonfly-6.4-em", "dragonfly-6.4-vtnet", "linux-6.1-virtio_net", "linux-6.1-e1000",
	"linux-6.1-e1000e", "linux-6.1-vmxnet3" };

struct machine {
	struct facts facts;
	struct profile *profile;
	bool emulated;
};

static struct arena *kept;
static struct hypervisors all;

static struct machine
machine_of(const char *name)
{
	struct err e = { ERR_NONE, "" };
	struct machine m;
	const struct nic_driver *d;
	const struct nic_kind *k;

	cr_assert(cmd_facts_load(kept, arena_printf(kept,
	    TESTS_DIR "/transcripts/%s/expected/probe.json", name), &m.facts, &e), "%s", e.text);
	cr_assert(profile_for(kept, m.facts.os, &m.profile, &e), "%s", e.text);
	d = nic_present(m.profile, &m.facts);
	cr_assert_not_null(d, "%s", name);
	k = hypervisors_model(&all, d->model);
	m.emulated = k != NULL && !k->paravirtual;
	return m;
}

static void
setup(void)
{
	struct err e = { ERR_NONE, "" };

	kept = arena_new();
	cr_assert(hypervisors_embedded(kept, &all, &e), "%s", e.text);
}

static void
teardown(void)
{
	arena_free(kept);
}

TestSuite(nic_causes, .init = setup, .fini = teardown);

/* ---- a run as tune makes it ------------------------------------------------------------------- */

static void
add_trials(struct arena *a, struct run *run, const struct held *h, double window_bytes,
    struct random *r)
{
	for (size_t i = 0; i < REPEATS; i++)
		held_trial(h, a, window_bytes, r, arena_push(a, &run->trials, &run->n_trials,
		    sizeof(struct trial)));
}

static double
mean_goodput(const struct run *run, size_t step)
{
	double sum = 0;

	for (size_t i = 0; i < REPEATS; i++)
		sum += run->trials[step * REPEATS + i].goodput_bps;
	return sum / REPEATS;
}

/* Before, after, and what limited it: by the trials, and by other traffic where they do not tell. */
static void
conclude(struct arena *a, struct run *run, const struct held *h, struct random *r)
{
	struct direction_decision *d = arena_alloc(a, sizeof(*d));
	struct path_fact *path = arena_alloc(a, sizeof(*path));
	double before = mean_goodput(run, 0), best = before;
	struct side side = { run->trials[0].setting, before, run->trials[0].rtt.loaded_ms, NAN };

	for (size_t step = 1; step < STEPS; step++)
		best = fmax(best, mean_goodput(run, step));
	*d = (struct direction_decision){ .direction = h->direction, .before = side,
		.verdict = best > GAINS * before ? VERDICT_CHANGE : VERDICT_KEEP };
	d->limit_before = limiter_name(a, NULL, run->trials, run->n_trials, h->direction,
	    &side.setting);
	if (h->sight != SIGHT_NONE && limiter_unsure(&d->limit_before, &side, run->trials[0].rtt.idle_ms, NAN)) {
		held_path(h, before, r, path);
		run->facts.path = path;
		run->facts.n_path = 1;
		d->limit_before = limiter_name(a, path, run->trials, run->n_trials,
		    h->direction, &side.setting);
	}
	run->decision.directions = d;
	run->decision.n_directions = 1;
}

static struct nic_advice
advice(struct arena *a, const struct machine *m, const struct held *h, struct random *r,
    struct limit *limit)
{
	double window = h->window_bytes[h->direction == DIR_RECEIVE];
	struct err e = { ERR_NONE, "" };
	struct nic_advice x;
	struct run run;

	record_init(&run_record, &run);
	run.facts = m->facts;
	run.facts.rtt_ms = h->rtt_ms;
	for (size_t i = 0; i < STEPS; i++, window *= 4)
		add_trials(a, &run, h, window, r);
	conclude(a, &run, h, r);
	*limit = run.decision.directions[0].limit_before;
	cr_assert(nic_advise(a, m->profile, &all, &run, &x, &e), "%s", e.text);
	return x;
}

/* ---- the innocent, and the guilty -------------------------------------------------------------- */

struct tally {
	unsigned cases, fired;
	unsigned clear, wrong, unknown; /* of those that Linux saw, undisturbed */
};

static void
try_one(const struct machine *m, const struct held *h, struct random *r, struct tally *t)
{
	struct arena *a = arena_new();
	struct limit limit;
	struct nic_advice x = advice(a, m, h, r, &limit);

	t->cases++;
	t->fired += x.verdict == NIC_SWITCH;
	if (h->sight == SIGHT_TIMES && !h->busy) {
		t->clear++;
		t->unknown += limit.limiter == LIMIT_UNKNOWN;
		t->wrong += limit.limiter != LIMIT_UNKNOWN && limit.limiter != h->cause;
	}
	if (h->cause != LIMIT_NIC)
		cr_expect_neq(x.verdict, NIC_SWITCH, "%s on %s: limiter %s (%s); %s",
		    limiter_names[h->cause], m->facts.driver, limiter_names[limit.limiter],
		    limit.evidence, x.words);
	else if (h->sight <= SIGHT_RTT && !h->busy)
		cr_expect_eq(x.verdict, NIC_SWITCH, "%s: limiter %s (%s); %s", m->facts.driver,
		    limiter_names[limit.limiter], limit.evidence, x.words);
	else if (h->sight == SIGHT_NONE)
		cr_expect_neq(x.verdict, NIC_SWITCH, "%s: nobody can know", m->facts.driver);
	arena_free(a);
}

/* Transfers of this cause over each machine's NIC; the same at every run. */
static struct tally
try_cause(enum limiter cause)
{
	struct tally t = { .cases = 0 };

	for (size_t i = 0; i < NELEM(machines); i++) {
		struct machine m = machine_of(machines[i]);
		struct random r;

		random_seed(&r, 100 * i + (size_t)cause);
		for (size_t j = 0; j < EACH; j++) {
			struct held h;

			held_random(&h, cause, &r);
			/* An emulated NIC whose interrupts keep a core busy is not innocent. */
			if (m.emulated)
				h.interrupts[h.direction == DIR_SEND ? SENDER : RECEIVER] = false;
			try_one(&m, &h, &r, &t);
		}
	}
	return t;
}

Test(nic_causes, nobody_is_told_to_switch_whose_nic_is_innocent)
{
	struct tally sum = { .cases = 0 };

	for (int cause = LIMIT_RWND; cause < LIMIT_NIC; cause++) {
		struct tally t = try_cause((enum limiter)cause);

		cr_expect_geq(t.cases, 200);
		cr_expect_eq(t.fired, 0, "%s", limiter_names[cause]);
		sum.clear += t.clear;
		sum.wrong += t.wrong;
		sum.unknown += t.unknown;
	}
	cr_expect_gt(sum.clear, 400);
	cr_expect_leq(sum.wrong, .02 * sum.clear, "%u of %u wrong", sum.wrong, sum.clear);
	cr_expect_leq(sum.unknown, .1 * sum.clear, "%u of %u unknown", sum.unknown, sum.clear);
}

Test(nic_causes, whoever_sees_enough_is_told_of_a_guilty_nic)
{
	struct tally t = try_cause(LIMIT_NIC);

	cr_expect_geq(t.fired, t.cases / 3);
}

/* NetBSD sends to a Linux peer: of its connections it tells the RTT and nothing more. */
Test(nic_causes, the_story_is_told_from_what_netbsd_itself_shows)
{
	struct machine m = machine_of("netbsd-10.1-vioif");
	struct held h = { .cause = LIMIT_NIC, .direction = DIR_SEND, .sight = SIGHT_RTT,
		.capacity_bps = 620e6, .link_bps = 1e9, .rtt_ms = 209, .queue_bdp = 1, .growth = 1,
		.window_bytes = { 2e6, 32e6 }, .nic_bps = 7.7e6 };
	struct tally t = { .cases = 0 };
	struct random r;

	random_seed(&r, 900);
	try_one(&m, &h, &r, &t);
	cr_expect_eq(t.fired, 1);
	h.window_bytes[SENDER] = 204800; /* as NetBSD comes: settings first */
	h.nic_bps = 0;
	h.cause = LIMIT_SNDBUF;
	try_one(&m, &h, &r, &t);
	cr_expect_eq(t.fired, 1);
}
