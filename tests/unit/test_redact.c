#include <criterion/criterion.h>

#include "probes/transcript.h"

#include <math.h>
#include <string.h>

static struct arena *a;

static void
setup(void)
{
	a = arena_new();
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(redact, .init = setup, .fini = teardown);

/* One command "show WORD" that said text. */
static struct transcript
asked(const char *word, const char *text)
{
	struct transcript t = { .path = { NULL, NAN, NAN, NAN }, .n_entries = 1 };

	t.entries = arena_alloc(a, sizeof(*t.entries));
	t.entries->argv = arena_array(a, 3, sizeof(char *));
	t.entries->argv[0] = "show";
	t.entries->argv[1] = word;
	t.entries->answer = (struct output){ 0, text, strlen(text), NULL };
	return t;
}

static const char *
redacted(const char *text, const char *hostname)
{
	struct transcript t = asked("it", text);

	transcript_redact(a, &t, &(struct host_names){ { hostname }, NULL });
	cr_expect_eq(t.entries->answer.len, strlen(t.entries->answer.text));
	return t.entries->answer.text;
}

Test(redact, what_names_a_host_is_replaced)
{
	static const struct { const char *is, *becomes; } cases[] = {
		{ "inet 10.1.2.3/24 brd 10.1.2.255", "inet 192.0.2.1/24 brd 192.0.2.2" },
		{ "10.1.2.3 10.1.2.4 10.1.2.3", "192.0.2.1 192.0.2.2 192.0.2.1" },
		{ "addr:10.1.2.3  Mask:255.255.255.0", "addr:192.0.2.1  Mask:255.255.255.0" },
		{ "10.1.2.3:443 10.1.2.3:https", "192.0.2.1:443 192.0.2.1:https" },
		{ "10.1.2.3.443 10.1.2.3.domain", "192.0.2.1.443 192.0.2.1.domain" },
		{ "via 10.1.2.3.", "via 192.0.2.1." },
		{ "[10.1.2.3]", "[192.0.2.1]" },
		{ "fe80:10.1.2.3", "fe80:192.0.2.1" },
		{ "169.254.7.8", "169.254.0.1" },
		{ "inet6 2a01:4f8::7/64", "inet6 2001:db8::1/64" },
		{ "2A01:4F8:0:0:0:0:0:7 2a01:4f8::7", "2001:db8::1 2001:db8::1" },
		{ "addr:2a01:4f8::7:", "addr:2001:db8::1:" },
		{ "[2a01:4f8::7]:443", "[2001:db8::1]:443" },
		{ "::ffff:10.1.2.3", "2001:db8::1" },
		{ "fe80::5054:ff:fe12:3456%eth0", "fe80::1%eth0" },
		{ "ff02::1:ff12:3456", "ff02::1:ff00:1" },
		{ "ether 52:54:00:AB:cd:ef", "ether 02:00:00:00:00:01" },
		{ "52:54:00:ab:cd:ef 52:54:00:AB:CD:EF", "02:00:00:00:00:01 02:00:00:00:00:01" },
		{ "lladdr 52:54:00:ab:cd:ef:00:11", "lladdr 02:00:00:00:00:01" },
		{ "dev enx525400abcdef: 52:54:00:ab:cd:ef", "dev enx020000000001: 02:00:00:00:00:01" },
		{ "web-7 web-7.net:", "host host.net:" },
		{ "login@web-7 (web-7)", "login@host (host)" },
	};

	for (size_t i = 0; i < NELEM(cases); i++)
		cr_expect_str_eq(redacted(cases[i].is, "web-7"), cases[i].becomes, "%s: %s",
		    cases[i].is, redacted(cases[i].is, "web-7"));
}

/* The tables of Linux know no dots and colons. */
Test(redact, routes_in_hexadecimal_are_replaced)
{
	static const struct { const char *is, *becomes; } cases[] = {
		{ "10.1.2.1\neth0\t00000000\t0102010A\t0003\t0\t0\t0\t00000000\t0\n",
			"192.0.2.1\neth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\n" },
		{ "enx525400abcdef\t0002010A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n",
			"enx020000000001\t010200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n" },
		{ "2a01:4f8::7 2a0104f8000000000000000000000007 80 "
		  "00000000000000000000000000000000 00 2a0104f8000000000000000000000001 00000400 eth0",
			"2001:db8::1 20010db8000000000000000000000001 80 "
		  "00000000000000000000000000000000 00 20010db8000000000000000000000002 00000400 eth0" },
		{ "fe80000000000000505400fffe123456 80 x", "fe800000000000000000000000000001 80 x" },
		{ "fe800000000000000000000000000000 40 x", "fe800000000000000000000000000000 40 x" },
	};

	for (size_t i = 0; i < NELEM(cases); i++)
		cr_expect_str_eq(redacted(cases[i].is, NULL), cases[i].becomes, "%s: %s",
		    cases[i].is, redacted(cases[i].is, NULL));
}

/* Files that set knobs at boot are read with all of their lines. */
Test(redact, what_is_a_password_is_taken_out)
{
	cr_expect_str_eq(redacted("/boot/loader.conf:3:password=\"a=b c\"\n"
	    "/boot/loader.conf:4:bootlock_password = 'x'\nkern.geom.eli.passphrase=10.1.2.3\n"
	    "net.ipv6.conf.all.stable_secret=::7\nnet.ipv4.tcp_fastopen_key=1-2-3-4\n", NULL),
	    "/boot/loader.conf:3:password=...\n/boot/loader.conf:4:bootlock_password =...\n"
	    "kern.geom.eli.passphrase=...\nnet.ipv6.conf.all.stable_secret=...\n"
	    "net.ipv4.tcp_fastopen_key=...\n");
}

Test(redact, what_names_nobody_stays)
{
	static const char *const texts[] = {
		"6.18.44-fc-v657", "5.15.90.1-microsoft-standard-WSL2", "14.2-RELEASE-p1",
		"FreeBSD 14.2-RELEASE #0 releng/14.2-n269506-c8918d6c7412", "version v1.2.3.4",
		"1.3.6.1.4.1", "256.1.2.3", "0000:00:03.0", "0x1af4 0x1000", "1af4:1000 (rev 01)",
		"pci0: <ACPI PCI bus> on pcib0", "12:34:56", "up 3 days, 12:34:56.789",
		"Sun Nov 22 02:45:43 UTC 2026", "ea79a82b-57bb-4bae-8b36-853023064bc0",
		"127.0.0.1 0.0.0.0 255.255.255.0 255.255.255.255 255.255.240.0 224.0.0.1",
		"::1 :: ::/0 fe80::/64 ff02::1 ffff:ffff:ffff:ffff::",
		"00:00:00:00:00:00 ff:ff:ff:ff:ff:ff", "netmask 0xffffff00", "4096\t131072\t33554432",
		"dead:beef cafe", "deadbeef.bad:", "...", ":", "::::", "1.2.3.4x", "",
		"web-71 xweb-7 web-7-2", "localhost", "add: fee: bad.", "libfoo.so.1.2.3.4.5.6",
		"Ip: 2 64 35807688 10000001 32702215", "10000000\t20000000\t30000000\n",
		"x\t10000000\t20000000\t1000000\t1", "x\t0102010a\t00000000\t0003\t0",
		"net.inet.ip.fw.one_pass=1", "passwords=1", "password", "=", " \t=", "ey=1",
		"Dump:0x00112233445566778899aabbccddeeff", "00112233445566778899aabbccddeeff boot",
		"00112233445566778899aabbccddeeff0 80 x", "\t0102010A", "\t0102010A\t",
	};

	for (size_t i = 0; i < NELEM(texts); i++)
		cr_expect_str_eq(redacted(texts[i], "web-7"), texts[i], "%s became %s", texts[i],
		    redacted(texts[i], "web-7"));
}

Test(redact, a_long_name_is_replaced_in_parts_too)
{
	cr_expect_str_eq(redacted("db1.corp.test db1 corp.test x.corp.test", "db1.corp.test"),
	    "host.example.org host example.org x.example.org");
	cr_expect_str_eq(redacted("net.inet.tcp.x: 5", "ab"), "net.inet.tcp.x: 5");
	cr_expect_str_eq(redacted("size 1024", "1024"), "size 1024");
}

Test(redact, a_name_that_is_a_word_of_questions_stays)
{
	struct transcript t = asked("net.inet.tcp.sack.enable", "net.inet.tcp.sack.enable: 1");

	transcript_redact(a, &t, &(struct host_names){ { "net.corp.test" }, NULL });
	cr_expect_str_eq(t.entries->argv[1], "net.inet.tcp.sack.enable");
	cr_expect_str_eq(t.entries->answer.text, "net.inet.tcp.sack.enable: 1");
}

Test(redact, questions_answers_reasons_and_the_peer_agree)
{
	struct transcript t = asked("10.1.2.3", "10.1.2.3 dev enx525400abcdef");
	struct transcript_entry *file = arena_push(a, &t.entries, &t.n_entries, sizeof(*file));

	*file = (struct transcript_entry){ NULL, "/sys/class/net/enx525400abcdef/mtu",
		{ 1, "", 0, "10.1.2.3: no" }, 0 };
	t.path.peer = "10.1.2.3";
	transcript_redact(a, &t, &(struct host_names){ { NULL }, NULL });
	cr_expect_str_eq(t.entries[0].argv[1], "192.0.2.1");
	cr_expect_str_eq(t.entries[0].answer.text, "192.0.2.1 dev enx020000000001");
	cr_expect_str_eq(t.entries[1].file, "/sys/class/net/enx020000000001/mtu");
	cr_expect_str_eq(t.entries[1].answer.why, "192.0.2.1: no");
	cr_expect_str_eq(t.path.peer, "192.0.2.1");
}

Test(redact, many_addresses_stay_apart)
{
	struct text t = { .arena = a };
	const char *all;

	for (unsigned i = 0; i < 700; i++)
		text_add(&t, "10.9.%u.%u\n", i / 250, i % 250 + 1);
	all = redacted(t.s, NULL);
	cr_expect_null(strstr(all, "10.9."));
	cr_expect_not_null(strstr(all, "192.0.2.254\n198.51.100.1\n"));
	cr_expect_not_null(strstr(all, "203.0.113.192\n"));
}

/* What a quadratic search would not come back from. */
Test(redact, long_runs_that_are_no_addresses_are_done_at_once)
{
	static const char *const patterns[] = { "a", ":", ".", "1.", "aa:", "1:", "::", "x:", "=",
		" =", "\tA", " a" };

	for (size_t i = 0; i < NELEM(patterns); i++) {
		struct text t = { .arena = a };

		while (t.len < HOST_OUTPUT_BYTES)
			text_bytes(&t, patterns[i], strlen(patterns[i]));
		text_bytes(&t, "zz", 2);
		cr_expect_eq(strncmp(redacted(t.s, "web-7"), t.s, 1000), 0, "%s", patterns[i]);
	}
}

Test(redact, a_table_as_long_as_an_answer_may_be_is_done_at_once)
{
	static const char *const lines[] = { "fe800000000000000000000000000001 40 ",
		"\t0101FEA9\t0101FEA9\t0003\t\n" };

	for (size_t i = 0; i < NELEM(lines); i++) {
		struct text t = { .arena = a };

		while (t.len < HOST_OUTPUT_BYTES)
			text_bytes(&t, lines[i], strlen(lines[i]));
		cr_expect_eq(strlen(redacted(t.s, NULL)), t.len, "%s", lines[i]);
	}
}

Test(redact, the_names_by_which_it_was_reached_are_replaced_too_but_not_root)
{
	static const struct host_names by[] = { { { "gate.corp.test", "srv7", "db1" }, "carol" },
		{ { "gate", NULL, "x" }, "root" }, { { NULL }, NULL } };
	static const char *const becomes[] = {
		"host.example.org host host host user root, carols x-carol",
		"host.corp.test host srv7 db1 carol root, carols x-carol",
		"gate.corp.test gate srv7 db1 carol root, carols x-carol" };

	for (size_t i = 0; i < NELEM(by); i++) {
		struct transcript t = asked("it", "gate.corp.test gate srv7 db1 carol root, carols x-carol");

		transcript_redact(a, &t, &by[i]);
		cr_expect_str_eq(t.entries->answer.text, becomes[i], "%zu: %s", i,
		    t.entries->answer.text);
	}
}
