/*
 * Extras on a real kernel: an interface's offloads and qdisc in a network namespace of the test's
 * own, found, tried, set and brought back by the Linux profile's commands.
 *
 * needs: root tun ethtool
 */
#include <criterion/criterion.h>

#include "probes/facts.h"
#include "tuner/extras.h"
#include "tuner/pipeline_knobs.h"
#include "tuner/plan.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/pathtune-extras-XXXXXX";
static struct arena *a;
static struct err e;
static struct run run;
static struct cmd_context cmd;
static struct pipeline p;

static void
sh(const char *line)
{
	cr_assert_eq(system(line), 0, "%s", line);
}

static struct facts
found(void)
{
	struct facts f;

	record_init(&facts_record, &f);
	cr_assert(facts_probe(p.host, a, p.profile, "192.0.2.2", false, &f, &e), "%s", e.text);
	cr_assert_str_eq(f.interface, "t0");
	return f;
}

static void
setup_with(const char *device)
{
	a = arena_new();
	cr_assert_not_null(mkdtemp(dir));
	setenv("PATHTUNE_STATE", dir, 1);
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	sh(device);
	sh("ip link set t0 up && ip addr add 192.0.2.1/24 dev t0");
	sh("tc qdisc replace dev t0 root pfifo_fast");
	record_init(&run_record, &run);
	run.options.direction = DIR_BOTH;
	cmd = (struct cmd_context){ .arena = a, .quiet = true };
	p = (struct pipeline){ .cmd = &cmd, .run = &run };
	cr_assert(profile_for(a, "Linux", &p.profile, &e), "%s", e.text);
	cr_assert(host_open(a, "local", &p.host, &e), "%s", e.text);
	run.facts = found();
	cr_assert(plan_make(a, p.profile, &run.facts, &run.options, &run.plan, &e), "%s", e.text);
	trial_knobs_collect(&p);
}

static void
setup(void)
{
	setup_with("ip tuntap add dev t0 mode tun");
}

/* This kind computes checksums elsewhere; without them there is no segmentation either. */
static void
setup_pair(void)
{
	setup_with("ip link add t0 type veth peer name t1");
}

static void
teardown(void)
{
	host_close(p.host);
	cr_expect_eq(rmdir(dir), 0, "no journal is left");
	arena_free(a);
}

TestSuite(lab_interface, .init = setup, .fini = teardown, .timeout = 60);
TestSuite(lab_interface_pair, .init = setup_pair, .fini = teardown, .timeout = 60);

static const char *
offloads(const struct facts *f)
{
	struct text t = { .arena = a };

	text_add(&t, "%s", f->qdisc == NULL ? "?" : f->qdisc);
	for (size_t i = 0; i < f->n_offloads; i++)
		text_add(&t, " %s=%s", f->offloads[i].name, f->offloads[i].state);
	return t.s;
}

static const struct plan_extra *
planned(size_t direction, const char *id)
{
	return extras_planned(&run.plan.directions[direction], id);
}

Test(lab_interface, offloads_are_switched_and_brought_back)
{
	const char *before = offloads(&run.facts), *ids[] = { "no-segmentation-offload" };
	const char *merged[] = { "no-receive-offload" };
	const struct setting now = { NULL, run.plan.directions[0].window_bytes, ids, 1 };
	const struct setting then = { NULL, run.plan.directions[1].window_bytes, merged, 1 };
	struct facts f;

	cr_assert_not_null(planned(0, ids[0]));
	cr_assert_not_null(planned(1, merged[0]));
	cr_assert(trial_knobs_arm(&p, &e), "%s", e.text);
	f = found();
	cr_expect_str_eq(offloads(&f), before);
	cr_assert(trial_knobs_setting(&p, &run.plan.directions[0], &now, &e), "%s", e.text);
	f = found();
	cr_expect_not_null(strstr(offloads(&f), "generic-segmentation-offload=off"));
	cr_expect_not_null(strstr(offloads(&f), "generic-receive-offload=on"));
	cr_assert(trial_knobs_setting(&p, &run.plan.directions[1], &then, &e), "%s", e.text);
	f = found();
	cr_expect_not_null(strstr(offloads(&f), "generic-segmentation-offload=on"));
	cr_expect_not_null(strstr(offloads(&f), "generic-receive-offload=off"));
	cr_assert(trial_knobs_release(&p, &e), "%s", e.text);
	f = found();
	cr_expect_str_eq(offloads(&f), before);
}

/* Without the checksum the kernel switches segmentation off itself, and not on again with it. */
Test(lab_interface_pair, what_needs_another_offload_comes_back_after_it)
{
	const char *before = offloads(&run.facts), *ids[] = { "no-checksum-offload" };
	const struct setting s = { NULL, run.plan.directions[0].window_bytes, ids, 1 };
	const struct setting found_so = { NULL, run.plan.directions[0].window_bytes, NULL, 0 };
	struct facts f;

	cr_assert_not_null(planned(0, ids[0]));
	cr_assert(trial_knobs_arm(&p, &e), "%s", e.text);
	for (int i = 0; i < 2; i++) {
		cr_assert(trial_knobs_setting(&p, &run.plan.directions[0], &s, &e), "%s", e.text);
		f = found();
		cr_expect_not_null(strstr(offloads(&f), " tx-checksumming=off"), "%s", offloads(&f));
		cr_expect_not_null(strstr(offloads(&f), " tx-tcp-segmentation=off"));
		if (i == 0) /* by us, then by the guard's release */
			cr_assert(trial_knobs_setting(&p, &run.plan.directions[0], &found_so, &e),
			    "%s", e.text);
		else
			cr_assert(trial_knobs_release(&p, &e), "%s", e.text);
		f = found();
		cr_expect_str_eq(offloads(&f), before);
	}
}

/* A kernel without sch_fq is told by trying. */
Test(lab_interface, a_qdisc_is_set_and_brought_back_or_said_to_be_unknown_to_this_kernel)
{
	const char *ids[] = { "fq" };
	const struct setting s = { NULL, run.plan.directions[0].window_bytes, ids, 1 };
	const char *why;
	struct facts f;

	cr_assert_str_eq(run.facts.qdisc, "pfifo_fast");
	cr_assert_not_null(planned(0, "fq"));
	cr_assert(trial_knobs_arm(&p, &e), "%s", e.text);
	cr_assert(trial_knobs_try(&p, &run.plan.directions[0], &s, &why, &e), "%s", e.text);
	f = found();
	cr_expect_str_eq(f.qdisc, why == NULL ? "fq" : "pfifo_fast");
	cr_expect(why == NULL || strstr(why, "qdisc t0: ") != NULL, "%s", why);
	cr_assert(trial_knobs_release(&p, &e), "%s", e.text);
	f = found();
	cr_expect_str_eq(f.qdisc, "pfifo_fast");
}
