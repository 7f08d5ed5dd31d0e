/*
 * What could be tried beyond window and congestion control: on recorded machines, and as values.
 */
#include "sample.h"

#include "probes/facts.h"
#include "probes/host.h"
#include "tuner/decide.h"
#include "tuner/extras.h"
#include "tuner/fragment.h"
#include "tuner/kernel.h"
#include "tuner/plan.h"
#include "tuner/report.h"
#include "tuner/settings.h"

static struct arena *a;
static struct err e;

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ ERR_NONE, "" };
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(extras, .init = setup, .fini = teardown);

/* A recorded machine with its plan, all of both directions. */
struct machine {
	struct profile *profile;
	struct facts facts;
	struct plan plan;
};

static struct machine
machine(const char *name)
{
	struct options o = { .direction = DIR_BOTH };
	struct machine m = { .facts = { .os = NULL } };
	struct host *h;
	size_t n = strcspn(name, "-");

	cr_assert(profile_named(a, arena_strndup(a, name, n), &m.profile, &e), "%s", e.text);
	cr_assert(host_open(a, arena_printf(a, "replay:" TESTS_DIR "/transcripts/%s", name), &h, &e),
	    "%s", e.text);
	cr_assert(facts_probe(h, a, m.profile, host_path(h)->peer, false, &m.facts, &e), "%s", e.text);
	host_close(h);
	cr_assert(plan_make(a, m.profile, &m.facts, &o, &m.plan, &e), "%s: %s", name, e.text);
	return m;
}

static const char *
say(const struct plan *plan)
{
	struct text t = { .arena = a };

	text_bytes(&t, "", 0);
	for (size_t i = 0; i < plan->n_directions; i++) {
		const struct plan_direction *d = &plan->directions[i];

		for (size_t j = 0; j < d->n_extras; j++) {
			const struct plan_extra *x = &d->extras[j];

			text_add(&t, "%s %s:", direction_names[d->direction], x->id);
			for (size_t k = 0; k < x->n_lines; k++)
				text_add(&t, " %s %s>%s", x->lines[k].name, x->lines[k].old,
				    x->lines[k].new);
			text_add(&t, "\n");
		}
	}
	return t.s;
}

Test(extras, what_a_recorded_machine_could_try)
{
	static const struct { const char *machine, *offered; } t[] = {
		{ "linux-6.18-virtio_net",
		    "send fq: qdisc eth0 pfifo_fast>fq\n"
		    "send no-segmentation-offload: offload tx-tcp-segmentation eth0 on>off offload tx-tcp6-segmentation eth0 on>off offload generic-segmentation-offload eth0 on>off\n"
		    "send no-checksum-offload: offload tx-tcp-segmentation eth0 on>off offload tx-tcp6-segmentation eth0 on>off offload tx-checksumming eth0 on>off\n"
		    "receive no-receive-offload: offload generic-receive-offload eth0 on>off\n" },
		{ "linux-6.1-e1000",
		    "send fq: qdisc eth0 fq_codel>fq\n"
		    "send no-segmentation-offload: offload tx-tcp-segmentation eth0 on>off offload generic-segmentation-offload eth0 on>off\n"
		    "send no-checksum-offload: offload tx-tcp-segmentation eth0 on>off offload tx-checksumming eth0 on>off\n"
		    "receive no-receive-offload: offload generic-receive-offload eth0 on>off\n" },
		{ "linux-6.18-container",
		    "send no-segmentation-offload: offload tx-tcp-segmentation d0 on>off offload tx-tcp6-segmentation d0 on>off offload generic-segmentation-offload d0 on>off\n"
		    "send no-checksum-offload: offload tx-tcp-segmentation d0 on>off offload tx-tcp6-segmentation d0 on>off offload tx-checksumming d0 on>off\n"
		    "receive receive-offload: offload generic-receive-offload d0 off>on\n" },
		{ "freebsd-13.2-vtnet",
		    "send send-step: net.inet.tcp.sendbuf_inc 8192>65536\n"
		    "send no-segmentation-offload: net.inet.tcp.tso 1>0\n"
		    "send no-checksum-offload: offload TSO4 vtnet0 on>off offload TSO6 vtnet0 on>off offload TXCSUM vtnet0 on>off offload TXCSUM_IPV6 vtnet0 on>off\n"
		    "receive receive-start: net.inet.tcp.recvspace 65536>1048576\n"
		    "receive reassembly-queue: net.inet.tcp.reass.maxqueuelen 100>46346\n"
		    "receive no-receive-offload: offload LRO vtnet0 on>off\n"
		    "receive no-receive-checksum-offload: offload LRO vtnet0 on>off offload RXCSUM vtnet0 on>off offload RXCSUM_IPV6 vtnet0 on>off\n" },
		{ "freebsd-14.2-vmx",
		    "send send-step: net.inet.tcp.sendbuf_inc 8192>65536\n"
		    "send stack-rack: net.inet.tcp.functions_default bbr>rack\n"
		    "send no-segmentation-offload: net.inet.tcp.tso 1>0\n"
		    "send no-checksum-offload: offload TSO4 vmx0 on>off offload TSO6 vmx0 on>off offload TXCSUM vmx0 on>off offload TXCSUM_IPV6 vmx0 on>off\n"
		    "receive receive-start: net.inet.tcp.recvspace 65536>1048576\n"
		    "receive reassembly-queue: net.inet.tcp.reass.maxqueuelen 100>46346\n"
		    "receive no-receive-offload: offload LRO vmx0 on>off\n"
		    "receive no-receive-checksum-offload: offload LRO vmx0 on>off offload RXCSUM vmx0 on>off offload RXCSUM_IPV6 vmx0 on>off\n" },
		{ "freebsd-14.1-jail", /* a limit that cannot be raised leaves no room to start with more */
		    "send no-segmentation-offload: net.inet.tcp.tso 1>0\n" },
		{ "freebsd-15.0-vtnet-pf",
		    "send send-step: net.inet.tcp.sendbuf_inc 8192>65536\n"
		    "send stack-rack: net.inet.tcp.functions_default freebsd>rack\n"
		    "send stack-bbr: net.inet.tcp.functions_default freebsd>bbr\n"
		    "send no-segmentation-offload: net.inet.tcp.tso 1>0\n"
		    "send no-checksum-offload: offload TSO4 vtnet0 on>off offload TSO6 vtnet0 on>off offload TXCSUM vtnet0 on>off offload TXCSUM_IPV6 vtnet0 on>off\n"
		    "receive receive-start: net.inet.tcp.recvspace 65536>1048576\n"
		    "receive reassembly-queue: net.inet.tcp.reass.maxqueuelen 100>46346\n"
		    "receive receive-offload: offload LRO vtnet0 off>on\n"
		    "receive no-receive-checksum-offload: offload RXCSUM vtnet0 on>off offload RXCSUM_IPV6 vtnet0 on>off\n" },
		{ "netbsd-10.1-vioif",
		    "send send-start: net.inet.tcp.sendspace 32768>1048576 net.inet.tcp.sendbuf_inc 8192>65536\n"
		    "receive receive-start: net.inet.tcp.recvspace 32768>4194304\n" },
		{ "netbsd-11.0-vioif-tuned",
		    "send send-start: net.inet.tcp.sendspace 32768>1048576 net.inet.tcp.sendbuf_inc 8192>65536\n"
		    "receive receive-start: net.inet.tcp.recvspace 32768>4194304\n" },
		{ "openbsd-7.8-vmx",
		    "send no-segmentation-offload: net.inet.tcp.tso 1>0\n"
		    "receive receive-offload: offload LRO vmx0 off>on\n" },
		{ "dragonfly-6.4-vtnet", /* its windows need both of its other extras already */
		    "send segmentation-offload: offload TXCSUM vtnet0 off>on\n" },
		{ "freebsd-14.1-jail-shared", "" } /* nothing can be set there */,
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct machine m = machine(t[i].machine);

		cr_expect_str_eq(say(&m.plan), t[i].offered, "%s:\n%s", t[i].machine, say(&m.plan));
	}
}

/* ---- values --------------------------------------------------------------------------------- */

static struct setting
everything(const struct plan_direction *d, double window_bytes)
{
	struct setting s = { NULL, window_bytes, NULL, 0 };

	for (size_t i = 0; i < d->n_extras; i++)
		*(const char **)arena_push(a, &s.extras, &s.n_extras, sizeof(char *)) =
		    d->extras[i].id;
	return s;
}

/* The window that these lines give. */
static struct kernel_window
window_of(const struct machine *m, const struct plan_direction *d, const struct setting *s,
    struct kernel_knobs *k)
{
	struct kernel_window got;
	size_t n;
	struct change_line *l = decide_setting_lines(a, m->profile, &m->facts, d, s, &n);
	const struct facts f = settings_applied(a, m->profile, &m->facts, l, n);

	*k = kernel_knobs(m->profile, &f);
	cr_assert(kernel_window(m->profile, &f, k, d->direction, 200, &got));
	return got;
}

static void
expect_harmless(const char *name, const struct machine *m, const struct plan_direction *d,
    double window_bytes)
{
	const struct kernel_knobs before = kernel_knobs(m->profile, &m->facts);
	const struct setting all = everything(d, window_bytes), none = { NULL, window_bytes, NULL, 0 };
	struct kernel_knobs k, ignored;
	struct kernel_window with = window_of(m, d, &all, &k);

	cr_expect_not(with.lethal, "%s %s %.0f", name, direction_names[d->direction], window_bytes);
	cr_expect_geq(with.sure_bytes, window_of(m, d, &none, &ignored).sure_bytes, "%s", name);
	for (enum knob_role r = ROLE_LIMIT; r <= ROLE_RECEIVE_INCREMENT; r++)
		cr_expect(isnan(before.value[r]) || k.value[r] >= before.value[r], "%s: %s", name,
		    knob_role_names[r]);
}

/* A size that no limit admits would leave the host without a single new socket. */
Test(extras, no_window_with_extras_is_ever_lethal_or_lower_than_what_runs)
{
	static const char *const machines[] = { "freebsd-13.2-vtnet", "freebsd-14.1-jail",
		"freebsd-15.0-vtnet-pf", "netbsd-9.3-wm", "netbsd-10.1-i386-wm", "netbsd-10.1-vioif",
		"netbsd-11.0-vioif-tuned", "dragonfly-6.4-vtnet", "linux-6.18-virtio_net" };
	size_t looked_at = 0;

	for (size_t i = 0; i < NELEM(machines); i++) {
		struct machine m = machine(machines[i]);

		for (size_t j = 0; j < m.plan.n_directions; j++) {
			const struct plan_direction *d = &m.plan.directions[j];

			for (double w = d->window_bytes; w <= d->window_max_bytes;
			     w *= 1.3, looked_at++)
				expect_harmless(machines[i], &m, d, w);
		}
	}
	cr_expect_gt(looked_at, 100);
}

static const char *
value_of(const struct change_line *l, size_t n, const char *name)
{
	const char *value = NULL;
	size_t seen = 0;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(l[i].name, name) == 0) {
			value = l[i].new;
			seen++;
		}
	}
	cr_expect_leq(seen, 1, "%s has several lines", name);
	return value == NULL ? "none" : value;
}

Test(extras, are_made_for_the_window_of_the_setting_not_for_the_widest)
{
	struct machine m = machine("netbsd-10.1-vioif");
	const struct plan_direction *d = &m.plan.directions[1];
	static const struct { double window; const char *recvspace, *sbmax; } t[] = {
		{ 1048576, "262144", "1310720" },
		{ 16 * 1048576.0, "4194304", "20971520" },
		{ 64 * 1048576.0, "4194304", "83886080" },
	};

	cr_assert_eq(d->direction, DIR_RECEIVE);
	for (size_t i = 0; i < NELEM(t); i++) {
		const struct setting s = everything(d, t[i].window);
		struct change_line *l;
		size_t n;

		l = decide_setting_lines(a, m.profile, &m.facts, d, &s, &n);
		cr_expect_str_eq(value_of(l, n, "net.inet.tcp.recvspace"), t[i].recvspace, "%zu", i);
		cr_expect_str_eq(value_of(l, n, "kern.sbmax"), t[i].sbmax, "%zu", i);
		cr_expect_str_eq(l[0].name, "kern.sbmax", "the limit before what it bounds");
	}
}

/* The present window: nothing makes room, so the first size stays within what there is. */
Test(extras, a_first_size_stays_below_what_the_limit_admits)
{
	struct machine m = machine("netbsd-10.1-vioif");
	struct plan_direction *d = &m.plan.directions[1];
	const struct setting s = { NULL, 64 * 1048576.0, (const char *[]){ "receive-start" }, 1 };
	struct change_line *l;
	size_t n;

	d->window_bytes = s.window_bytes;
	l = decide_setting_lines(a, m.profile, &m.facts, d, &s, &n);
	cr_assert_eq(n, 1);
	cr_expect_str_eq(l[0].name, "net.inet.tcp.recvspace");
	cr_expect_str_eq(l[0].old, "32768");
	cr_expect_str_eq(l[0].new, "208896", "4/5 of 262144, in whole pages");
}

Test(extras, what_holds_already_or_cannot_be_set_is_not_tried)
{
	struct machine m = machine("freebsd-15.0-vtnet-pf");
	struct options o = { .direction = DIR_SEND };

	for (size_t i = 0; i < m.facts.n_knobs; i++) {
		struct knob_fact *k = &m.facts.knobs[i];

		if (strcmp(k->name, "net.inet.tcp.tso") == 0)
			k->now = 0, k->text = "0";
		if (strcmp(k->name, "net.inet.tcp.sendbuf_inc") == 0)
			k->now = 1e6, k->text = "1000000";
	}
	m.facts.n_stacks_available = m.facts.n_stacks_loadable = m.facts.n_offloads = 0;
	cr_assert(plan_make(a, m.profile, &m.facts, &o, &m.plan, &e), "%s", e.text);
	cr_expect_str_eq(say(&m.plan), "");
}

Test(extras, an_unprivileged_user_or_an_odd_interface_switches_nothing)
{
	static const char *const names[] = { NULL, "", "-L", "a b", "eth0;x", "../x" };
	struct machine m = machine("linux-6.18-virtio_net");
	struct options o = { .direction = DIR_BOTH };

	for (size_t i = 0; i < NELEM(names); i++) {
		m.facts.interface = names[i];
		cr_assert(plan_make(a, m.profile, &m.facts, &o, &m.plan, &e), "%s", e.text);
		cr_expect_str_eq(say(&m.plan), "", "%s", names[i]);
	}
	m.facts.interface = "eth0";
	m.facts.privileged = false;
	cr_assert(plan_make(a, m.profile, &m.facts, &o, &m.plan, &e), "%s", e.text);
	cr_expect_str_eq(say(&m.plan), "");
}

Test(extras, offloads_and_qdiscs_are_read_and_set_by_argv_alone)
{
	struct machine m = machine("linux-6.18-virtio_net");
	const struct extra *fq = extras_find(m.profile, "fq");
	const struct extra *segments = extras_find(m.profile, "no-segmentation-offload");
	struct extra_way w;

	cr_assert(fq != NULL && segments != NULL);
	cr_assert(extras_way(a, m.profile, &m.facts, &fq->sets[0], &w));
	cr_expect_str_eq(w.read[0], "ip");
	cr_expect_str_eq(w.after, " qdisc ");
	cr_expect_str_eq(w.write[4], "eth0");
	cr_expect_str_eq(w.write[6], "{value}");
	cr_assert(extras_way(a, m.profile, &m.facts, &segments->sets[0], &w));
	cr_expect_str_eq(w.read[2], "eth0");
	cr_expect_str_eq(w.after, "tx-tcp-segmentation: ");
	cr_expect_str_eq(w.write[3], "tx-tcp-segmentation");
	cr_expect_str_eq(w.write[4], "{value}");
	cr_expect_not(extras_way(a, m.profile, &m.facts,
	    &extras_find(machine("netbsd-10.1-vioif").profile, "receive-start")->sets[0], &w));
}

/* ---- what stays ----------------------------------------------------------------------------- */

static struct search_result
kept(const struct plan_direction *d, double window_bytes, const char **ids, size_t n)
{
	struct search_result r = { .verdict = VERDICT_CHANGE, .class = CLASS_WINDOW,
		.start = { d->n_cc == 0 ? NULL : d->cc[0], d->window_bytes, NULL, 0 },
		.chosen = { d->n_cc == 0 ? NULL : d->cc[0], window_bytes, ids, n },
		.effect = { 38, 31, 46, .95, 9, 96 }, .more_s = NAN };

	r.before = (struct side){ r.start, 209e6, 211, 0 };
	r.after = (struct side){ r.chosen, 288e6, 214, .0002 };
	return r;
}

static struct run
decided(struct machine *m, size_t direction, double window_bytes, const char **ids, size_t n)
{
	const struct plan_direction *d = &m->plan.directions[direction];
	struct search_result r = kept(d, window_bytes, ids, n);
	struct direction_decision one;
	struct run run;

	record_init(&run_record, &run);
	run.facts = m->facts;
	run.plan = m->plan;
	one = decide_direction(a, d, &r, NULL, 0, false);
	decide_all(a, m->profile, &run.facts, &run.plan, &one, 1, &run.decision);
	fragment_make(a, m->profile, &run);
	return run;
}

Test(extras, a_qdisc_that_stays_becomes_the_setting_that_makes_it_so_at_boot)
{
	struct machine m = machine("linux-6.18-virtio_net");
	const char *ids[] = { "fq" };
	struct run run = decided(&m, 0, m.plan.directions[0].window_bytes, ids, 1);

	cr_assert_eq(run.decision.n_settings, 1);
	cr_expect_str_eq(run.decision.settings[0].name, "net.core.default_qdisc");
	cr_expect_str_eq(run.decision.settings[0].new, "fq");
	cr_expect(run.decision.settings[0].verified);
	cr_expect_not_null(strstr(run.decision.settings[0].reason, "pacing: "));
	cr_expect_not_null(strstr(run.decision.directions[0].words, "Change: fq. "), "%s",
	    run.decision.directions[0].words);
	cr_assert_eq(run.n_files, 1);
	cr_expect_not_null(strstr(run.files[0].text, "\nnet.core.default_qdisc = fq\n"), "%s",
	    run.files[0].text);
}

Test(extras, an_offload_that_stays_has_a_file_of_its_own)
{
	struct machine m = machine("linux-6.18-virtio_net");
	const char *ids[] = { "no-receive-offload" };
	struct run run = decided(&m, 1, m.plan.directions[1].window_max_bytes, ids, 1);

	cr_assert_eq(run.n_files, 2);
	cr_expect_null(strstr(run.files[0].text, "offload generic"), "%s", run.files[0].text);
	cr_expect_str_eq(run.files[1].path, "/etc/udev/rules.d/90-pathtune-eth0.rules");
	cr_expect_not_null(strstr(run.files[1].text, "\n# receive-offload: merged"), "%s",
	    run.files[1].text);
	cr_expect_not_null(strstr(run.files[1].text, "\nACTION==\"add|move\", SUBSYSTEM==\"net\", "
	    "KERNEL==\"eth0\", RUN+=\"/bin/sh -c 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; "
	    "ethtool -K eth0 generic-receive-offload off'\"\n"), "%s", run.files[1].text);
}

/* Where no file keeps it the reader is told. */
Test(extras, an_offload_that_no_file_keeps_is_a_comment)
{
	struct machine m = machine("linux-6.18-virtio_net");
	const char *ids[] = { "no-receive-offload" };
	struct fragment_setting *s;
	struct run run;
	size_t n;

	m.profile->persist.offloads.path = NULL;
	run = decided(&m, 1, m.plan.directions[1].window_max_bytes, ids, 1);
	cr_assert_eq(run.n_files, 1);
	cr_expect_not_null(strstr(run.files[0].text,
	    "# to be set elsewhere: offload generic-receive-offload eth0 to off\n"), "%s",
	    run.files[0].text);
	s = fragment_read(a, &m.profile->persist.settings, run.files[0].text,
	    strlen(run.files[0].text), &n);
	for (size_t i = 0; i < n; i++)
		cr_expect_null(strstr(s[i].name, "offload"), "%s", s[i].name);
	cr_expect_gt(n, 0);
}

Test(extras, a_stack_that_stays_is_loaded_at_boot)
{
	struct machine m = machine("freebsd-15.0-vtnet-pf");
	const char *ids[] = { "stack-rack", "no-segmentation-offload" };
	struct run run = decided(&m, 0, m.plan.directions[0].window_bytes, ids, 2);

	cr_assert_eq(run.n_files, 2);
	cr_expect_not_null(strstr(run.files[0].text, "\nnet.inet.tcp.functions_default=rack\n"), "%s",
	    run.files[0].text);
	cr_expect_not_null(strstr(run.files[0].text, "\nnet.inet.tcp.tso=0\n"));
	cr_expect_not_null(strstr(run.files[1].text, "\ntcp_rack_load=\"YES\"\n"), "%s",
	    run.files[1].text);
	cr_expect_not_null(strstr(run.decision.directions[0].words,
	    "Change: stack-rack and no-segmentation-offload. "), "%s",
	    run.decision.directions[0].words);
}

Test(extras, the_report_tells_what_was_tried_and_what_became_of_it)
{
	struct machine m = machine("freebsd-15.0-vtnet-pf");
	const char *ids[] = { "stack-rack" }, *others[] = { "stack-bbr" };
	struct run run = decided(&m, 0, 4 * 1048576.0, ids, 1);
	struct trial t[2];
	const char *page;

	for (size_t i = 0; i < 2; i++) {
		record_init(&trial_record, &t[i]);
		t[i].direction = DIR_SEND;
		t[i].setting = (struct setting){ NULL, 4 * 1048576.0, i == 0 ? ids : others, 1 };
	}
	run.trials = t;
	run.n_trials = 2;
	page = report_run(a, &run, false);
	cr_expect_not_null(strstr(page, "also tried: stack-rack (kept), stack-bbr (dropped)"), "%s",
	    page);
	cr_expect_not_null(strstr(page, ", stack-rack\n"), "%s", page);
	run.decision.directions[0].verdict = VERDICT_KEEP;
	page = report_run(a, &run, false);
	cr_expect_not_null(strstr(page, "also tried: stack-rack (not kept), stack-bbr (dropped)"),
	    "%s", page);
	t[1].status = TRIAL_VOID;
	page = report_run(a, &run, false);
	cr_expect_not_null(strstr(page, "also tried: stack-rack (not kept)\n"), "no more: %s", page);
}
