#include "program.h"

#include <math.h>

#include "tuner/report_facts.h"

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new();
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(probe, .init = setup, .fini = teardown);

Test(probe, words_are_aligned_and_what_is_not_known_comes_last_with_its_reason)
{
	static struct offload offloads[] = { { "tcp-segmentation-offload", "off", true } };
	static struct knob_fact knobs[] = {
		{ "net.core.rmem_max", "212992", 212992, 1, 2, false, "needs root" },
		{ "net.ipv4.tcp_rmem", "4096 131072 6291456", 6291456, 1, 2, true, NULL },
		{ "net.ipv4.cc", "cubic", NAN, NAN, NAN, true, NULL },
		{ "gone", NULL, NAN, 1, 2, false, "not there" },
	};
	static const char *cc[] = { "reno", "cubic" }, *bbr[] = { "bbr" };
	static struct unknown unknown[] = { { "cpus", "getconf: not found" }, { "gone", "not there" } };
	struct facts f;

	record_init(&facts_record, &f);
	f.os = "Linux";
	f.release = "6.1.0";
	f.ram_bytes = 1073741824;
	f.hypervisor = "none";
	f.interface = "ens18";
	f.driver = "e1000";
	f.link_bps = 1e9;
	f.offloads = offloads;
	f.n_offloads = NELEM(offloads);
	f.knobs = knobs;
	f.n_knobs = NELEM(knobs);
	f.cc = "cubic";
	f.cc_available = cc;
	f.n_cc_available = NELEM(cc);
	f.cc_loadable = bbr;
	f.n_cc_loadable = NELEM(bbr);
	f.peer = "192.0.2.7";
	f.rtt_ms = 80;
	f.unknown = unknown;
	f.n_unknown = NELEM(unknown);
	cr_expect_str_eq(report_facts(arena, &f),
	    "system       Linux 6.1.0\n"
	    "machine      1 GiB RAM, no hypervisor\n"
	    "interface    ens18, driver e1000, link 1 Gbit/s\n"
	    "offloads     tcp-segmentation-offload       off, fixed\n"
	    "knobs        net.core.rmem_max  212992               needs root (1 to 2)\n"
	    "             net.ipv4.tcp_rmem  4096 131072 6291456  can be set (1 to 2)\n"
	    "             net.ipv4.cc        cubic                can be set\n"
	    "congestion   cubic; available reno cubic; loadable bbr\n"
	    "peer         192.0.2.7\n"
	    "RTT          80 ms\n"
	    "not known    cpus: getconf: not found\n"
	    "             gone: not there\n", "%s", report_facts(arena, &f));
}

Test(probe, of_a_system_without_files_and_with_stacks)
{
	static struct knob_fact knobs[] = {
		{ "kern.max", "18446744073709551615", 18446744073709551615.0, 2304, 281474976710656, false,
		    "needs root" },
		{ "absent", NULL, NAN, 0, 1, false, "this kernel does not have it" },
	};
	static struct source_line sources[] = { { "/etc/sysctl.conf", 3, "kern.max", "-1" },
		{ "/etc/sysctl.conf.local", 12, "kern.max", NULL } };
	static const char *stacks[] = { "freebsd", "rack" }, *bbr[] = { "bbr" };
	struct facts f;

	record_init(&facts_record, &f);
	f.cpus = 1;
	f.container = "vnet jail";
	f.interface = "vtnet0";
	f.nic_model = "virtio-net";
	f.link = "up";
	f.mbuf_bytes = 63524864;
	f.mbuf_denied = 0;
	f.segments_sent = 1000;
	f.segments_retransmitted = 3;
	f.firewall = "pf";
	f.knobs = knobs;
	f.n_knobs = NELEM(knobs);
	f.cc_fixed = "newreno, built in";
	f.stack = "freebsd";
	f.stacks_available = stacks;
	f.n_stacks_available = NELEM(stacks);
	f.stacks_loadable = bbr;
	f.n_stacks_loadable = NELEM(bbr);
	f.sources = sources;
	f.n_sources = NELEM(sources);
	cr_expect_str_eq(report_facts(arena, &f),
	    "machine      1 CPU, in a container: vnet jail\n"
	    "interface    vtnet0, model virtio-net, link up\n"
	    "buffers      60.6 MiB at most, 0 requests refused\n"
	    "firewall     pf\n"
	    "knobs        kern.max  18446744073709551615  needs root (2304 to 281474976710656)\n"
	    "set at boot  kern.max = -1  /etc/sysctl.conf:3\n"
	    "             kern.max = ?  /etc/sysctl.conf.local:12\n"
	    "congestion   newreno, built in\n"
	    "TCP stack    freebsd; available freebsd rack; loadable bbr\n"
	    "segments     1000 sent, 3 retransmitted since boot, on all paths\n", "%s",
	    report_facts(arena, &f));
}

Test(probe, nothing_known_is_said_so)
{
	struct facts f;

	record_init(&facts_record, &f);
	cr_expect_str_eq(report_facts(arena, &f), "nothing is known\n");
}

Test(probe, of_this_host_is_a_facts_record_as_json)
{
	struct said said = program_run(arena, "probe --json");
	struct err e = { 0 };
	struct node *n;
	struct facts f;

	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_assert(node_from_json(arena, "probe", said.out, strlen(said.out), &n, &e), "%s", e.text);
	cr_assert(record_from_node(arena, "probe", &facts_record, n, &f, &e), "%s", e.text);
	cr_expect_not_null(f.os);
	cr_expect_not_null(f.release);
	cr_expect_gt(f.n_knobs, 0);
	cr_expect(isnan(f.rtt_ms), "nobody was asked for a peer");
}

Test(probe, refuses_what_contradicts_itself)
{
	static const struct { const char *line; const char *error; } cases[] = {
		{ "probe elsewhere", "pathtune probe: 'elsewhere' is not a host: local, replay:DIR or "
		    "via:COMMAND\n" },
		{ "probe local local", "pathtune probe: 'local': only one host can be named\n" },
		{ "probe replay:x --peer y", "pathtune probe: --peer: paths are measured from the local "
		    "host only, not from 'replay:x'\n" },
		{ "probe replay:x --record y", "pathtune probe: --record: 'replay:x' is a recording "
		    "already\n" },
		{ "probe replay:", "pathtune probe: replay: needs the directory of a recording\n" },
		{ "tune replay:x --peer y", "pathtune tune: 'replay:x': only the local host can be tuned "
		    "by this version\n" },
		{ "probe --token-file x", "pathtune probe: a token is of use only with --peer\n" },
		{ "probe --token-stdin", "pathtune probe: a token is of use only with --peer\n" },
	};
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		struct said said = program_run(arena, cases[i].line);

		cr_expect_eq(said.status, 2, "%s", cases[i].line);
		cr_expect_str_eq(said.err, cases[i].error);
		cr_expect_str_eq(said.out, "");
	}
}
