/*
 * What the profiles find in the transcripts: the facts that a look at the transcript tells,
 * and the harm in them.
 */
#include "../../probes/facts.h"
#include "../../probes/host.h"
#include "../../tuner/hazards.h"
#include "../../tuner/match.h"
#include "../../tuner/profile.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct expected {
	const char *fact; /* a member of struct facts, or an offload */
	const char *value;
};

static const struct {
	const char *directory, *sysname;
	const char *hazards; /* ids, each behind a blank */
	struct expected expected[32];
} hosts[] = {
	{ "netbsd-9.3-wm", "NetBSD", " limit-freezes limit-freezes", {
		{ "os", "NetBSD" }, { "release", "9.3" }, { "arch", "x86_64" },
		{ "privileged", "true" }, { "boot_id", "1795312881" }, { "container", "none" },
		{ "hypervisor", "kvm" }, { "ram_bytes", "2130706432" }, { "cpus", "2" },
		{ "page_bytes", "4096" }, { "interface", "wm0" }, { "driver", "wm" },
		{ "parent", "pci0" }, { "bus", "pci0 dev 18 function 0" },
		{ "pci_vendor", "0x8086" }, { "pci_device", "0x100e" }, { "link", "up" },
		{ "link_bps", "1000000000" }, { "mtu", "1500" }, { "mbuf_bytes", "133169152" },
		{ "mbuf_denied", "0" }, { "segments_sent", "184223" },
		{ "segments_retransmitted", "211" }, { "firewall", "npf" }, { "cc", "newreno" },
		{ "TSO4", "off" }, { "TSO6", "off fixed" }, { "TCP4CSUM_Tx", "on" },
		{ "TCP6CSUM_Tx", "off" }, { "TCP6CSUM_Rx", "off fixed" },
		{ "nic_model", "e1000 (82540EM)" },
	} },
	{ "netbsd-10.1-vioif", "NetBSD", " limit-freezes limit-freezes", {
		{ "release", "10.1" }, { "hypervisor", "kvm" }, { "interface", "vioif0" },
		{ "driver", "vioif" }, { "parent", "virtio1" }, { "bus", "pci0 dev 18 function 0" },
		{ "pci_vendor", "0x1af4" }, { "pci_device", "0x1000" }, { "link", "up" },
		{ "link_bps", NULL }, { "firewall", NULL }, { "TSO4", "off fixed" },
		{ "TCP4CSUM_Rx", "off fixed" },
	} },
	{ "netbsd-11.0-vioif-tuned", "NetBSD", " limit-useless limit-useless", {
		{ "release", "11.0" }, { "ram_bytes", "4276092928" }, { "cpus", "4" },
		{ "pci_device", "0x1041" }, { "cc", "cubic" }, { "firewall", "none" },
		{ "mbuf_bytes", "267255808" }, { "segments_retransmitted", "60112" },
	} },
	{ "netbsd-10.1-i386-wm", "NetBSD", " limit-freezes limit-freezes", {
		{ "arch", "i386" }, { "privileged", "false" }, { "hypervisor", "vmware" },
		{ "driver", "wm" }, { "bus", "pci0 dev 3 function 0" }, { "pci_device", "0x10d3" },
		{ "firewall", NULL }, { "segments_retransmitted", "1" }, { "TSO6", "off" },
	} },
	{ "netbsd-10.1-vioif-timestamps-off", "NetBSD",
	    " limit-freezes limit-freezes timestamps-off sack-off mbufs-denied tcg", {
		{ "hypervisor", "tcg" }, { "mbuf_denied", "12" }, { "driver", "vioif" },
	} },
	{ "openbsd-7.4-em", "OpenBSD", "", {
		{ "os", "OpenBSD" }, { "release", "7.4" }, { "arch", "amd64" },
		{ "privileged", "true" }, { "boot_id", "1795312881" }, { "container", "none" },
		{ "hypervisor", "kvm" }, { "ram_bytes", "2130706432" }, { "cpus", "2" },
		{ "page_bytes", "4096" }, { "interface", "em0" }, { "driver", "em" },
		{ "parent", "pci0" }, { "bus", "pci0 dev 18 function 0" },
		{ "pci_vendor", "0x8086" }, { "pci_device", "0x100e" }, { "link", "up" },
		{ "link_bps", "1000000000" }, { "mtu", "1500" }, { "mbuf_bytes", "536870912" },
		{ "mbuf_denied", "0" }, { "segments_sent", "93112" },
		{ "segments_retransmitted", "77" }, { "firewall", "pf" }, { "cc", NULL },
		{ "nic_model", "e1000 (82540EM)" }, { "CSUM_TCPv4", "on fixed" }, { "TSOv4", "off fixed" }, { "LRO", "off fixed" },
	} },
	{ "openbsd-7.6-vio", "OpenBSD", "", {
		{ "release", "7.6" }, { "interface", "vio0" }, { "driver", "vio" },
		{ "parent", "virtio1" }, { "bus", "pci0 dev 18 function 0" },
		{ "pci_vendor", "0x1af4" }, { "pci_device", "0x1000" }, { "link_bps", NULL },
		{ "TSOv4", "on fixed" }, { "LRO", "on" },
	} },
	{ "openbsd-7.8-vmx", "OpenBSD", " rfc1323-off mbufs-denied", {
		{ "release", "7.8" }, { "hypervisor", "vmware" }, { "driver", "vmx" },
		{ "bus", "pci1 dev 0 function 0" }, { "pci_vendor", "0x15ad" },
		{ "pci_device", "0x07b0" }, { "link_bps", "10000000000" }, { "mbuf_denied", "3" },
		{ "TSOv6", "on fixed" }, { "LRO", "off" },
	} },
};

static struct facts
replayed(struct arena *a, size_t i, struct profile **p)
{
	const char *name = arena_printf(a, "replay:%s/transcripts/%s", TESTS_DIR,
	    hosts[i].directory);
	struct err e = { 0 };
	struct facts f;
	struct host *h;

	cr_assert(host_open(a, name, &h, &e), "%s", e.text);
	cr_assert(profile_for(a, hosts[i].sysname, p, &e), "%s", e.text);
	cr_assert(facts_probe(h, a, *p, host_path(h)->peer, false, &f, &e), "%s: %s", name, e.text);
	host_close(h);
	return f;
}

/* An offload's state as text; NULL: it is not known. */
static const char *
offload_text(struct arena *a, const struct facts *f, const char *name)
{
	for (size_t i = 0; i < f->n_offloads; i++) {
		if (strcmp(f->offloads[i].name, name) == 0)
			return arena_printf(a, "%s%s", f->offloads[i].state,
			    f->offloads[i].fixed ? " fixed" : "");
	}
	return NULL;
}

/* A fact as text; NULL: it is not known. */
static const char *
fact_text(struct arena *a, const struct facts *f, const char *name)
{
	const struct field *field = facts_record.fields;
	const char *at = (const char *)f;
	const char *s;
	double x;

	while (field->name != NULL && strcmp(field->name, name) != 0)
		field++;
	if (field->name == NULL)
		return offload_text(a, f, name);
	if (field->type == FIELD_BOOL)
		return *(const bool *)(at + field->offset) ? "true" : "false";
	if (field->type == FIELD_NUMBER) {
		memcpy(&x, at + field->offset, sizeof(x));
		return isnan(x) ? NULL : arena_printf(a, "%.0f", x);
	}
	memcpy(&s, at + field->offset, sizeof(s));
	return s;
}

Test(facts_replay, finds_what_the_host_said)
{
	struct arena *a = arena_new();
	struct profile *p;

	for (size_t i = 0; i < NELEM(hosts); i++) {
		struct facts f = replayed(a, i, &p);

		for (const struct expected *x = hosts[i].expected; x->fact != NULL; x++) {
			const char *found = fact_text(a, &f, x->fact);

			cr_assert(x->value == NULL ? found == NULL :
			    found != NULL && strcmp(found, x->value) == 0,
			    "%s: %s is %s, not %s", hosts[i].directory, x->fact,
			    found == NULL ? "unknown" : found,
			    x->value == NULL ? "unknown" : x->value);
		}
	}
	arena_free(a);
}

Test(facts_replay, asks_nothing_that_was_not_asked_then)
{
	struct arena *a = arena_new();
	struct profile *p;

	for (size_t i = 0; i < NELEM(hosts); i++) {
		struct facts f = replayed(a, i, &p);

		for (size_t j = 0; j < f.n_unknown; j++)
			cr_assert(strstr(f.unknown[j].why, "not asked") == NULL, "%s: %s: %s",
			    hosts[i].directory, f.unknown[j].fact, f.unknown[j].why);
	}
	arena_free(a);
}

Test(facts_replay, every_knob_is_read)
{
	struct arena *a = arena_new();
	struct profile *p;

	for (size_t i = 0; i < NELEM(hosts); i++) {
		struct facts f = replayed(a, i, &p);

		for (size_t j = 0; j < f.n_knobs; j++) {
			cr_assert_not_null(f.knobs[j].text, "%s: %s", hosts[i].directory,
			    f.knobs[j].name);
			cr_assert_eq(f.knobs[j].writable, f.privileged, "%s: %s",
			    hosts[i].directory, f.knobs[j].name);
		}
		cr_assert_gt(f.n_knobs, 0);
	}
	arena_free(a);
}

Test(facts_replay, known_harm_is_found_and_no_other)
{
	struct arena *a = arena_new();
	struct profile *p;

	for (size_t i = 0; i < NELEM(hosts); i++) {
		struct facts f = replayed(a, i, &p);
		struct text ids = { .arena = a };
		struct hazard *h = NULL;
		size_t n = 0;

		hazards_find(a, p, &f, &h, &n);
		text_bytes(&ids, "", 0);
		for (size_t j = 0; j < n; j++)
			text_add(&ids, " %s", h[j].id);
		cr_assert_str_eq(ids.s, hosts[i].hazards, "%s:%s", hosts[i].directory, ids.s);
	}
	arena_free(a);
}

Test(facts_replay, lines_of_files_are_found)
{
	static const struct {
		const char *directory;
		size_t n;
		const char *name, *value;
	} lines[] = {
		{ "netbsd-11.0-vioif-tuned", 3, "net.inet.tcp.sendbuf_max", "16777216" },
		{ "netbsd-10.1-vioif-timestamps-off", 2, "net.inet.tcp.timestamps", "0" },
		{ "netbsd-10.1-vioif", 0, NULL, NULL },
		{ "openbsd-7.8-vmx", 1, "net.inet.tcp.rfc1323", "0" },
		{ "openbsd-7.4-em", 0, NULL, NULL },
	};
	struct arena *a = arena_new();
	struct profile *p;

	for (size_t i = 0; i < NELEM(lines); i++) {
		struct facts f;
		size_t h = 0;

		while (strcmp(hosts[h].directory, lines[i].directory) != 0)
			h++;
		f = replayed(a, h, &p);
		cr_assert_eq(f.n_sources, lines[i].n, "%s: %zu lines", lines[i].directory,
		    f.n_sources);
		if (lines[i].n == 0)
			continue;
		cr_assert_str_eq(f.sources[0].file, "/etc/sysctl.conf");
		cr_assert_str_eq(f.sources[0].name, lines[i].name);
		cr_assert_str_eq(f.sources[0].value, lines[i].value);
	}
	arena_free(a);
}

/* What the profile's rules make of an interface with this media line. */
static double
speed(struct arena *a, const struct profile *p, const char *media)
{
	const struct substitution known[] = { { "interface", "ix0" }, { NULL, NULL } };
	const char *text = arena_printf(a, "lo0: flags=8049<UP,LOOPBACK> mtu 33624\n"
	    "ix0: flags=8843<UP> mtu 1500\n\tindex 1\n\tmedia: Ethernet %s\n\tstatus: active\n"
	    "ix1: flags=8843<UP> mtu 1500\n\tmedia: Ethernet autoselect (10baseT)\n", media);

	for (size_t i = 0; i < p->n_facts; i++) {
		const struct fact_rule *r = &p->facts[i];
		const char *found = strcmp(r->fact, "link_bps") != 0 ? NULL :
		    match_first(a, profile_pattern(a, r->pattern, known), text, strlen(text));

		if (found != NULL)
			return r->unknown != NULL ? NAN : strtod(found, NULL) * r->scale;
	}
	return NAN;
}

Test(facts_replay, the_speed_is_the_media_s_in_use)
{
	static const struct {
		const char *media;
		double bps;
	} lines[] = {
		{ "autoselect (1000baseT full-duplex)", 1e9 },
		{ "autoselect (1000baseT full-duplex,rxpause,txpause)", 1e9 },
		{ "autoselect (10GbaseSR full-duplex)", 1e10 },
		{ "autoselect (2500baseT full-duplex)", 2.5e9 },
		{ "1000baseT (100baseTX full-duplex)", 1e8 },
		{ "100baseTX full-duplex", 1e8 },
		{ "autoselect (2.5GbaseT)", NAN },
		{ "autoselect (none)", NAN },
		{ "autoselect", NAN },
	};
	static const char *const systems[] = { "NetBSD", "OpenBSD" };
	struct arena *a = arena_new();
	struct profile *p;
	struct err e = { 0 };

	for (size_t s = 0; s < NELEM(systems); s++) {
		cr_assert(profile_for(a, systems[s], &p, &e), "%s", e.text);
		for (size_t i = 0; i < NELEM(lines); i++) {
			double bps = speed(a, p, lines[i].media);

			cr_assert(isnan(lines[i].bps) ? isnan(bps) : bps == lines[i].bps,
			    "%s: %s: %g", systems[s], lines[i].media, bps);
		}
	}
	arena_free(a);
}
