/*
 * The engine on a system that is made up, whose commands print like those of the BSDs: everything
 * in one round, patterns with facts in them, knobs without files.
 */
#include "canned.h"

#include <math.h>

#include "tuner/profile.h"

static const char text[] =
    "name: made\n"
    "sysname: Made\n"
    "releases: 13 to 15\n"
    "facts:\n"
    "  - {fact: os, argv: [uname, -s], source: s}\n"
    "  - {fact: release, argv: [uname, -r], source: s}\n"
    "  - {fact: privileged, argv: [id, -u], pattern: '^(0)$', value: \"true\", source: s}\n"
    "  - {fact: mbuf_denied, argv: [netstat, -m], pattern: '^(\\d+)/\\S+ requests for mbufs denied',"
    " source: s}\n"
    "  - {fact: ram_bytes, argv: [sysctl, -n, hw.physmem], source: s}\n"
    "  - {fact: ram_bytes, argv: [sysctl, -n, hw.realmem], source: s}\n"
    "  - {fact: writable_scopes, argv: [sysctl, -n, jailed], pattern: '^(1)$', value: namespace,"
    " source: s}\n"
    "  - {fact: interface, argv: [route, -n, get, \"{peer}\"], pattern: 'interface: (\\S+)$',"
    " source: s}\n"
    "  - {fact: interface, without_peer: true, argv: [route, -n, get, default],"
    " pattern: 'interface: (\\S+)$', source: s}\n"
    "  - {fact: driver, argv: [dmesg], pattern: '^({interface}): <VirtIO', value: vtnet,"
    " source: s}\n"
    "  - {fact: driver, argv: [dmesg], pattern: '^{interface}: <.*at device .* on (\\w+)\\d',"
    " source: s}\n"
    "  - {fact: parent, argv: [dmesg], pattern: '^{interface}: <.*> on (\\S+)$', source: s}\n"
    "  - {fact: pci_device, argv: [pciconf, -l],"
    " pattern: '^(?:{parent}|{interface})@.* device=(0x[0-9a-f]{4}) ', source: s}\n"
    "  - {fact: pci_vendor, argv: [pciconf, -l],"
    " pattern: '^(?:{parent}|{interface})@.* vendor=(0x[0-9a-f]{4}) ', source: s}\n"
    "  - {fact: mtu, argv: [ifconfig, -m], pattern: '^{interface}: .* mtu (\\d+)$', source: s}\n"
    "  - {fact: bus, argv: [x], pattern: '{bus}(a)', source: s}\n"
    "  - {fact: bus, argv: [y], value: none, pattern: '^(no)', source: s}\n"
    "offloads:\n"
    "  argv: [ifconfig, -m]\n"
    "  names: '^{interface}: .*\\n(?:\\t.*\\n)*?\\toptions=\\w+<?([A-Z0-9,]*)>?$'\n"
    "  able: '^{interface}: .*\\n(?:\\t.*\\n)*?\\tcapabilities=\\w+<([A-Z0-9,]*)>$'\n"
    "  list: [TSO4, RXCSUM, LRO, LINKSTATE]\n"
    "  source: s\n"
    "knob_read: [sysctl, -n, \"{name}\"]\n"
    "knob_write: [sysctl, \"{name}={value}\"]\n"
    "knobs:\n"
    "  - {name: max, role: limit, unit: bytes, min: 1, max: 9, scope: global, source: s}\n"
    "  - {name: tcp.max, role: send_max, unit: bytes, min: 1, max: 9, scope: namespace, source: s}\n"
    "  - {name: tcp.old, role: watch, before: \"14.0\", unit: bytes, min: 1, max: 9,"
    " scope: namespace, source: s}\n"
    "  - {name: tcp.maybe, role: watch, unit: bytes, min: 1, max: 9, scope: namespace,"
    " optional: true, source: s}\n"
    "  - {name: tcp.boot, role: watch, unit: bytes, min: 1, max: 9, scope: loader, source: s}\n"
    "  - {name: tcp.purge, role: flush, unit: switch, min: 0, max: 1, scope: namespace, source: s}\n"
    "congestion:\n"
    "  now: {argv: [sysctl, -n, cc.algorithm]}\n"
    "  available: {argv: [sysctl, -n, cc.available]}\n"
    "  names: '(?:^|, )([a-z]\\w*)(?=,|$| +[* ] \\d+$)'\n"
    "  candidates: [htcp, cdg, bbr]\n"
    "  probe: [test, -f, \"/boot/cc_{name}.ko\"]\n"
    "  source: s\n"
    "stacks:\n"
    "  now: {argv: [sysctl, -n, functions_default]}\n"
    "  available: {argv: [sysctl, -n, functions_available]}\n"
    "  names: '^([a-z]\\w*) +[* ] \\w+ +\\d+$'\n"
    "  candidates: [bbr]\n"
    "  probe: [test, -f, \"/boot/tcp_{name}.ko\"]\n"
    "  source: s\n"
    "persist:\n"
    "  settings: {path: /etc/sysctl.conf, style: block, line: \"{name}={value}\","
    " accepts: [blanks, comment, quotes], source: s}\n"
    "  sources: [grep, -ns, \"=\", /etc/sysctl.conf]\n"
    "  precedence: listed\n";

static const struct canned answers[] = {
	{ "uname -s", 0, "Made\n" },
	{ "uname -r", 0, "14.2-RELEASE-p3\n" },
	{ "id -u", 0, "0\n" },
	{ "netstat -m", 0, "258/507/765 mbufs in use\n0/0/0 requests for mbufs denied (mbufs)\n" },
	{ "sysctl -n hw.physmem", 0, "2147483648\n" },
	{ "sysctl -n hw.realmem", 0, "2147483648\n" },
	{ "sysctl -n jailed", 0, "1\n" },
	{ "route -n get 192.0.2.7", 0, "   route to: 192.0.2.7\n  interface: vtnet0\n" },
	{ "route -n get default", 0, "  interface: em9\n" },
	{ "dmesg", 0, "vtnet10: <VirtIO Networking Adapter> on virtio_pci4\n"
	    "vtnet0: <VirtIO Networking Adapter> on virtio_pci3\nvtnet0: link state\n" },
	{ "pciconf -l", 0,
	    "virtio_pci30@pci0:0:19:0:\tclass=0x020000 vendor=0x1af4 device=0x1001 subvendor=0x1af4\n"
	    "virtio_pci3@pci0:0:18:0:\tclass=0x020000 vendor=0x1af4 device=0x1000 subvendor=0x1af4\n" },
	{ "x", 0, "a\n" },
	{ "y", 0, "no\n" },
	{ "ifconfig -m", 0, "lo0: flags=8049<UP> metric 0 mtu 16384\n\toptions=680003<LRO>\n"
	    "vtnet0: flags=8843<UP> metric 0 mtu 1500\n\toptions=4c07bb<RXCSUM,TXCSUM,TSO4,LINKSTATE>\n"
	    "\tcapabilities=7d07bb<RXCSUM,TXCSUM,TSO4,LRO>\n\tether 02:00:5e:00:53:01\n" },
	{ "sysctl -n max", 0, "18446744073709551615\n" },
	{ "sysctl -n tcp.max", 0, "-2147483648\n" },
	{ "sysctl -n tcp.old", 1, "" },
	{ "sysctl -n tcp.maybe", 1, "" },
	{ "sysctl -n tcp.boot", 0, "3\n" },
	{ "sysctl -n cc.algorithm", 0, "cubic\n" },
	{ "sysctl -n cc.available", 0, "\nCCmod           D PCB count\ncubic           * 14\n"
	    "newreno           0\n\n" },
	{ "test -f /boot/cc_htcp.ko", 0, "" },
	{ "test -f /boot/cc_cdg.ko", 1, "" },
	{ "sysctl -n functions_default", 0, "freebsd\n" },
	{ "sysctl -n functions_available", 0,
	    "\nStack                           D Alias                            PCB count\n"
	    "freebsd                         * freebsd                          19\n"
	    "rack                              rack                             0\n" },
	{ "test -f /boot/tcp_bbr.ko", 0, "" },
	{ "grep -ns = /etc/sysctl.conf", 0,
	    "/etc/sysctl.conf:3:tcp.old = 5 # once\n/etc/sysctl.conf:4:#tcp.max=6\n"
	    "/etc/sysctl.conf:12:tcp.max=\"7\"\n/etc/sysctl.conf:13:other=1\nnonsense\n:1:tcp.max=1\n"
	    "/etc/sysctl.conf:0:tcp.max=8\n"
	    "/etc/a:b:14:max=\x1b[31m\n" },
	{ NULL, 0, NULL },
};

static struct arena *arena;
static struct profile *profile;

static void
setup(void)
{
	struct err e = { 0 };

	arena = arena_new();
	cr_assert(profile_parse(arena, "made.yaml", text, strlen(text), &profile, &e), "%s", e.text);
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(facts_once, .init = setup, .fini = teardown);

static struct host
probe(const struct canned *changed, bool there, struct facts *f)
{
	struct host h = { .answers = answers, .changed = changed, .there = there };
	struct err e = { 0 };

	cr_assert(facts_probe(&h, arena, profile, "192.0.2.7", false, f, &e), "%s", e.text);
	return h;
}

static bool
was_asked(const struct host *h, const char *question)
{
	return strings_have(h->seen, h->asked, question);
}

Test(facts_once, a_host_that_is_not_here_is_asked_in_one_round)
{
	struct facts f;
	struct host h = probe(NULL, true, &f);

	cr_expect_eq(h.rounds, 1, "%zu rounds", h.rounds);
	cr_expect(was_asked(&h, "sysctl -n hw.realmem"), "fallbacks too");
	cr_expect(was_asked(&h, "sysctl -n tcp.old"), "the release is not known by then");
	cr_expect_not(was_asked(&h, "route -n get default"), "there is a peer");
	cr_expect_not(was_asked(&h, "sysctl -n tcp.purge"), "reading it says nothing");
}

Test(facts_once, this_host_is_asked_only_what_is_needed)
{
	struct facts f, there;
	struct host h = probe(NULL, false, &f);

	cr_expect_not(was_asked(&h, "sysctl -n hw.realmem"));
	cr_expect_not(was_asked(&h, "sysctl -n tcp.old"), "this release does not have it");
	cr_expect_not(was_asked(&h, "sysctl -n tcp.purge"));
	cr_expect_eq(h.rounds, 4, "rules, fallbacks, the rest, what could be loaded: %zu", h.rounds);
	probe(NULL, true, &there);
	cr_expect_str_eq(record_to_json(arena, &facts_record, &f, false),
	    record_to_json(arena, &facts_record, &there, false), "the facts are the same");
}

Test(facts_once, a_pattern_finds_what_belongs_to_the_interface)
{
	struct facts f;

	probe(NULL, true, &f);
	cr_expect_str_eq(f.interface, "vtnet0");
	cr_expect_str_eq(f.driver, "vtnet");
	cr_expect_str_eq(f.parent, "virtio_pci3");
	cr_expect_str_eq(f.pci_vendor, "0x1af4");
	cr_expect_str_eq(f.pci_device, "0x1000");
	cr_expect_str_eq(f.nic_model, "virtio-net (transitional)");
	cr_expect_eq(f.mtu, 1500);
	cr_expect_eq(f.ram_bytes, 2147483648.0);
	cr_expect_eq(f.mbuf_denied, 0, "nothing denied is known, too");
}

Test(facts_once, without_the_interface_what_needs_it_is_unknown)
{
	static const struct canned changed[] = { { "route -n get 192.0.2.7", 1, "" },
		{ NULL, 0, NULL } };
	struct facts f;

	probe(changed, true, &f);
	cr_expect_null(f.interface);
	cr_expect(isnan(f.mtu));
	cr_expect_str_eq(why_unknown(&f, "mtu"), "interface is not known");
	cr_expect_str_eq(why_unknown(&f, "driver"), "interface is not known");
	cr_expect_str_eq(why_unknown(&f, "offloads"), "interface is not known");
	cr_expect_eq(f.n_offloads, 0);
}

Test(facts_once, a_fact_that_waits_for_itself_does_not_wait_for_ever)
{
	struct facts f;

	probe(NULL, true, &f);
	cr_expect_str_eq(f.bus, "none", "the next rule is tried");
}

Test(facts_once, offloads_by_the_list_of_those_that_are_on)
{
	static const struct { const char *lines, *states; } cases[] = {
		{ "options=1<RXCSUM,TSO4>\n\tcapabilities=3<RXCSUM,TSO4,LRO>",
		    "TSO4 on,RXCSUM on,LRO off,LINKSTATE off fixed," },
		{ "options=0\n\tcapabilities=3<TSO4>",
		    "TSO4 off,RXCSUM off fixed,LRO off fixed,LINKSTATE off fixed," },
		{ "options=0<>", "TSO4 off fixed,RXCSUM off fixed,LRO off fixed,LINKSTATE off fixed," },
		{ "options=1<TSO4X,XTSO4,TSO>\n\tcapabilities=1<TSO4,LRO,RXCSUM,LINKSTATE>",
		    "TSO4 off,RXCSUM off,LRO off,LINKSTATE off," },
		{ "status: active", "" },
		{ "options=1<\xff\x01>", "" },
	};
	struct facts f;
	size_t i, k;

	for (i = 0; i < NELEM(cases); i++) {
		struct canned changed[] = { { "ifconfig -m", 0, arena_printf(arena,
		    "vtnet0: flags=1<UP> mtu 1500\n\t%s\nem0: flags=1<UP>\n\toptions=8<LRO>\n",
		    cases[i].lines) }, { NULL, 0, NULL } };
		struct text t = { .arena = arena };

		probe(changed, true, &f);
		text_bytes(&t, "", 0);
		for (k = 0; k < f.n_offloads; k++)
			text_add(&t, "%s %s%s,", f.offloads[k].name, f.offloads[k].state,
			    f.offloads[k].fixed ? " fixed" : "");
		cr_expect_str_eq(t.s, cases[i].states, "case %zu: %s", i, t.s);
		if (cases[i].states[0] == '\0')
			cr_expect_str_eq(why_unknown(&f, "TSO4"), "is not listed");
	}
}

Test(facts_once, a_value_beyond_the_range_is_seen_as_it_is)
{
	struct facts f;

	probe(NULL, true, &f);
	cr_expect_eq(knob(&f, "max")->now, 18446744073709551615.0);
	cr_expect_str_eq(knob(&f, "max")->text, "18446744073709551615");
	cr_expect_eq(knob(&f, "tcp.max")->now, -2147483648.0);
	cr_expect_str_eq(knob(&f, "tcp.max")->text, "-2147483648");
}

Test(facts_once, a_value_is_right_or_unknown)
{
	static const char *const bad[] = { "", "\n", "-", "--1\n", "+1\n", "0x200000\n", "8M\n",
		"184467440737095516150\n", "1 2\n", "1.5\n", "sysctl: unknown oid 'max'\n", "\xff\n",
		"max: 5\n" };
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(bad); i++) {
		struct canned changed[] = { { "sysctl -n max", 0, bad[i] }, { NULL, 0, NULL } };

		probe(changed, true, &f);
		cr_expect_str_eq(why_unknown(&f, "max"), "max does not hold what it should", "%s",
		    bad[i]);
		cr_expect(isnan(knob(&f, "max")->now) && knob(&f, "max")->text == NULL, "%s", bad[i]);
	}
}

Test(facts_once, a_knob_that_may_be_missing_is_absent_not_unknown)
{
	static const struct { int status; const char *said, *why, *unknown; } cases[] = {
		{ 1, "", "this kernel does not have it", "(known)" },
		{ 0, "", "this kernel does not have it", "(known)" },
		{ -1, "", "sysctl -n tcp.maybe: no", "sysctl -n tcp.maybe: no" },
		{ 0, "abc\n", "tcp.maybe does not hold what it should",
		    "tcp.maybe does not hold what it should" },
	};
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		struct canned changed[] = { { "sysctl -n tcp.maybe", cases[i].status, cases[i].said },
			{ NULL, 0, NULL } };

		probe(changed, true, &f);
		cr_expect_null(knob(&f, "tcp.maybe")->text);
		cr_expect_not(knob(&f, "tcp.maybe")->writable);
		cr_expect_str_eq(knob(&f, "tcp.maybe")->why, cases[i].why, "case %zu", i);
		cr_expect_str_eq(why_unknown(&f, "tcp.maybe"), cases[i].unknown, "case %zu", i);
	}
	cr_expect_null(facts_knob(&f, "tcp.old"), "not of this release");
	cr_expect_null(facts_knob(&f, "tcp.purge"));
}

Test(facts_once, knobs_without_files_can_be_set_by_privilege_and_scope)
{
	static const char readonly[] = "read-only here (container or namespace)";
	static const struct { const char *uid, *scopes, *max, *tcp_max; } cases[] = {
		{ "0", "0", NULL, NULL }, { "0", "1", readonly, NULL }, { "1001", "0", "needs root",
		    "needs root" }, { "1001", "1", "needs root", "needs root" },
	};
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		struct canned changed[] = { { "id -u", 0, cases[i].uid },
			{ "sysctl -n jailed", 0, cases[i].scopes }, { NULL, 0, NULL } };
		const char *max, *tcp_max;

		probe(changed, true, &f);
		max = knob(&f, "max")->why;
		tcp_max = knob(&f, "tcp.max")->why;
		cr_expect_eq(knob(&f, "max")->writable, cases[i].max == NULL, "case %zu", i);
		cr_expect(max == cases[i].max || strcmp(max, cases[i].max) == 0, "case %zu: %s", i, max);
		cr_expect(tcp_max == cases[i].tcp_max || strcmp(tcp_max, cases[i].tcp_max) == 0,
		    "case %zu: %s", i, tcp_max);
		cr_expect_not(knob(&f, "tcp.boot")->writable);
		cr_expect_str_eq(knob(&f, "tcp.boot")->why, "fixed at boot");
	}
}

static const char *
words(const char *const *v, size_t n)
{
	struct text t = { .arena = arena };
	size_t i;

	text_bytes(&t, "", 0);
	for (i = 0; i < n; i++)
		text_add(&t, "%s%s", i == 0 ? "" : " ", v[i]);
	return t.s;
}

Test(facts_once, names_are_found_in_both_formats_of_the_list)
{
	static const struct { const char *said, *names; } cases[] = {
		{ "\nCCmod           D PCB count\ncubic           * 14\nhtcp              0\n"
		    "newreno           0\n\n", "cubic htcp newreno" },
		{ "cubic, newreno, htcp\n", "cubic newreno htcp" },
		{ "newreno\n", "newreno" },
		{ "", "" },
		{ "NICHT DA\n", "" },
		{ "\xff\xfe, \x01\n", "" },
		{ "a_name_that_is_longer_than_any, cubic\n", "cubic" },
	};
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		struct canned changed[] = { { "sysctl -n cc.available", 0, cases[i].said },
			{ NULL, 0, NULL } };

		probe(changed, true, &f);
		cr_expect_str_eq(words(f.cc_available, f.n_cc_available), cases[i].names, "case %zu: %s",
		    i, words(f.cc_available, f.n_cc_available));
		if (cases[i].names[0] == '\0')
			cr_expect_str_eq(why_unknown(&f, "cc_available"), "the answer names none");
	}
}

Test(facts_once, congestion_controls_and_stacks_there_and_loadable)
{
	struct facts f;

	probe(NULL, true, &f);
	cr_expect_str_eq(f.cc, "cubic");
	cr_expect_null(f.cc_fixed);
	cr_expect_str_eq(words(f.cc_available, f.n_cc_available), "cubic newreno");
	cr_expect_str_eq(words(f.cc_loadable, f.n_cc_loadable), "htcp");
	cr_expect_str_eq(why_unknown(&f, "cc_loadable"), "test: not found");
	cr_expect_str_eq(f.stack, "freebsd");
	cr_expect_str_eq(words(f.stacks_available, f.n_stacks_available), "freebsd rack");
	cr_expect_str_eq(words(f.stacks_loadable, f.n_stacks_loadable), "bbr");
	profile->congestion = (struct congestion){ .fixed = "newreno, built in" };
	probe(NULL, true, &f);
	cr_expect_str_eq(f.cc_fixed, "newreno, built in");
	cr_expect_null(f.cc);
	cr_expect_str_eq(why_unknown(&f, "cc"), "(known)", "there is nothing to be known");
}

Test(facts_once, a_reason_that_is_the_same_for_all_candidates_is_given_once)
{
	static const struct canned changed[] = { { "test -f /boot/cc_htcp.ko", -1, "" },
		{ "test -f /boot/cc_cdg.ko", -1, "" }, { "test -f /boot/tcp_bbr.ko", -1, "" },
		{ NULL, 0, NULL } };
	struct facts f;
	size_t n = 0;

	probe(changed, true, &f);
	cr_expect_eq(f.n_cc_loadable, 0);
	cr_expect_str_eq(why_unknown(&f, "cc_loadable"), "test -f /boot/cc_htcp.ko: no");
	cr_expect_str_eq(why_unknown(&f, "stacks_loadable"), "test -f /boot/tcp_bbr.ko: no");
	for (size_t i = 0; i < f.n_unknown; i++)
		n += strcmp(f.unknown[i].fact, "cc_loadable") == 0;
	cr_expect_eq(n, 1, "%zu", n);
}

Test(facts_once, lines_that_set_knobs_at_boot)
{
	static const struct { const char *file; double line; const char *name, *value; } expected[] = {
		{ "/etc/sysctl.conf", 3, "tcp.old", "5" },
		{ "/etc/sysctl.conf", 12, "tcp.max", "7" },
		{ "/etc/a:b", 14, "max", "?[31m" },
	};
	struct facts f;
	size_t i;

	probe(NULL, true, &f);
	cr_assert_eq(f.n_sources, NELEM(expected));
	for (i = 0; i < NELEM(expected); i++) {
		cr_expect_str_eq(f.sources[i].file, expected[i].file);
		cr_expect_eq(f.sources[i].line, expected[i].line);
		cr_expect_str_eq(f.sources[i].name, expected[i].name);
		cr_expect_str_eq(f.sources[i].value, expected[i].value);
	}
}

Test(facts_once, no_file_that_sets_a_knob_is_no_failure)
{
	static const struct { int status; const char *why; } cases[] = {
		{ 1, "(known)" }, { 2, "(known)" }, { -1, "grep -ns = /etc/sysctl.conf: no" },
		{ 127, "grep -ns = /etc/sysctl.conf: no" },
	};
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		struct canned changed[] = { { "grep -ns = /etc/sysctl.conf", cases[i].status, "" },
			{ NULL, 0, NULL } };

		probe(changed, true, &f);
		cr_expect_eq(f.n_sources, 0);
		cr_expect_str_eq(why_unknown(&f, "sources"), cases[i].why);
	}
}

/* Whatever is said: the probe ends, and what it did not understand is not there. */
Test(facts_once, hostile_answers_to_every_question_end)
{
	static const char *const shapes[] = { "", "\n", "7", ",", "a, ", "<", "\t", "vtnet0: ",
		"\xff\xfe\x01", "nicht gefunden\n", "/etc/x:1:max=" };
	const struct canned *c;
	struct facts f;
	size_t i, k;

	for (i = 0; i < NELEM(shapes); i++) {
		struct text t = { .arena = arena };

		text_bytes(&t, "", 0);
		for (k = 0; k < 8192 && t.len < 8192; k++)
			text_bytes(&t, shapes[i], strlen(shapes[i]));
		for (c = answers; c->question != NULL; c++) {
			struct canned changed[] = { { c->question, 0, t.s }, { NULL, 0, NULL } };

			probe(changed, true, &f);
			cr_expect_leq(f.n_cc_available, 64);
			cr_expect_leq(f.n_sources, 1000);
			cr_expect(isnan(f.ram_bytes) || f.ram_bytes == 2147483648.0);
		}
	}
}
