/*
 * What the profiles of FreeBSD and DragonFly find on machines that are only known by what they
 * answered (tests/transcripts).
 */
#include <criterion/criterion.h>

#include "probes/facts.h"
#include "probes/files.h"
#include "probes/host.h"
#include "tuner/hazards.h"
#include "tuner/profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct arena *a;
static struct err e;

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ 0 };
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(transcripts, .init = setup, .fini = teardown);

static struct facts
probed(const char *dir, const char *sysname, bool peer)
{
	struct profile *profile;
	struct facts f = { 0 };
	struct host *h;

	cr_assert(profile_for(a, sysname, &profile, &e), "%s", e.text);
	cr_assert(host_open(a, arena_printf(a, "replay:%s", dir), &h, &e), "%s", e.text);
	cr_assert(facts_probe(h, a, profile, peer ? host_path(h)->peer : NULL, false, &f, &e), "%s",
	    e.text);
	host_close(h);
	return f;
}

static const char *
named(const char *name)
{
	return arena_printf(a, TESTS_DIR "/transcripts/%s", name);
}

static const char *
system_of(const char *name)
{
	return strncmp(name, "dragonfly", 9) == 0 ? "DragonFly" : "FreeBSD";
}

/* Names separated by blanks, "-" for none. */
static const char *
listed(const char **names, size_t n)
{
	struct text t = { .arena = a };
	size_t i;

	for (i = 0; i < n; i++)
		text_add(&t, "%s%s", i == 0 ? "" : " ", names[i]);
	return n == 0 ? "-" : t.s;
}

static const char *
why(const struct facts *f, const char *fact)
{
	size_t i;

	for (i = 0; i < f->n_unknown; i++) {
		if (strcmp(f->unknown[i].fact, fact) == 0)
			return f->unknown[i].why;
	}
	return "";
}

#define VIRTIO "virtio-net (transitional)"
#define E1000 "e1000 (82540EM)"

static const struct machine {
	const char *name, *release, *container, *hypervisor, *interface, *driver, *parent, *bus;
	const char *pci_vendor, *pci_device, *nic_model, *link, *firewall;
	double link_bps, mbuf_bytes, mbuf_denied, sent, retransmitted;
} machines[] = {
	{ "freebsd-13.2-vtnet", "13.2-RELEASE-p4", "none", "kvm", "vtnet0", "vtnet", "virtio_pci0",
		"pci0:0:18:0", "0x1af4", "0x1000", VIRTIO, "up", "none", NAN, 261079040, 0, 184220, 1203 },
	{ "freebsd-13.2-wrapped", "13.2-RELEASE", "none", "tcg", "vtnet0", "vtnet", "virtio_pci0",
		"pci0:0:18:0", "0x1af4", "0x1000", VIRTIO, "up", NULL, NAN, 63524864, 412, 25970, 410 },
	{ "freebsd-14.1-jail", "14.1-RELEASE-p6", "vnet jail", "none", "epair0b", "epair", NULL,
		NULL, NULL, NULL, NULL, "up", "none", NAN, 4176220160, 0, 40110, 0 },
	{ "freebsd-14.1-jail-shared", "14.1-RELEASE-p6", "jail", "kvm", "vtnet0", "vtnet",
		"virtio_pci0", NULL, NULL, NULL, NULL, "up", NULL, NAN, 261079040, 0, 70110, 11 },
	{ "freebsd-14.2-em", "14.2-RELEASE-p1", "none", "kvm", "em0", "em", "pci0", "pci0:0:18:0",
		"0x8086", "0x100e", E1000, "up", "none", 1e9, 521625600, 0, 90211, 1 },
	{ "freebsd-14.2-vmx", "14.2-RELEASE", "none", "vmware", "vmx0", "vmx", "pci3",
		"pci0:11:0:0", "0x15ad", "0x07b0", "vmxnet3", "up", "none", NAN, 521625600, 0, 8120443, 161204 },
	{ "freebsd-15.0-vtnet-pf", "15.0-RELEASE", "none", "kvm", "vtnet0", "vtnet", "virtio_pci0",
		"pci0:0:18:0", "0x1af4", "0x1000", VIRTIO, "up", "pf", NAN, 1035038720, 0, 5120443, 61204 },
	{ "dragonfly-6.4-vtnet", "6.4-RELEASE", "none", "kvm", "vtnet0", "vtnet", "virtio_pci0",
		"pci0:0:18:0", "0x1af4", "0x1000", VIRTIO, "up", "none", NAN, 113246208, 0, 30120, 84 },
	{ "dragonfly-6.4-em", "6.4-RELEASE", "none", "tcg", "em0", "em", "pci0", "pci0:0:18:0",
		"0x8086", "0x100e", E1000, "up", "none", 1e9, 113246208, 3, 80120, 910 },
};

static void
same(const char *name, const char *fact, const char *found, const char *expected)
{
	cr_assert(found == expected || (found != NULL && expected != NULL &&
	    strcmp(found, expected) == 0), "%s: %s is %s, not %s", name, fact,
	    found == NULL ? "unknown" : found, expected == NULL ? "unknown" : expected);
}

static void
same_number(const char *name, const char *fact, double found, double expected)
{
	cr_assert(found == expected || (isnan(found) && isnan(expected)), "%s: %s is %g, not %g",
	    name, fact, found, expected);
}

Test(transcripts, facts_are_found_on_every_machine)
{
	const struct machine *m;
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(machines); i++) {
		m = &machines[i];
		f = probed(named(m->name), system_of(m->name), true);
		same(m->name, "os", f.os, system_of(m->name));
		same(m->name, "release", f.release, m->release);
		same(m->name, "container", f.container, m->container);
		same(m->name, "hypervisor", f.hypervisor, m->hypervisor);
		same(m->name, "interface", f.interface, m->interface);
		same(m->name, "driver", f.driver, m->driver);
		same(m->name, "parent", f.parent, m->parent);
		same(m->name, "bus", f.bus, m->bus);
		same(m->name, "pci_vendor", f.pci_vendor, m->pci_vendor);
		same(m->name, "pci_device", f.pci_device, m->pci_device);
		same(m->name, "nic_model", f.nic_model, m->nic_model);
		same(m->name, "link", f.link, m->link);
		same(m->name, "firewall", f.firewall, m->firewall);
		same_number(m->name, "link_bps", f.link_bps, m->link_bps);
		same_number(m->name, "mtu", f.mtu, 1500);
		same_number(m->name, "mbuf_bytes", f.mbuf_bytes, m->mbuf_bytes);
		same_number(m->name, "mbuf_denied", f.mbuf_denied, m->mbuf_denied);
		same_number(m->name, "segments_sent", f.segments_sent, m->sent);
		same_number(m->name, "segments_retransmitted", f.segments_retransmitted,
		    m->retransmitted);
		cr_assert_not_null(f.boot_id, "%s", m->name);
		cr_assert_not_null(f.arch, "%s", m->name);
		cr_assert(f.ram_bytes > 0 && f.cpus > 0 && f.page_bytes == 4096, "%s", m->name);
	}
}

/* A question that nobody answers is unknown for a reason that says nothing about the machine. */
Test(transcripts, every_question_of_the_profiles_is_answered)
{
	struct facts f;
	size_t i, k;
	int peer;

	for (i = 0; i < NELEM(machines); i++) {
		for (peer = 0; peer < 2; peer++) {
			f = probed(named(machines[i].name), system_of(machines[i].name), peer != 0);
			same(machines[i].name, "interface", f.interface, machines[i].interface);
			for (k = 0; k < f.n_unknown; k++)
				cr_assert(strstr(f.unknown[k].why, "not asked") == NULL,
				    "%s: %s: %s", machines[i].name, f.unknown[k].fact,
				    f.unknown[k].why);
		}
	}
}

static const struct choices {
	const char *name, *cc, *available, *loadable, *modules;
	const char *stack, *stacks, *stacks_loadable;
} choices[] = {
	{ "freebsd-13.2-vtnet", "newreno", "newreno htcp", "cubic", "htcp", "freebsd", "freebsd",
		"-" },
	{ "freebsd-13.2-wrapped", "newreno", "newreno", "cubic htcp", "-", "freebsd", "freebsd",
		"-" },
	{ "freebsd-14.1-jail", "cubic", "cubic newreno", "-", "-", "freebsd", "freebsd", "-" },
	{ "freebsd-14.2-em", "cubic", "cubic newreno", "htcp", "-", "freebsd", "freebsd",
		"rack bbr" },
	{ "freebsd-14.2-vmx", "htcp", "cubic htcp newreno", "-", "htcp", "bbr", "freebsd bbr",
		"rack" },
	{ "dragonfly-6.4-em", NULL, "-", "-", "-", NULL, "-", "-" },
};

Test(transcripts, congestion_controls_and_stacks_are_read_in_both_formats)
{
	const struct choices *c;
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(choices); i++) {
		c = &choices[i];
		f = probed(named(c->name), system_of(c->name), true);
		same(c->name, "cc", f.cc, c->cc);
		same(c->name, "cc_available", listed(f.cc_available, f.n_cc_available),
		    c->available);
		same(c->name, "cc_loadable", listed(f.cc_loadable, f.n_cc_loadable), c->loadable);
		same(c->name, "cc_modules", listed(f.cc_modules, f.n_cc_modules), c->modules);
		same(c->name, "stack", f.stack, c->stack);
		same(c->name, "stacks_available", listed(f.stacks_available, f.n_stacks_available),
		    c->stacks);
		same(c->name, "stacks_loadable", listed(f.stacks_loadable, f.n_stacks_loadable),
		    c->stacks_loadable);
	}
}

Test(transcripts, a_missing_stack_says_what_kernel_it_takes)
{
	struct facts f = probed(named("freebsd-13.2-vtnet"), "FreeBSD", true);

	cr_assert_not_null(strstr(why(&f, "stacks_loadable"), "rack, bbr: "));
	cr_assert_not_null(strstr(why(&f, "stacks_loadable"), "TCPHPTS"));
	f = probed(named("freebsd-14.2-em"), "FreeBSD", true);
	cr_assert_str_eq(why(&f, "stacks_loadable"), "");
}

Test(transcripts, dragonfly_has_nothing_to_choose)
{
	struct facts f = probed(named("dragonfly-6.4-vtnet"), "DragonFly", true);

	cr_assert_not_null(f.cc_fixed);
	cr_assert_str_eq(why(&f, "cc_available"), "");
}

static const struct may {
	const char *name, *knob;
	bool writable;
} may[] = {
	{ "freebsd-14.2-em", "kern.ipc.maxsockbuf", true },
	{ "freebsd-14.1-jail", "kern.ipc.maxsockbuf", false },
	{ "freebsd-14.1-jail", "net.inet.tcp.sendbuf_max", true },
	{ "freebsd-14.1-jail", "net.inet.tcp.functions_default", true },
	{ "freebsd-14.1-jail", "net.inet.tcp.reass.maxqueuelen", false },
	{ "freebsd-14.1-jail-shared", "kern.ipc.maxsockbuf", false },
	{ "freebsd-14.1-jail-shared", "net.inet.tcp.sendbuf_max", false },
	{ "freebsd-13.2-wrapped", "net.inet.tcp.recvbuf_max", false },
	{ "dragonfly-6.4-vtnet", "net.inet.tcp.recvbuf_max", true },
};

Test(transcripts, a_jail_may_set_what_is_its_own)
{
	const struct knob_fact *k;
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(may); i++) {
		f = probed(named(may[i].name), system_of(may[i].name), true);
		k = facts_knob(&f, may[i].knob);
		cr_assert_not_null(k);
		cr_assert_eq(k->writable, may[i].writable, "%s: %s", may[i].name, may[i].knob);
	}
}

Test(transcripts, a_wrapped_value_is_read_as_it_is)
{
	struct facts f = probed(named("freebsd-13.2-wrapped"), "FreeBSD", true);
	const struct knob_fact *k = facts_knob(&f, "net.inet.tcp.sendbuf_max");

	cr_assert_not_null(k);
	cr_assert_str_eq(k->text, "-2147483648");
}

static const struct {
	const char *name, *offload, *state;
	bool fixed;
} offloads[] = {
	{ "freebsd-15.0-vtnet-pf", "RXCSUM", "on", false },
	{ "freebsd-15.0-vtnet-pf", "LRO", "off", false },
	{ "freebsd-14.2-em", "TSO4", "on", false },
	{ "freebsd-14.2-em", "TSO6", "off", true },
	{ "freebsd-14.1-jail", "TSO4", "off", true },
	{ "freebsd-13.2-wrapped", "TXCSUM", "off", false },
	{ "dragonfly-6.4-vtnet", "TXCSUM", "off", false },
	{ "dragonfly-6.4-vtnet", "TSO", "off", true },
	{ "dragonfly-6.4-em", "RXCSUM", "on", false },
};

Test(transcripts, offloads_are_those_of_the_interface)
{
	struct facts f;
	size_t i, k;

	for (i = 0; i < NELEM(offloads); i++) {
		f = probed(named(offloads[i].name), system_of(offloads[i].name), true);
		for (k = 0; k < f.n_offloads; k++) {
			if (strcmp(f.offloads[k].name, offloads[i].offload) == 0)
				break;
		}
		cr_assert_lt(k, f.n_offloads, "%s: %s", offloads[i].name, offloads[i].offload);
		same(offloads[i].name, offloads[i].offload, f.offloads[k].state,
		    offloads[i].state);
		cr_assert_eq(f.offloads[k].fixed, offloads[i].fixed, "%s: %s", offloads[i].name,
		    offloads[i].offload);
	}
}

Test(transcripts, lines_that_set_knobs_are_found_with_their_place)
{
	struct facts f = probed(named("freebsd-15.0-vtnet-pf"), "FreeBSD", true);
	const struct source_line *last;

	cr_assert_eq(f.n_sources, 8);
	last = &f.sources[7];
	cr_assert_str_eq(last->file, "/etc/sysctl.conf.local");
	cr_assert_eq(last->line, 6);
	cr_assert_str_eq(last->name, "kern.ipc.maxsockbuf");
	cr_assert_str_eq(last->value, "16777216");
	cr_assert_str_eq(f.sources[3].name, "net.inet.tcp.recvbuf_inc");
}

static const struct {
	const char *name, *ids;
} harm[] = {
	{ "freebsd-13.2-vtnet", "limit-freezes limit-freezes" },
	{ "freebsd-13.2-wrapped", "wrapped drift limit-freezes rfc1323-off sack-off mbufs-denied tcg" },
	{ "freebsd-14.1-jail", "limit-freezes limit-freezes" },
	{ "freebsd-14.2-vmx", "lro-forwarding" },
	{ "freebsd-15.0-vtnet-pf",
		"overridden limit-freezes limit-freezes stale-key checksum-pf-vtnet" },
	{ "dragonfly-6.4-vtnet", "inflight-limiter" },
	{ "dragonfly-6.4-em", "sack-off mbufs-denied tcg" },
};

static const char *
hazards_of(const char *sysname, const struct facts *f)
{
	struct text t = { .arena = a };
	struct profile *profile;
	struct hazard *found;
	size_t i, n;

	cr_assert(profile_for(a, sysname, &profile, &e), "%s", e.text);
	hazards_find(a, profile, f, &found, &n);
	for (i = 0; i < n; i++)
		text_add(&t, "%s%s", i == 0 ? "" : " ", found[i].id);
	return n == 0 ? "-" : t.s;
}

Test(transcripts, known_harm_is_found_and_no_other)
{
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(harm); i++) {
		f = probed(named(harm[i].name), system_of(harm[i].name), true);
		same(harm[i].name, "harm", hazards_of(system_of(harm[i].name), &f), harm[i].ids);
	}
}

/* A transcript with every from replaced by to, in a directory of its own. */
static char *
changed(const char *name, const char *from, const char *to)
{
	static char dir[] = "/tmp/pathtune-test-XXXXXX";
	struct text t = { .arena = a };
	const char *s, *at, *file = arena_printf(a, "%s/transcript", named(name));
	size_t len;

	cr_assert(files_read(a, file, 1 << 20, &s, &len, &e), "%s", e.text);
	for (; (at = strstr(s, from)) != NULL; s = at + strlen(from)) {
		text_bytes(&t, s, (size_t)(at - s));
		text_add(&t, "%s", to);
	}
	text_add(&t, "%s", s);
	cr_assert_not_null(mkdtemp(dir));
	cr_assert(files_write(arena_printf(a, "%s/transcript", dir), t.s, t.len, 0600, &e), "%s",
	    e.text);
	return dir;
}

static struct facts
probed_once(char *dir)
{
	struct facts f = probed(dir, "FreeBSD", true);

	unlink(arena_printf(a, "%s/transcript", dir));
	rmdir(dir);
	return f;
}

Test(transcripts, a_renamed_interface_has_no_driver_rather_than_a_wrong_one)
{
	char *dir = changed("freebsd-14.2-em", "interface: em0", "interface: wan0");
	struct facts f = probed_once(dir);

	cr_assert_str_eq(f.interface, "wan0");
	cr_assert_null(f.driver);
	cr_assert_null(f.bus);
	cr_assert(isnan(f.mtu));
}

Test(transcripts, half_of_the_checksum_offload_is_harm_too)
{
	char *dir = changed("freebsd-15.0-vtnet-pf", "<RXCSUM,TXCSUM,", "<TXCSUM,");
	struct facts f = probed_once(dir);

	cr_assert_not_null(strstr(hazards_of("FreeBSD", &f), "checksum-pf-vtnet"));
}

Test(transcripts, a_nic_that_no_list_knows_is_called_what_the_system_calls_it)
{
	char *dir = changed("freebsd-14.2-em", "device=0x100e", "device=0xfffe");
	struct facts f = probed_once(dir);

	cr_assert_str_eq(f.nic_model, "82540EM Gigabit Ethernet Controller");
}

Test(transcripts, a_peer_that_is_this_host_has_no_interface)
{
	char *dir = changed("freebsd-14.2-em", "interface: em0", "interface: lo0");
	struct facts f = probed_once(dir);

	cr_assert_null(f.interface);
	cr_assert_str_eq(why(&f, "interface"), "the peer is this host (loopback)");
}

Test(transcripts, a_cable_that_is_out_is_a_link_that_is_down)
{
	char *dir = changed("freebsd-14.2-em", "status: active", "status: no carrier");
	struct facts f = probed_once(dir);

	cr_assert_str_eq(f.link, "down");
}
