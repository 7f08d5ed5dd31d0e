#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "probes/files.h"
#include "tuner/hazards.h"
#include "tuner/profile.h"
#include "tuner/report_hazards.h"

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

TestSuite(hazards, .init = setup, .fini = teardown);

static struct profile *
profile_of(const char *sysname)
{
	struct profile *p = NULL;
	struct err e = { 0 };

	cr_assert(profile_for(arena, sysname, &p, &e), "%s", e.text);
	return p;
}

/* "knob=text;knob=text": as they were read. */
static struct facts
facts_with(const struct profile *p, const char *release, const char *knobs)
{
	char *copy = arena_strdup(arena, knobs), *save = NULL;
	struct facts f;

	record_init(&facts_record, &f);
	f.os = p->sysname;
	f.release = release;
	f.arch = "amd64";
	for (char *w = strtok_r(copy, ";", &save); w != NULL; w = strtok_r(NULL, ";", &save)) {
		struct knob_fact *k = arena_push(arena, &f.knobs, &f.n_knobs, sizeof(*k));
		char *value = strchr(w, '=');
		const char *last;

		*value++ = '\0';
		last = strrchr(value, ' ') == NULL ? value : strrchr(value, ' ') + 1;
		*k = (struct knob_fact){ w, *value == '?' ? NULL : value,
			strspn(last, "-0123456789") == strlen(last) && *last != '\0' ? atof(last) : NAN,
			NAN, NAN, true, NULL };
	}
	return f;
}

/* "file:line knob value", separated by ";". */
static void
add_sources(struct facts *f, const char *lines)
{
	char *copy = arena_strdup(arena, lines), *save = NULL;

	for (char *w = strtok_r(copy, ";", &save); w != NULL; w = strtok_r(NULL, ";", &save)) {
		struct source_line *l = arena_push(arena, &f->sources, &f->n_sources, sizeof(*l));
		char *colon = strchr(w, ':'), *name = strchr(w, ' ') + 1, *value = strchr(name, ' ');

		*colon = value[0] = name[-1] = '\0';
		*l = (struct source_line){ w, atof(colon + 1), name, value + 1 };
	}
}

/* The ids with their subjects, "id subject;". */
static const char *
found(const struct profile *p, const struct facts *f)
{
	struct text t = { .arena = arena };
	struct hazard *h;
	size_t n;

	hazards_find(arena, p, f, &h, &n);
	cr_assert((h == NULL) == (n == 0));
	text_bytes(&t, "", 0);
	for (size_t i = 0; i < n; i++) {
		cr_assert(h[i].words != NULL && strlen(h[i].words) > 20);
		text_add(&t, "%s %s;", h[i].id, h[i].subject);
	}
	return t.s;
}

#define FREEBSD_STOCK "net.inet.tcp.sendbuf_max=2097152;net.inet.tcp.recvbuf_max=2097152;" \
	"net.inet.tcp.sendspace=32768;net.inet.tcp.recvspace=65536;" \
	"net.inet.tcp.sendbuf_auto=1;net.inet.tcp.recvbuf_auto=1"

Test(hazards, models_find_harm_in_knobs)
{
	static const struct { const char *system, *release, *knobs, *found; } cases[] = {
		/* The limit above both maxima: nothing. */
		{ "FreeBSD", "14.2", "kern.ipc.maxsockbuf=2359296;" FREEBSD_STOCK, "" },
		/* As it comes: both freeze a step early. */
		{ "FreeBSD", "14.2", "kern.ipc.maxsockbuf=2097152;" FREEBSD_STOCK,
		    "limit-freezes net.inet.tcp.sendbuf_max;limit-freezes net.inet.tcp.recvbuf_max;" },
		{ "FreeBSD", "14.2", "kern.ipc.maxsockbuf=16777216;net.inet.tcp.recvbuf_max=16777216",
		    "limit-freezes net.inet.tcp.recvbuf_max;" },
		{ "FreeBSD", "14.2", "kern.ipc.maxsockbuf=2097152;net.inet.tcp.recvbuf_max=16777216",
		    "limit-useless net.inet.tcp.recvbuf_max;" },
		{ "FreeBSD", "14.2", "kern.ipc.maxsockbuf=65536;net.inet.tcp.recvspace=65536",
		    "below-default kern.ipc.maxsockbuf;lethal net.inet.tcp.recvspace;" },
		{ "FreeBSD", "14.2", "kern.ipc.maxsockbuf=73728;net.inet.tcp.recvspace=65536",
		    "below-default kern.ipc.maxsockbuf;" },
		{ "FreeBSD", "14.2", "kern.ipc.maxsockbuf=18446744073709551615",
		    "wrapped kern.ipc.maxsockbuf;" },
		{ "FreeBSD", "14.2", "net.inet.tcp.sendbuf_max=0", "wrapped net.inet.tcp.sendbuf_max;" },
		{ "FreeBSD", "14.2", "net.inet.tcp.sendbuf_max=-2147483648",
		    "wrapped net.inet.tcp.sendbuf_max;" },
		{ "FreeBSD", "14.2", "net.inet.tcp.sendbuf_max=1215752191;kern.ipc.maxsockbuf=4294967296",
		    "" },
		{ "FreeBSD", "14.2", "net.inet.tcp.sendbuf_auto=0;net.inet.tcp.recvbuf_auto=0",
		    "autotuning-off net.inet.tcp.sendbuf_auto;autotuning-off net.inet.tcp.recvbuf_auto;" },
		{ "NetBSD", "10.0", "kern.sbmax=65536;net.inet.tcp.sendspace=131072",
		    "below-default kern.sbmax;lethal net.inet.tcp.sendspace;" },
		{ "NetBSD", "10.0", "kern.sbmax=262144;net.inet.tcp.sendbuf_max=4194304",
		    "limit-useless net.inet.tcp.sendbuf_max;" },
		{ "NetBSD", "10.0", "kern.sbmax=4194304;net.inet.tcp.sendbuf_max=4194304",
		    "limit-freezes net.inet.tcp.sendbuf_max;" },
		{ "NetBSD", "10.0", "kern.sbmax=5242880;net.inet.tcp.sendbuf_max=4194304", "" },
		{ "NetBSD", "10.0", "net.inet.tcp.recvbuf_inc=4096",
		    "below-default net.inet.tcp.recvbuf_inc;" },
		/* maxsockbuf has no part in DragonFly's autotuning. */
		{ "DragonFly", "6.4", "kern.ipc.maxsockbuf=524288;net.inet.tcp.sendbuf_max=16777216", "" },
		/* The famous 16 MB is less than 6.18 starts with, and more than 6.1 does. */
		{ "Linux", "6.18.44", "net.ipv4.tcp_rmem=4096 131072 16777216",
		    "below-default net.ipv4.tcp_rmem;" },
		{ "Linux", "6.1.0", "net.ipv4.tcp_rmem=4096 131072 16777216", "" },
		/* A limit that wrapped bounds nothing. */
		{ "NetBSD", "10.0", "kern.sbmax=-1;net.inet.tcp.sendspace=131072;"
		    "net.inet.tcp.sendbuf_max=4194304", "wrapped kern.sbmax;" },
		{ "NetBSD", "10.0", "kern.sbmax=262144;net.inet.tcp.sendspace=-1",
		    "wrapped net.inet.tcp.sendspace;lethal net.inet.tcp.sendspace;" },
		/* No socket, no growth: one harm is said, not what comes after it. */
		{ "NetBSD", "10.0", "kern.sbmax=262144;net.inet.tcp.sendspace=262144;"
		    "net.inet.tcp.sendbuf_max=4194304", "lethal net.inet.tcp.sendspace;" },
		/* What applications may ask for is no buffer that is held back. */
		{ "Linux", "6.18.44", "net.core.rmem_max=212992;net.core.wmem_max=212992", "" },
		/* Nothing was read: nothing is said. */
		{ "FreeBSD", "14.2", "kern.ipc.maxsockbuf=?;net.inet.tcp.recvbuf_max=?", "" },
		{ "FreeBSD", "14.2", "kern.ipc.maxsockbuf=?;net.inet.tcp.recvbuf_max=99999999", "" },
		{ "FreeBSD", "14.2", "", "" },
		{ "FreeBSD", NULL, "net.inet.tcp.sendbuf_max=1024",
		    "below-default net.inet.tcp.sendbuf_max;" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct profile *p = profile_of(cases[i].system);
		struct facts f = facts_with(p, cases[i].release, cases[i].knobs);
		const char *got;

		p->n_hazards = 0;
		got = found(p, &f);
		cr_expect_str_eq(got, cases[i].found, "case %zu: %s", i, got);
	}
}

/* The words about the knob's harm of this id. */
static const char *
words_of(const char *system, const char *release, const char *knobs, const char *id)
{
	struct profile *p = profile_of(system);
	struct facts f = facts_with(p, release, knobs);
	struct hazard *h;
	size_t n;

	hazards_find(arena, p, &f, &h, &n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(h[i].id, id) == 0)
			return h[i].words;
	}
	return "";
}

Test(hazards, no_number_is_named_that_the_kernel_refuses)
{
	const char *words = words_of("NetBSD", "10.0",
	    "kern.sbmax=262144;net.inet.tcp.sendbuf_max=2147483647", "limit-useless");

	cr_assert(strstr(words, "; set net.inet.tcp.sendbuf_max to at most 1717986917, and kern.sbmax "
	    "to 2147483647") != NULL, "%s", words);
	words = words_of("NetBSD", "10.0",
	    "kern.sbmax=262144;net.inet.tcp.recvspace=2147483647", "lethal");
	cr_assert(strstr(words, "set net.inet.tcp.recvspace to at most 1717986917") != NULL, "%s",
	    words);
	words = words_of("NetBSD", "10.0", "kern.sbmax=262144;net.inet.tcp.recvspace=-1", "lethal");
	cr_assert(strstr(words, "is -1, which counts as more than any limit admits") != NULL, "%s",
	    words);
}

Test(hazards, the_words_name_the_numbers)
{
	struct profile *p = profile_of("FreeBSD");
	struct facts f = facts_with(p, "14.2", "kern.ipc.maxsockbuf=16777216;"
	    "net.inet.tcp.recvbuf_max=16777216;net.inet.tcp.recvspace=65536");
	struct hazard *h;
	size_t n;

	hazards_find(arena, p, &f, &h, &n);
	cr_assert_eq(n, 1);
	cr_expect(strstr(h[0].words, "admits 14913080") != NULL, "%s", h[0].words);
	cr_expect(strstr(h[0].words, "growth ends at 1278") != NULL, "%s", h[0].words);
	cr_expect(strstr(h[0].words, "kern.ipc.maxsockbuf to at least 18874368") != NULL, "%s",
	    h[0].words);
}

Test(hazards, the_last_line_in_the_order_of_the_system_counts)
{
	static const struct { const char *system, *lines, *last; } cases[] = {
		{ "FreeBSD", "/etc/sysctl.conf:3 a 1;/etc/sysctl.conf.local:1 a 2", "/etc/sysctl.conf.local" },
		{ "FreeBSD", "/etc/sysctl.conf:9 b 1", NULL },
		{ "FreeBSD", "/boot/loader.conf.d/z.conf:1 a 1;/boot/loader.conf.d/a.conf:1 a 2",
		    "/boot/loader.conf.d/z.conf" },
		{ "FreeBSD", "/boot/loader.conf.d/z.conf:1 a 1;/etc/sysctl.kld.d/a.conf:1 a 2",
		    "/etc/sysctl.kld.d/a.conf" },
		{ "Linux", "/etc/sysctl.d/99-z.conf:1 a 1;/usr/lib/sysctl.d/10-a.conf:1 a 2",
		    "/etc/sysctl.d/99-z.conf" },
		{ "Linux", "/usr/lib/sysctl.d/99-z.conf:1 a 1;/etc/sysctl.d/10-a.conf:1 a 2",
		    "/usr/lib/sysctl.d/99-z.conf" },
		/* The same name in an earlier directory hides the later one, wherever it stands. */
		{ "Linux", "/usr/lib/sysctl.d/50-a.conf:1 a 1;/etc/sysctl.d/50-a.conf:1 b 2", NULL },
		{ "Linux", "/etc/sysctl.d/50-a.conf:1 a 1;/usr/lib/sysctl.d/50-a.conf:1 a 2",
		    "/etc/sysctl.d/50-a.conf" },
		{ "Linux", "/etc/sysctl.conf:1 a 1;/etc/sysctl.d/99-z.conf:1 a 2", "/etc/sysctl.conf" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct profile *p = profile_of(cases[i].system);
		struct facts f = facts_with(p, "6.12", "");
		const struct source_line *l;

		add_sources(&f, cases[i].lines);
		l = hazards_effective(p, &f, "a");
		cr_expect(cases[i].last == NULL ? l == NULL :
		    l != NULL && strcmp(l->file, cases[i].last) == 0, "case %zu: %s", i,
		    l == NULL ? "none" : l->file);
	}
}

Test(hazards, files_are_held_against_the_kernel_and_each_other)
{
	static const struct { const char *system, *release, *knobs, *lines, *found, *where; } cases[] = {
		{ "FreeBSD", "14.2", "", "/etc/sysctl.conf:7 net.inet.tcp.recvbuf_inc 65536",
		    "stale-key net.inet.tcp.recvbuf_inc;", "/etc/sysctl.conf:7" },
		{ "FreeBSD", "12.4", "", "/etc/sysctl.conf:7 net.inet.tcp.recvbuf_inc 65536", "", NULL },
		{ "FreeBSD", NULL, "", "/etc/sysctl.conf:7 net.inet.tcp.recvbuf_inc 65536", "", NULL },
		{ "FreeBSD", "14.2", "kern.ipc.maxsockbuf=2097152",
		    "/etc/sysctl.conf:2 kern.ipc.maxsockbuf 0x200000", "", NULL },
		{ "FreeBSD", "14.2", "kern.ipc.maxsockbuf=2097152",
		    "/etc/sysctl.conf:2 kern.ipc.maxsockbuf 8388608", "drift kern.ipc.maxsockbuf;",
		    "/etc/sysctl.conf:2" },
		{ "FreeBSD", "14.2", "net.inet.tcp.sendbuf_max=0",
		    "/etc/sysctl.conf:2 net.inet.tcp.sendbuf_max 4294967296",
		    "wrapped net.inet.tcp.sendbuf_max;drift net.inet.tcp.sendbuf_max;", NULL },
		{ "Linux", "6.18.1", "net.ipv4.tcp_rmem=4096 131072 33554432",
		    "/etc/sysctl.d/90-pathtune.conf:2 net.ipv4.tcp_rmem 4096\t131072  33554432", "", NULL },
		{ "Linux", "6.18.1", "net.ipv4.tcp_congestion_control=cubic",
		    "/etc/sysctl.d/90-pathtune.conf:2 net.ipv4.tcp_congestion_control bbr;"
		    "/etc/sysctl.d/99-x.conf:5 net.ipv4.tcp_congestion_control cubic",
		    "overridden net.ipv4.tcp_congestion_control;", "/etc/sysctl.d/99-x.conf:5" },
		/* Before ours, or the same: no harm. */
		{ "Linux", "6.18.1", "net.ipv4.tcp_congestion_control=bbr",
		    "/etc/sysctl.d/90-pathtune.conf:2 net.ipv4.tcp_congestion_control bbr;"
		    "/etc/sysctl.d/10-x.conf:5 net.ipv4.tcp_congestion_control cubic", "", NULL },
		{ "NetBSD", "10.0", "kern.sbmax=16777216",
		    "/etc/sysctl.conf:1 kern.sbmax 8388608;/etc/sysctl.conf:2 kern.sbmax 16777216",
		    "overridden kern.sbmax;", "/etc/sysctl.conf:2" },
		/* Two knobs of a name, one for each range of releases: what is said is said once. */
		{ "FreeBSD", "13.2", "net.inet.tcp.functions_default=freebsd",
		    "/etc/sysctl.conf:3 net.inet.tcp.functions_default bbr",
		    "drift net.inet.tcp.functions_default;", "/etc/sysctl.conf:3" },
		{ "FreeBSD", "14.2", "net.inet.tcp.functions_default=freebsd",
		    "/etc/sysctl.conf:3 net.inet.tcp.functions_default bbr",
		    "drift net.inet.tcp.functions_default;", "/etc/sysctl.conf:3" },
		{ "FreeBSD", NULL, "net.inet.tcp.functions_default=freebsd",
		    "/etc/sysctl.conf:3 net.inet.tcp.functions_default bbr",
		    "drift net.inet.tcp.functions_default;", "/etc/sysctl.conf:3" },
		{ "Linux", "6.12", "", "/etc/sysctl.conf:4 net.ipv4.tcp_adv_win_scale 2",
		    "stale-key net.ipv4.tcp_adv_win_scale;", "/etc/sysctl.conf:4" },
		{ "OpenBSD", "7.4", "net.inet.tcp.tso=?", "/etc/sysctl.conf:4 net.inet.tcp.tso 0",
		    "stale-key net.inet.tcp.tso;", "/etc/sysctl.conf:4" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct profile *p = profile_of(cases[i].system);
		struct facts f = facts_with(p, cases[i].release, cases[i].knobs);
		struct hazard *h;
		const char *got;
		size_t n;

		p->n_hazards = 0;
		add_sources(&f, cases[i].lines);
		got = found(p, &f);
		cr_expect_str_eq(got, cases[i].found, "case %zu: %s", i, got);
		hazards_find(arena, p, &f, &h, &n);
		if (cases[i].where != NULL && n == 1)
			cr_expect_str_eq(h[0].where, cases[i].where);
	}
}

Test(hazards, a_number_that_the_kernel_cut_is_not_said_to_change_with_the_next_boot)
{
	static const struct { const char *says, *why; } cases[] = {
		{ "net.inet.tcp.sendbuf_max 8388608", "the next boot changes it" },
		{ "net.inet.tcp.sendbuf_max 4299161600", "too large for its type" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct profile *p = profile_of("FreeBSD");
		struct facts f = facts_with(p, "14.2", "net.inet.tcp.sendbuf_max=4194304");
		struct hazard *h;
		size_t n;

		p->n_hazards = 0;
		add_sources(&f, arena_printf(arena, "/etc/sysctl.conf:2 %s", cases[i].says));
		hazards_find(arena, p, &f, &h, &n);
		cr_assert_eq(n, 1);
		cr_expect_str_eq(h[0].id, "drift");
		cr_expect(strstr(h[0].words, cases[i].why) != NULL, "%s", h[0].words);
	}
}

/* ---- rules ---------------------------------------------------------------------------------- */

static bool
holds(const struct condition *c, size_t n)
{
	static struct offload offloads[] = { { "RXCSUM", "on", false } };
	struct condition copy[4];
	struct hazard_rule r = { .id = "x", .when = copy, .n_when = n };
	struct profile *p = profile_of("Linux");
	struct facts f = facts_with(p, "6.12", "net.ipv4.tcp_rmem=4096 131072 33554432;"
	    "net.core.rmem_max=212992;gone=?");

	for (size_t i = 0; i < n; i++) {
		copy[i] = c[i];
		copy[i].below = c[i].below == 0 ? NAN : c[i].below;
		copy[i].above = c[i].above == 0 ? NAN : c[i].above;
	}
	f.hypervisor = "kvm";
	f.mtu = 1400;
	f.cc = "cubic";
	f.privileged = true;
	f.offloads = offloads;
	f.n_offloads = 1;
	add_sources(&f, "/x:1 net.core.rmem_max 5;/x:2 net.core.wmem_max 9");
	return hazards_rule_holds(p, &f, &r);
}

Test(hazards, a_condition_holds_for_what_is_known_only)
{
	static const struct { struct condition c; bool holds; } cases[] = {
		{ { .fact = "hypervisor", .is = "kvm" }, true },
		{ { .fact = "hypervisor", .is = "kv" }, false },
		{ { .fact = "hypervisor", .is_not = "kvm" }, false },
		{ { .fact = "hypervisor", .is_not = "tcg" }, true },
		{ { .fact = "driver", .is = "vtnet" }, false },
		{ { .fact = "driver", .is_not = "vtnet" }, false },
		{ { .fact = "cc", .is = "cubic" }, true },
		{ { .fact = "privileged", .is = "true" }, true },
		{ { .fact = "mtu", .below = 1500 }, true },
		{ { .fact = "mtu", .above = 1400 }, false },
		{ { .fact = "mtu", .is = "1400" }, true },
		{ { .fact = "ram_bytes", .below = 1e18 }, false },
		{ { .knob = "net.ipv4.tcp_rmem", .is = "33554432" }, true },
		{ { .knob = "net.ipv4.tcp_rmem", .above = 33554431 }, true },
		{ { .knob = "net.ipv4.tcp_rmem", .below = 5000 }, false },
		{ { .knob = "net.core.rmem_max", .is = "0212992" }, true },
		{ { .knob = "net.core.wmem_max", .is_not = "1" }, false },
		{ { .knob = "gone", .is_not = "1" }, false },
		{ { .offload = "RXCSUM", .is = "on" }, true },
		{ { .offload = "TXCSUM", .is_not = "on" }, false },
		{ { .key = "net.core.rmem_max" }, true },
		{ { .key = "net.ipv4.tcp_rmem" }, false },
		{ { .key = "net.core.rmem_max", .is = "5" }, true },
		{ { .key = "net.core.rmem_max", .above = 5 }, false },
	};

	for (size_t i = 0; i < NELEM(cases); i++)
		cr_expect_eq(holds(&cases[i].c, 1), cases[i].holds, "case %zu", i);
}

Test(hazards, all_conditions_must_hold)
{
	const struct condition c[] = { { .fact = "hypervisor", .is = "kvm" },
		{ .offload = "RXCSUM", .is = "on" }, { .fact = "mtu", .above = 9000 } };

	cr_expect(holds(c, 2));
	cr_expect_not(holds(c, 3));
}

Test(hazards, rules_follow_the_knobs_and_name_their_first_subject)
{
	struct condition when = { .fact = "driver", .is = "vtnet", .below = NAN, .above = NAN };
	struct hazard_rule rule = { "checksum", { "14.0", NULL, NULL, 0 }, &when, 1,
		"words of the rule, long enough", "s" };
	struct profile *p = profile_of("FreeBSD");
	struct facts f = facts_with(p, "14.2", "net.inet.tcp.recvbuf_auto=0");

	p->hazards = &rule;
	p->n_hazards = 1;
	f.driver = "vtnet";
	cr_expect_str_eq(found(p, &f), "autotuning-off net.inet.tcp.recvbuf_auto;checksum driver;");
	f.release = "13.2";
	cr_expect_str_eq(found(p, &f), "autotuning-off net.inet.tcp.recvbuf_auto;");
}

Test(hazards, profiles_tell_the_harm_of_their_knobs_and_facts)
{
	static const struct { const char *system, *release, *knobs; double denied; const char *found; }
	    cases[] = {
		{ "FreeBSD", "14.2", "net.inet.tcp.rfc1323=1", 0, "" },
		{ "FreeBSD", "14.2", "net.inet.tcp.rfc1323=2", 0, "timestamps-off net.inet.tcp.rfc1323;" },
		{ "FreeBSD", "14.2", "net.inet.tcp.rfc1323=3", 0,
		    "window-scaling-off net.inet.tcp.rfc1323;" },
		{ "FreeBSD", "14.2", "net.inet.tcp.reass.maxqueuelen=4294967295", 0, "" },
		{ "FreeBSD", "14.2", "", 1, "mbufs-denied mbuf_denied;" },
		{ "DragonFly", "6.4", "", 1, "mbufs-denied mbuf_denied;" },
		{ "DragonFly", "6.4", "", NAN, "" },
		{ "Linux", "6.1.0", "net.ipv4.tcp_adv_win_scale=1", NAN, "" },
		{ "Linux", "6.1.0", "net.ipv4.tcp_adv_win_scale=-2", NAN,
		    "window-share net.ipv4.tcp_adv_win_scale;" },
		{ "Linux", "6.6.0", "net.ipv4.tcp_adv_win_scale=-2", NAN, "" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct profile *p = profile_of(cases[i].system);
		struct facts f = facts_with(p, cases[i].release, cases[i].knobs);
		const char *got;

		f.mbuf_denied = cases[i].denied;
		got = found(p, &f);
		cr_expect_str_eq(got, cases[i].found, "case %zu: %s", i, got);
	}
}

Test(hazards, every_profile_s_id_stands_in_docs_decisions)
{
	static const char *const systems[] = { "Linux", "FreeBSD", "NetBSD", "OpenBSD", "DragonFly" };
	static const char *const models[] = { "lethal", "limit-freezes", "limit-useless", "wrapped",
		"below-default", "autotuning-off", "stale-key", "overridden", "drift" };
	struct err e = { 0 };
	const char *page;
	size_t len;

	cr_assert(files_read(arena, TESTS_DIR "/../docs/decisions.md", 1 << 20, &page, &len, &e));
	for (size_t i = 0; i < NELEM(models); i++)
		cr_expect(strstr(page, arena_printf(arena, "| `%s` |", models[i])) != NULL, "%s", models[i]);
	for (size_t s = 0; s < NELEM(systems); s++) {
		struct profile *p = profile_of(systems[s]);

		for (size_t i = 0; i < p->n_hazards; i++)
			cr_expect(strstr(page, arena_printf(arena, "| `%s` |", p->hazards[i].id)) != NULL,
			    "%s of %s", p->hazards[i].id, systems[s]);
	}
}

Test(hazards, the_document_is_the_facts_with_what_was_found)
{
	struct profile *p = profile_of("FreeBSD");
	struct facts_document d = { .facts = facts_with(p, "14.2", "net.inet.tcp.recvbuf_auto=0") }, back;
	const struct record *r = hazards_document(arena);
	struct err e = { 0 };
	struct node *n;
	char *text;

	hazards_find(arena, p, &d.facts, &d.hazards, &d.n_hazards);
	text = record_to_json(arena, r, &d, true);
	cr_assert(node_from_json(arena, "x", text, strlen(text), &n, &e), "%s", e.text);
	record_init(r, &back);
	cr_assert(record_from_node(arena, "x", r, n, &back, &e), "%s", e.text);
	cr_expect_str_eq(back.facts.release, "14.2");
	cr_assert_eq(back.n_hazards, 1);
	cr_expect_str_eq(back.hazards[0].id, "autotuning-off");
}

Test(hazards, the_report_has_a_paragraph_for_each)
{
	struct hazard h[] = { { "drift", "a.b", "/etc/x:3", "words\033[31m of it" },
		{ "tcg", "hypervisor", NULL, "slow" } };

	cr_expect_str_eq(report_hazards(arena, h, 2), "\nknown harm\n  drift: a.b, /etc/x:3\n"
	    "    words?[31m of it\n  tcg: hypervisor\n    slow\n");
	cr_expect_str_eq(report_hazards(arena, NULL, 0), "");
}
