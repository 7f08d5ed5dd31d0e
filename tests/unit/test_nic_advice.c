#include "tuner/cmd.h"
#include "tuner/nic_advice.h"
#include "tuner/profile.h"
#include "tuner/report.h"
#include "tuner/report_html.h"
#include "tuner/report_markdown.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct hypervisors all;

static void
setup(void)
{
	struct err e = { ERR_NONE, "" };

	arena = arena_new();
	cr_assert(hypervisors_embedded(arena, &all, &e), "%s", e.text);
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(nic_advice, .init = setup, .fini = teardown);

/* What a probe found on a machine of tests/transcripts. */
static struct facts
facts_of(const char *machine)
{
	struct err e = { ERR_NONE, "" };
	struct facts f;

	cr_assert(cmd_facts_load(arena, arena_printf(arena,
	    TESTS_DIR "/transcripts/%s/expected/probe.json", machine), &f, &e), "%s", e.text);
	return f;
}

static struct profile *
profile_of(const char *os)
{
	struct err e = { ERR_NONE, "" };
	struct profile *p = NULL;

	cr_assert(profile_for(arena, os, &p, &e), "%s", e.text);
	return p;
}

/*
 * The 900 KiB/s story: NetBSD on KVM, 209 ms, an uplink that UDP fills with 600 Mbit/s, and TCP at
 * 7 Mbit/s whatever the buffers are.
 */
struct story {
	const char *machine;
	double udp_bps, goodput_bps, retransmits, cpu, system_cpu, rtt_ms;
	double window_bytes;  /* the largest that was tried */
	double inflight_bytes;
	enum limiter limiter;
	enum verdict verdict;
	const char *model;    /* asked for */
	size_t n_trials;
};

static const struct story netbsd = { "netbsd-10.1-vioif", 600e6, 7e6, 0, .1, .1, 209,
	16.0 * 1024 * 1024, NAN, LIMIT_NIC, VERDICT_KEEP, NULL, 12 };

static struct run *
run_of(const struct story *s)
{
	struct run *run = arena_alloc(arena, sizeof(*run));
	struct direction_decision *d = arena_alloc(arena, sizeof(*d));
	struct path_fact *path = arena_alloc(arena, sizeof(*path));

	record_init(&run_record, run);
	run->facts = facts_of(s->machine);
	run->options.nic = s->model;
	record_init(&path_fact_record, path);
	path->direction = DIR_SEND;
	path->udp_bps = s->udp_bps;
	run->facts.path = path;
	run->facts.n_path = 1;
	for (size_t i = 0; i < s->n_trials; i++) {
		struct trial *t = arena_push(arena, &run->trials, &run->n_trials, sizeof(*t));

		record_init(&trial_record, t);
		t->direction = DIR_SEND;
		t->setting = (struct setting){ .cc = "newreno",
			.window_bytes = i % 2 == 0 ? 204800 : s->window_bytes };
		t->goodput_bps = s->goodput_bps * (i % 3 == 0 ? 1.02 : .99);
		t->retransmits = s->retransmits;
		t->rtt.loaded_ms = s->rtt_ms;
		t->inflight_bytes = s->inflight_bytes;
		t->cpu = s->cpu;
		t->system_cpu = s->system_cpu;
	}
	d->direction = DIR_SEND;
	d->verdict = s->verdict;
	d->before.setting = (struct setting){ .cc = "newreno", .window_bytes = 204800 };
	d->limit_before = (struct limit){ s->limiter, "as the test has it" };
	run->decision.directions = d;
	run->decision.n_directions = 1;
	return run;
}

static struct nic_advice
advice_of(const struct story *s)
{
	struct run *run = run_of(s);
	struct err e = { ERR_NONE, "" };
	struct nic_advice x;

	cr_assert(nic_advise(arena, profile_of(run->facts.os), &all, run, &x, &e), "%s", e.text);
	return x;
}

Test(nic_advice, fires_on_the_story_and_names_both_interfaces)
{
	struct nic_advice x = advice_of(&netbsd);

	cr_assert_eq(x.verdict, NIC_SWITCH, "%s: %s", x.reason, x.words);
	cr_expect_str_eq(x.reason, "nic-guilty");
	cr_expect(strstr(x.words, "TCP gets 6.93 Mbit/s where UDP got 600 Mbit/s") != NULL, "%s",
	    x.words);
	cr_expect_str_eq(x.plan.from, "virtio");
	cr_expect_str_eq(x.plan.to, "e1000");
	cr_expect_str_eq(x.plan.old_name, "vioif0");
	cr_expect_str_eq(x.plan.new_name, "wm0");
	cr_expect_gt(x.plan.n_ways, 2);
}

Test(nic_advice, fires_on_other_systems_with_the_same_evidence)
{
	static const char *const machines[] = { "freebsd-14.2-vmx", "freebsd-15.0-vtnet-pf",
		"openbsd-7.6-vio", "dragonfly-6.4-vtnet", "linux-6.1-virtio_net" };

	for (size_t i = 0; i < NELEM(machines); i++) {
		struct story s = netbsd;

		s.machine = machines[i];
		cr_expect_eq(advice_of(&s).verdict, NIC_SWITCH, "%s", machines[i]);
	}
}

Test(nic_advice, spares_the_cpu_of_an_emulated_nic_that_burns_it)
{
	struct story s = netbsd;
	struct nic_advice x;

	s.machine = "freebsd-14.2-em";
	s.limiter = LIMIT_CPU;
	s.goodput_bps = s.udp_bps = 700e6;
	s.system_cpu = .99;
	x = advice_of(&s);
	cr_assert_eq(x.verdict, NIC_SWITCH, "%s", x.words);
	cr_expect_str_eq(x.reason, "nic-burns-cpu");
	cr_expect_str_eq(x.plan.to, "virtio");
	cr_expect_str_eq(x.plan.new_name, "vtnet0");
	s.cpu = .99; /* it is the program itself */
	cr_expect_eq(advice_of(&s).verdict, NIC_KEEP);
	s.cpu = .1;
	s.machine = "freebsd-15.0-vtnet-pf"; /* not emulated */
	cr_expect_eq(advice_of(&s).verdict, NIC_KEEP);
}

/* The same numbers at every run. */
static double
draw(unsigned *seed, double low, double high)
{
	*seed = *seed * 1103515245u + 12345u;
	return low + (high - low) * ((*seed >> 8) & 0xffff) / 65535.0;
}

/*
 * One case in which the NIC is not to blame, or nobody can know: of each kind one thing differs
 * from the story.
 */
static struct story
innocent(size_t i, unsigned *seed)
{
	static const char *const machines[] = { "netbsd-10.1-vioif", "netbsd-11.0-vioif-tuned",
		"freebsd-15.0-vtnet-pf", "openbsd-7.6-vio", "dragonfly-6.4-vtnet",
		"linux-6.1-virtio_net", "linux-6.1-e1000e", "netbsd-9.3-wm" };
	static const enum limiter others[] = { LIMIT_RWND, LIMIT_SNDBUF, LIMIT_CWND, LIMIT_PATH,
		LIMIT_POLICER, LIMIT_PEER_CPU, LIMIT_WRITER, LIMIT_READER, LIMIT_GROWTH,
		LIMIT_UNKNOWN, LIMIT_CPU };
	struct story s = netbsd;
	size_t kind = i % 20;

	s.machine = machines[i / 20 % NELEM(machines)];
	s.goodput_bps = draw(seed, 2e6, 12e6);
	s.rtt_ms = draw(seed, 100, 250);
	if (kind < NELEM(others))
		s.limiter = others[kind];
	else if (kind == 11)
		s.udp_bps = s.goodput_bps * draw(seed, .8, 3.9); /* UDP gets little more */
	else if (kind == 12)
		s.udp_bps = NAN;
	else if (kind == 13)
		s.retransmits = NAN;
	else if (kind == 14)
		s.retransmits = draw(seed, .003, .05);
	else if (kind == 15)
		s.window_bytes = s.goodput_bps / 8 * s.rtt_ms / 1e3 * draw(seed, .9, 3);
	else if (kind == 16)
		s.cpu = draw(seed, .85, 1);
	else if (kind == 17)
		s.verdict = VERDICT_CHANGE;
	else if (kind == 18)
		s.n_trials = 0;
	else
		s.inflight_bytes = s.window_bytes * draw(seed, .6, 1);
	return s;
}

Test(nic_advice, is_silent_in_200_cases_in_which_the_nic_is_innocent)
{
	unsigned seed = 7, fired = 0;

	for (size_t i = 0; i < 200; i++) {
		struct story s = innocent(i, &seed);
		struct nic_advice x = advice_of(&s);

		fired += x.verdict == NIC_SWITCH;
		cr_expect_neq(x.verdict, NIC_SWITCH, "case %zu (kind %zu, %s): %s", i, i % 20,
		    s.machine, x.words);
	}
	cr_assert_eq(fired, 0);
}

Test(nic_advice, is_kept_where_nothing_can_be_changed)
{
	static const struct {
		const char *machine, *hypervisor, *vendor, *container, *reason, *words;
	} cases[] = {
		{ "netbsd-10.1-vioif", "none", NULL, NULL, "nic-real", "no virtual machine" },
		{ "netbsd-10.1-vioif", "kvm", "Amazon EC2", NULL, "nic-cloud", "Amazon EC2" },
		{ "netbsd-10.1-vioif", "kvm", "Google", NULL, "nic-cloud", "Compute Engine" },
		{ "netbsd-10.1-vioif", "kvm", "Hetzner", NULL, "nic-cloud", "Hetzner" },
		{ "netbsd-10.1-vioif", "microsoft", NULL, NULL, "nic-cloud", "Azure" },
		{ "netbsd-10.1-vioif", "kvm", "QEMU", "docker", "nic-container", "container" },
		{ "netbsd-10.1-vioif", "unknown hypervisor", NULL, NULL, "nic-no-choice", "NetBSD" },
		{ "linux-6.18-virtio_net", NULL, NULL, NULL, "nic-unknown", "not known" },
		{ "linux-6.18-hardened", "kvm", NULL, "none", "nic-unknown", "veth" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct story s = netbsd;
		struct nic_advice x;
		struct run *run;
		struct err e = { ERR_NONE, "" };

		s.machine = cases[i].machine;
		run = run_of(&s);
		run->facts.hypervisor = cases[i].hypervisor;
		run->facts.vendor = cases[i].vendor;
		run->facts.container = cases[i].container;
		cr_assert(nic_advise(arena, profile_of(run->facts.os), &all, run, &x, &e));
		cr_expect_eq(x.verdict, NIC_KEEP, "case %zu", i);
		cr_expect_str_eq(x.reason, cases[i].reason, "case %zu: %s", i, x.reason);
		cr_expect(strstr(x.words, cases[i].words) != NULL, "case %zu: %s", i, x.words);
		cr_expect_eq(x.plan.n_ways, 0);
	}
}

/* ---- facts alone, and what is asked for ------------------------------------------------------- */

Test(nic_advice, offers_no_more_than_an_experiment_without_a_measurement)
{
	struct story s = netbsd;

	s.n_trials = 0;
	cr_expect_eq(advice_of(&s).verdict, NIC_TRY);
	s.machine = "linux-6.1-virtio_net"; /* served best by this */
	cr_expect_eq(advice_of(&s).verdict, NIC_KEEP);
	s.model = "e1000e";
	cr_expect_eq(advice_of(&s).verdict, NIC_TRY);
	cr_expect_str_eq(advice_of(&s).plan.to, "e1000e");
}

Test(nic_advice, refuses_a_model_that_cannot_be_had)
{
	static const struct {
		const char *model, *machine, *error;
	} cases[] = {
		{ "ne2000", "netbsd-10.1-vioif", "--nic: 'ne2000' is no model that NetBSD" },
		{ "virtio", "netbsd-10.1-vioif", "--nic: the NIC is virtio already" },
		{ "virtio", "freebsd-14.2-vmx", "--nic: no way is known from vmxnet3 to virtio" },
		{ "\033[2J", "netbsd-10.1-vioif", "--nic: '?[2J' is no model" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct story s = netbsd;
		struct run *run;
		struct err e = { ERR_NONE, "" };
		struct nic_advice x;

		s.machine = cases[i].machine;
		s.model = cases[i].model;
		run = run_of(&s);
		cr_assert_not(nic_advise(arena, profile_of(run->facts.os), &all, run, &x, &e));
		cr_expect_eq(e.code, ERR_USAGE);
		cr_expect_eq(strncmp(e.text, cases[i].error, strlen(cases[i].error)), 0, "%s",
		    e.text);
	}
}

/* ---- the plan --------------------------------------------------------------------------------- */

static bool
has_word(const struct nic_action *x, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < x[i].n_argv; j++) {
			if (strstr(x[i].argv[j], word) != NULL)
				return true;
		}
	}
	return false;
}

Test(nic_advice, plans_nothing_for_a_name_that_means_something_to_a_shell)
{
	static const char *const names[] = { "vioif0;reboot", "$(id)", "-e", "", "a/../b", "a b" };

	for (size_t i = 0; i < NELEM(names); i++) {
		struct run *run = run_of(&netbsd);
		struct err e = { ERR_NONE, "" };
		struct nic_advice x;

		run->facts.interface = names[i];
		cr_assert(nic_advise(arena, profile_of("NetBSD"), &all, run, &x, &e));
		cr_expect_eq(x.verdict, NIC_KEEP, "%s", names[i]);
		cr_expect_eq(x.plan.n_prepare + x.plan.n_last + x.plan.n_ways, 0);
	}
}

Test(nic_advice, puts_capitals_where_mac_and_slot_are_not_known)
{
	struct run *run = run_of(&netbsd);
	struct err e = { ERR_NONE, "" };
	struct nic_advice x;

	run->facts.mac = "02:00:00:00:00:01; rm";
	run->facts.bus = "pci0 dev 99 function 0";
	cr_assert(nic_advise(arena, profile_of("NetBSD"), &all, run, &x, &e));
	for (size_t i = 0; i < x.plan.n_ways; i++) {
		const struct nic_way *w = &x.plan.ways[i];

		cr_expect_not(has_word(w->change, w->n_change, "rm"));
		if (strcmp(w->id, "qemu") == 0)
			cr_expect_str_eq(w->change[0].line,
			    "-device e1000,netdev=NETDEV,mac=MAC,addr=SLOT");
	}
}

Test(nic_advice, says_that_numbers_are_not_known_where_the_driver_has_others)
{
	static const char *interfaces[] = { "wm0", "vioif0", "lo0" };
	struct run *run = run_of(&netbsd);
	struct err e = { ERR_NONE, "" };
	struct nic_advice x;

	run->facts.interfaces = interfaces;
	run->facts.n_interfaces = 3;
	cr_assert(nic_advise(arena, profile_of("NetBSD"), &all, run, &x, &e));
	cr_expect_str_eq(x.plan.new_name, "wm1");
	cr_assert_eq(x.plan.n_notes, 1);
	cr_expect(strstr(x.plan.notes[0], "one of wm0 to wm1") != NULL, "%s", x.plan.notes[0]);
}

/* Or the NIC would get the praise. */
Test(nic_advice, puts_settings_that_wait_before_the_plan)
{
	static struct change_line line = { "kern.sbmax", "1", "2", "limit", true };
	struct run *run = run_of(&netbsd);
	struct err e = { ERR_NONE, "" };
	struct nic_advice x;

	cr_assert(nic_advise(arena, profile_of("NetBSD"), &all, run, &x, &e));
	cr_expect_eq(x.plan.n_notes, 0);
	run->decision.verdict = VERDICT_CHANGE;
	run->decision.settings = &line;
	run->decision.n_settings = 1;
	cr_assert(nic_advise(arena, profile_of("NetBSD"), &all, run, &x, &e));
	cr_assert_eq(x.plan.n_notes, 1);
	cr_expect(strstr(x.plan.notes[0], "Settings come first") != NULL);
}

Test(nic_advice, gives_the_old_name_where_a_file_cannot_hold_both)
{
	struct story s = netbsd;
	struct nic_advice x;

	s.machine = "freebsd-15.0-vtnet-pf";
	x = advice_of(&s);
	cr_assert_eq(x.plan.n_prepare, 1);
	cr_expect(has_word(x.plan.prepare, 1, "ifconfig_em0_name=vtnet0"));
	for (size_t i = 0; i < x.plan.n_places; i++)
		cr_expect_str_eq(x.plan.places[i].status, "stays");
	s.machine = "freebsd-13.2-vtnet";
	x = advice_of(&s);
	cr_assert_eq(x.plan.n_prepare, 1, "one command for all lines of a file");
	cr_expect(has_word(x.plan.prepare, 1, "s/^ifconfig_vtnet0"));
}

Test(nic_advice, is_told_in_full_by_every_report)
{
	struct run *run = run_of(&netbsd);
	struct err e = { ERR_NONE, "" };
	const char *reports[3];

	cr_assert(nic_advise_run(arena, profile_of("NetBSD"), run, &e));
	reports[0] = report_run(arena, run, false);
	reports[1] = report_html(arena, run);
	reports[2] = report_markdown(arena, run);
	for (size_t i = 0; i < NELEM(reports); i++) {
		cr_expect(strstr(reports[i], "NIC: switch from virtio to e1000") != NULL, "%zu", i);
		cr_expect(strstr(reports[i], "cp -p /etc/ifconfig.vioif0 /etc/ifconfig.wm0") != NULL,
		    "%zu", i);
		cr_expect(strstr(reports[i], "virt-xml VM --edit mac=02:00:00:00:00:01 --network "
		    "model.type=e1000") != NULL, "%zu", i);
	}
	cr_expect(strstr(record_to_json(arena, &run_record, run, true),
	    "\"verdict\": \"switch\"") != NULL);
}

/* ---- the list of hypervisors ------------------------------------------------------------------ */

Test(nic_advice, every_model_and_hypervisor_serves_some_profile)
{
	for (size_t i = 0; i < all.n_models; i++) {
		struct err e = { ERR_NONE, "" };
		struct profile *p;

		cr_assert(profile_for(arena, "Linux", &p, &e));
		cr_expect_not_null(nic_driver_for(p, all.models[i].id), "%s", all.models[i].id);
	}
	cr_expect_geq(all.n_hypervisors, 12);
}

Test(nic_advice, what_is_wrong_with_a_list_is_named_with_file_and_line)
{
	static const char models[] = "models:\n  - {id: a, name: A, effects: x, source: s}\n";
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "hypervisors:\n  - {id: h, name: H, seen: x, source: s}\n",
		    "x:4: guests: is missing" },
		{ "hypervisors:\n  - {id: h, name: H, guests: [kvm], seen: x, source: s}\n",
		    "x:4: instead: either steps or instead must be given" },
		{ "hypervisors:\n  - {id: h, name: H, guests: [kvm], seen: x, source: s, keeps: k,"
		  " offers: [{model: b, name: b}], steps: [{words: w}]}\n",
		    "x:4: model: is not among the models" },
		{ "hypervisors:\n  - {id: h, name: H, guests: [kvm], seen: x, source: s, keeps: k,"
		  " offers: [{model: a, name: b}], steps: [{argv: [qm, '{what}']}]}\n",
		    "x:4: argv: {what} is not known here" },
		{ "hypervisors:\n  - {id: h, name: H, guests: [kvm], seen: x, source: s, keeps: k,"
		  " offers: [{model: a, name: b}], steps: [{line: l}]}\n",
		    "x:4: file: belongs to line, and line needs it" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		const char *text = arena_printf(arena, "%s%s", models, cases[i].text);
		struct err e = { ERR_NONE, "" };
		struct hypervisors h;

		cr_expect_not(hypervisors_parse(arena, "x", text, strlen(text), &h, &e));
		cr_expect_str_eq(e.text, cases[i].error, "case %zu", i);
	}
}
