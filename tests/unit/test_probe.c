#include "program.h"

#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tuner/hazards.h"
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
	    "scp, sftp    at most 210 Mbit/s over this RTT: OpenSSH has no more than 2 MiB on its way\n"
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

Test(probe, of_this_host_is_a_facts_document_as_json)
{
	const struct record *r = hazards_document(arena);
	struct said said = program_run(arena, "probe --json");
	struct facts_document d;
	struct err e = { 0 };
	struct node *n;
	struct facts f;

	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_assert(node_from_json(arena, "probe", said.out, strlen(said.out), &n, &e), "%s", e.text);
	cr_assert(record_from_node(arena, "probe", r, n, &d, &e), "%s", e.text);
	f = d.facts;
	cr_expect_not_null(f.os);
	cr_expect_not_null(f.release);
	cr_expect_gt(f.n_knobs, 0);
	cr_expect(isnan(f.rtt_ms), "nobody was asked for a peer");
}

Test(probe, refuses_what_contradicts_itself)
{
	static const struct { const char *line; const char *error; } cases[] = {
		{ "probe elsewhere", "pathtune probe: 'elsewhere' is not a host: local, "
		    "ssh://[user@]name[:port], replay:DIR or "
		    "via:COMMAND\n" },
		{ "probe local local", "pathtune probe: 'local': only one host can be named\n" },
		{ "probe replay:x --peer y", "pathtune probe: --peer: no path can be measured from "
		    "'replay:x'\n" },
		{ "probe --peer x --ping y", "pathtune probe: --peer and --ping contradict each other\n" },
		{ "probe --ping a.example --record x", "pathtune probe: --record: the name 'a.example' "
		    "would stay in it; --ping an address\n" },
		{ "probe --ping -n", "pathtune probe: --ping: '-n' is neither an address nor a name\n" },
		{ "probe replay:x --record y", "pathtune probe: --record: 'replay:x' is a recording "
		    "already\n" },
		{ "probe replay:", "pathtune probe: replay: needs the directory of a recording\n" },
		{ "tune replay:x --peer y", "pathtune tune: 'replay:x': a recording cannot be "
		    "tuned\n" },
		{ "probe --udp", "pathtune probe: --udp is of use only with --peer\n" },
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

static struct facts
facts_of(const char *line)
{
	const struct record *r = hazards_document(arena);
	struct said said = program_run(arena, line);
	struct facts_document d;
	struct err e = { 0 };
	struct node *n;

	cr_assert_eq(said.status, 0, "%s: %s", line, said.err);
	cr_assert(node_from_json(arena, line, said.out, strlen(said.out), &n, &e), "%s", e.text);
	cr_assert(record_from_node(arena, line, r, n, &d, &e), "%s", e.text);
	return d.facts;
}

/* What this host is, asked in two ways; counters go on between them, a recording has no MAC. */
static void
expect_the_same_facts(const char *one, const char *other)
{
	struct facts of[] = { facts_of(one), facts_of(other) };

	for (size_t i = 0; i < NELEM(of); i++)
		of[i].segments_sent = of[i].segments_retransmitted = of[i].mbuf_denied = NAN;
	of[0].mac = of[1].mac = NULL;
	cr_expect_str_eq(record_to_json(arena, &facts_record, &of[1], true),
	    record_to_json(arena, &facts_record, &of[0], true), "%s", other);
}

Test(probe, a_recording_gives_the_facts_again)
{
	char dir[] = "/tmp/pathtune-record-XXXXXX", *record, *replay, *file;
	struct said again;
	struct stat st;

	cr_assert_not_null(mkdtemp(dir));
	record = arena_printf(arena, "probe --json --record %s/new", dir);
	replay = arena_printf(arena, "probe --json replay:%s/new", dir);
	file = arena_printf(arena, "%s/new/transcript", dir);
	expect_the_same_facts(record, replay);
	cr_assert_eq(stat(file, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600, "it may hold what only root could read");
	again = program_run(arena, record);
	cr_expect_eq(again.status, 2, "a recording is not overwritten");
	cr_expect_str_eq(again.err, arena_printf(arena,
	    "pathtune probe: %s: there is a recording already\n", file));
	cr_expect_eq(unlink(file), 0);
	cr_expect_eq(rmdir(arena_printf(arena, "%s/new", dir)), 0);
	cr_expect_eq(rmdir(dir), 0);
}

Test(probe, the_words_of_a_host_command_no_terminal)
{
	static const char hostile[] = "# pathtune transcript 1\n$ uname -s\n|Linux\n= 0\n"
	    "< /proc/meminfo\n!\\x1b]0;title\\x07 \\xc2\\x9b1m\\x0aknown harm\n= 1\n# end 2\n";
	static const char *const formats[] = { "", " --json" };
	char dir[] = "/tmp/pathtune-words-XXXXXX";
	const char *file = arena_printf(arena, "%s/transcript", mkdtemp(dir));
	FILE *f = fopen(file, "w");
	struct said said;

	cr_assert_not_null(f);
	fputs(hostile, f);
	fclose(f);
	for (size_t i = 0; i < NELEM(formats); i++) {
		said = program_run(arena, arena_printf(arena, "probe%s replay:%s", formats[i], dir));
		cr_expect_eq(said.status, 0, "%s", said.err);
		cr_expect_not_null(strstr(said.out, "?]0;title? ??1m"), "%s", said.out);
		cr_expect_null(strstr(said.out, "known harm"), "%s", said.out);
	}
	unlink(file);
	rmdir(dir);
}

Test(probe, a_shell_gives_the_facts_of_the_local_host)
{
	char dir[] = "/tmp/pathtune-via-XXXXXX";
	char *shell = arena_printf(arena, "%s/shell", mkdtemp(dir));
	FILE *f = fopen(shell, "w");

	cr_assert_not_null(f);
	fputs("#!/bin/sh\necho 'Welcome!  The \"# end 0\" of the line.'\nexec /bin/sh -s\n", f);
	fclose(f);
	cr_assert_eq(chmod(shell, 0700), 0);
	expect_the_same_facts("probe --json", arena_printf(arena, "probe --json via:%s", shell));
	unlink(shell);
	rmdir(dir);
}

Test(probe, of_another_host_leaves_the_journals_of_this_one_alone)
{
	char dir[] = "/tmp/pathtune-state-XXXXXX";
	char *shell = arena_printf(arena, "%s/shell", mkdtemp(dir)), *journal;
	struct said said;
	FILE *f;

	cr_assert_not_null(f = fopen(shell, "w"));
	fputs("#!/bin/sh\nexec /bin/sh -s\n", f);
	fclose(f);
	cr_assert_eq(chmod(shell, 0700), 0);
	cr_assert_eq(mkdir(arena_printf(arena, "%s/state", dir), 0700), 0);
	journal = arena_printf(arena, "%s/state/journal-host", dir);
	cr_assert_not_null(f = fopen(journal, "w"));
	fputs("damaged", f);
	fclose(f);
	setenv("PATHTUNE_STATE", arena_printf(arena, "%s/state", dir), 1);
	said = program_run(arena, "probe --json");
	cr_expect_not_null(strstr(said.err, "what earlier runs left is not looked at"), "%s",
	    said.err);
	said = program_run(arena, arena_printf(arena, "probe --json via:%s", shell));
	cr_expect_eq(said.status, 0);
	cr_expect_str_eq(said.err, "");
	unlink(journal);
	unlink(shell);
	rmdir(arena_printf(arena, "%s/state", dir));
	rmdir(dir);
}

Test(probe, a_recording_knows_the_path_that_it_was_made_with)
{
	char dir[] = "/tmp/pathtune-record-XXXXXX", line[256];
	struct started server;
	struct facts f, again;
	unsigned port = 0;

	cr_assert_not_null(mkdtemp(dir));
	setenv("PATHTUNE_TOKEN", "0123456789abcdef0123456789abcdef", 1);
	server = program_start(arena, "serve --listen 127.0.0.1:0 --once --token-env --max-time 60s");
	for (size_t n = 0; port == 0; n++) { /* its first line says where it listens */
		cr_assert(n < sizeof(line) - 1 && read(server.out, line + n, 1) == 1);
		line[n + 1] = '\0';
		if (line[n] == '\n')
			cr_assert_eq(sscanf(strstr(line, "port"), "port %u", &port), 1, "%s", line);
	}
	f = facts_of(arena_printf(arena, "probe -q --json --udp --peer 127.0.0.1:%u --record %s/new", port,
	    dir));
	cr_expect_eq(program_end(arena, server).status, 0);
	again = facts_of(arena_printf(arena, "probe --json replay:%s/new", dir));
	cr_expect_str_eq(again.peer, "127.0.0.1");
	cr_assert_eq(again.n_unknown, f.n_unknown);
	for (size_t i = 0; i < f.n_unknown; i++)
		cr_expect_str_eq(again.unknown[i].why, f.unknown[i].why, "was it not asked?");
	cr_expect_float_eq(again.rtt_ms, f.rtt_ms, 1e-6 * f.rtt_ms);
	cr_expect_float_eq(again.send_bps, f.send_bps, 1e-6 * f.send_bps);
	cr_expect_float_eq(again.receive_bps, f.receive_bps, 1e-6 * f.receive_bps);
	cr_assert_eq(f.n_path, 2, "both directions were looked at");
	for (size_t i = 0; i < 2; i++) {
		const struct path_fact *p = facts_path(&f, i == 0 ? DIR_SEND : DIR_RECEIVE);

		cr_assert_not_null(p);
		cr_expect(p->udp_burst_bps > 0 && p->udp_bytes > 0, "by UDP");
		cr_expect(p->streams == 4 && p->streams_bps > 0, "by four connections");
	}
	unlink(arena_printf(arena, "%s/new/transcript", dir));
	rmdir(arena_printf(arena, "%s/new", dir));
	rmdir(dir);
}
