#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "canned.h"
#include "tuner/profile.h"

#define SYSCTL "/proc/sys/net/ipv4/"

/* A KVM guest with virtio_net, Linux 6.18, as recorded. */
static const struct canned virtio[] = {
	{ "/proc/sys/kernel/ostype", 0, "Linux\n" },
	{ "/proc/sys/kernel/osrelease", 0, "6.18.44-fc\n" },
	{ "/proc/sys/kernel/arch", 0, "x86_64\n" },
	{ "/proc/self/status", 0, "Name:\tcat\nCapPrm:\t0000000000000000\n"
	    "CapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n" },
	{ "/proc/sys/kernel/random/boot_id", 0, "ea79a82b-57bb-4bae-8b36-853023064bc0\n" },
	{ "readlink /proc/self/ns/net", 0, "net:[4026531833]\n" },
	{ "/proc/meminfo", 0, "MemTotal:       24684092 kB\nMemFree:        24000000 kB\n" },
	{ "getconf _NPROCESSORS_ONLN", 0, "2\n" },
	{ "/proc/self/smaps", 0, "7f00-7f01 r--p 0 0 0 /x\nSize: 4 kB\nKernelPageSize:        4 kB\n" },
	{ SYSCTL "tcp_mem", 0, "287901\t383868\t575802\n" },
	{ "systemd-detect-virt -v", 0, "kvm\n" },
	{ "systemd-detect-virt -c", 1, "none\n" },
	{ "/proc/net/snmp", 0, "Ip: Forwarding DefaultTTL\nIp: 1 64\n"
	    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets"
	    " CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"
	    "Tcp: 1 200 120000 -1 28084 27772 104 30150 0 29514056 29508189 0 0 19713 0\n" },
	{ "/proc/net/route", 0,
	    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT   \n"
	    "wg0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0   \n"
	    "ens18\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0   \n"
	    "ens18\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0   \n" },
	{ "ethtool -i ens18", 0, "driver: virtio_net\nversion: 1.0.0\nfirmware-version: \n"
	    "expansion-rom-version: \nbus-info: 0000:00:12.0\nsupports-statistics: yes\n" },
	{ "/sys/bus/pci/devices/0000:00:12.0/vendor", 0, "0x1af4\n" },
	{ "/sys/bus/pci/devices/0000:00:12.0/device", 0, "0x1041\n" },
	{ "/sys/class/net/ens18/speed", 0, "-1\n" },
	{ "/sys/class/net/ens18/address", 0, "02:00:00:00:00:01\n" },
	{ "/sys/class/dmi/id/sys_vendor", 0, "Somebody\n" },
	{ "ip -j link show dev ens18", 0, "[{\"ifindex\":2,\"ifname\":\"ens18\",\"mtu\":1400,"
	    "\"operstate\":\"UP\"}]\n" },
	{ "tc qdisc show dev ens18", 0, "qdisc mq 0: root \nqdisc fq_codel 0: parent :1 limit 10240p\n" },
	{ "ethtool -k ens18", 0, "Features for ens18:\nrx-checksumming: on [fixed]\n"
	    "tx-checksumming: on\n\ttx-checksum-ipv4: off [fixed]\ntcp-segmentation-offload: on\n"
	    "\ttx-tcp-segmentation: on\n\ttx-tcp6-segmentation: off\ngeneric-segmentation-offload: off [requested on]\n"
	    "generic-receive-offload: on\nlarge-receive-offload: off [fixed]\n" },
	{ "/proc/sys/net/core/rmem_max", 0, "212992\n" },
	{ "/proc/sys/net/core/wmem_max", 0, "212992\n" },
	{ SYSCTL "tcp_rmem", 0, "4096\t131072\t33554432\n" },
	{ SYSCTL "tcp_wmem", 0, "4096\t16384\t4194304\n" },
	{ SYSCTL "tcp_moderate_rcvbuf", 0, "1\n" },
	{ SYSCTL "tcp_timestamps", 0, "1\n" },
	{ SYSCTL "tcp_sack", 0, "1\n" },
	{ SYSCTL "tcp_window_scaling", 0, "0\n" },
	{ SYSCTL "tcp_congestion_control", 0, "cubic\n" },
	{ SYSCTL "tcp_available_congestion_control", 0, "reno cubic htcp\n" },
	{ SYSCTL "tcp_allowed_congestion_control", 0, "reno cubic\n" },
	{ "/proc/modules", 0, "tcp_htcp 16384 0 - Live 0x0\nxtcp_cubic 1 0 - Live 0x0\n" },
	{ "modprobe -n -q tcp_bbr", 0, "" },
	{ "grep -rns = /etc/sysctl.d /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d "
	    "/lib/sysctl.d /etc/sysctl.conf", 2, "/etc/sysctl.d/90-x.conf:3:net.ipv4.tcp_rmem=1 2 3\n"
	    /* None of these is read at boot. */
	    "/etc/sysctl.d/99-x.conf.bak:3:net.ipv4.tcp_rmem=4 5 6\n"
	    "/etc/sysctl.d/old/99-x.conf:3:net.ipv4.tcp_rmem=4 5 6\n"
	    "/etc/sysctl.d/README:3:net.ipv4.tcp_rmem=4 5 6\n"
	    "/etc/sysctl.d/conf:3:net.ipv4.tcp_rmem=4 5 6\n" },
	{ "test -w /proc/sys/net/core/rmem_max", 1, "" },
	{ "test -w /proc/sys/net/core/wmem_max", 1, "" },
	{ "test -w " SYSCTL "tcp_rmem", 0, "" },
	{ "test -w " SYSCTL "tcp_wmem", 0, "" },
	{ "test -w " SYSCTL "tcp_congestion_control", 0, "" },
	{ NULL, 0, NULL },
};

/* What is different with an emulated e1000 and nothing but the kernel's files. */
static const struct canned e1000[] = {
	{ "readlink /proc/self/ns/net", -1, "" },
	{ "getconf _NPROCESSORS_ONLN", -1, "" },
	{ "systemd-detect-virt -v", -1, "" },
	{ "/sys/class/dmi/id/product_name", 0, "Standard PC (i440FX + PIIX, 1996)\n" },
	{ "/sys/class/dmi/id/sys_vendor", 0, "QEMU\n" },
	{ "ethtool -i ens18", -1, "" },
	{ "ethtool -k ens18", -1, "" },
	{ "ip -j link show dev ens18", -1, "" },
	{ "/sys/class/net/ens18/device/uevent", 0, "DRIVER=e1000\nPCI_CLASS=20000\n"
	    "PCI_ID=8086:100E\nPCI_SLOT_NAME=0000:00:03.0\n" },
	{ "/sys/class/net/ens18/device/../uevent", 0, "PCI_SLOT_NAME=0000:99:99.9\n" },
	{ "/sys/bus/pci/devices/0000:00:03.0/vendor", 0, "0x8086\n" },
	{ "/sys/bus/pci/devices/0000:00:03.0/device", 0, "0x100e\n" },
	{ "/sys/class/net/ens18/speed", 0, "1000\n" },
	{ "/sys/class/net/ens18/mtu", 0, "1500\n" },
	{ "modprobe -n -q tcp_bbr", -1, "" },
	{ NULL, 0, NULL },
};

static struct arena *arena;
static struct profile *profile;

static void
setup(void)
{
	struct err e = { 0 };

	arena = arena_new();
	cr_assert(profile_for(arena, "Linux", &profile, &e), "%s", e.text);
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(facts, .init = setup, .fini = teardown);

static struct host
probe(const struct canned *changed, const char *peer, struct facts *f)
{
	struct host h = { .answers = virtio, .changed = changed };
	struct err e = { 0 };

	cr_assert(facts_probe(&h, arena, profile, peer, false, f, &e), "%s", e.text);
	return h;
}

Test(facts, of_a_virtio_guest)
{
	struct facts f;

	probe(NULL, NULL, &f);
	cr_expect_str_eq(f.os, "Linux");
	cr_expect_str_eq(f.release, "6.18.44-fc");
	cr_expect_str_eq(f.arch, "x86_64");
	cr_expect(f.privileged);
	cr_expect_str_eq(f.boot_id, "ea79a82b-57bb-4bae-8b36-853023064bc0");
	cr_expect_str_eq(f.scope_id, "4026531833");
	cr_expect_str_eq(f.hypervisor, "kvm");
	cr_expect_eq(f.ram_bytes, 24684092.0 * 1024);
	cr_expect_eq(f.cpus, 2);
	cr_expect_eq(f.page_bytes, 4096);
	cr_expect_eq(f.tcp_mem_pages, 383868);
	cr_expect_str_eq(f.interface, "ens18");
	cr_expect_str_eq(f.driver, "virtio_net");
	cr_expect_str_eq(f.mac, "02:00:00:00:00:01");
	cr_expect_str_eq(f.vendor, "Somebody");
	cr_expect_str_eq(f.pci_vendor, "0x1af4");
	cr_expect_str_eq(f.pci_device, "0x1041");
	cr_expect_str_eq(f.nic_model, "virtio-net");
	cr_expect_str_eq(f.container, "none");
	cr_expect_str_eq(f.link, "up");
	cr_expect_eq(f.segments_sent, 29508189);
	cr_expect_eq(f.segments_retransmitted, 0);
	cr_expect_eq(f.mtu, 1400);
	cr_assert_eq(f.n_sources, 1);
	cr_expect_str_eq(f.sources[0].file, "/etc/sysctl.d/90-x.conf");
	cr_expect_eq(f.sources[0].line, 3);
	cr_expect_str_eq(f.sources[0].name, "net.ipv4.tcp_rmem");
	cr_expect_str_eq(f.sources[0].value, "1 2 3");
	cr_expect(isnan(f.link_bps) && isnan(f.rtt_ms) && isnan(f.send_bps));
	cr_expect_eq(f.n_unknown, 2);
	cr_expect_not_null(why_unknown(&f, "names"), "nobody looked at its files");
	cr_expect_str_eq(why_unknown(&f, "link_bps"), "the driver does not say");
}

Test(facts, offloads_keep_the_order_of_the_profile_and_what_is_fixed)
{
	static const struct offload expected[] = {
		{ "tcp-segmentation-offload", "on", false },
		{ "generic-segmentation-offload", "off", false },
		{ "generic-receive-offload", "on", false },
		{ "large-receive-offload", "off", true },
		{ "rx-checksumming", "on", true },
		{ "tx-checksumming", "on", false },
		{ "tx-tcp-segmentation", "on", false },
		{ "tx-tcp6-segmentation", "off", false },
	};
	struct facts f;
	size_t i;

	probe(NULL, NULL, &f);
	cr_assert_eq(f.n_offloads, NELEM(expected));
	for (i = 0; i < NELEM(expected); i++) {
		cr_expect_str_eq(f.offloads[i].name, expected[i].name);
		cr_expect_str_eq(f.offloads[i].state, expected[i].state);
		cr_expect_eq(f.offloads[i].fixed, expected[i].fixed, "%s", expected[i].name);
	}
}

/* What somebody configured could not be brought back by its name. */
Test(facts, a_qdisc_is_known_by_its_name_only_where_it_is_as_it_comes)
{
	static const struct { const char *says, *qdisc, *why; } cases[] = {
		{ "qdisc pfifo_fast 0: root refcnt 2 bands 3 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1\n",
		    "pfifo_fast", NULL },
		{ "qdisc fq_codel 0: root refcnt 2 limit 10240p flows 1024 quantum 1514 target 5ms "
		    "interval 100ms memory_limit 32Mb ecn drop_batch 64 \n", "fq_codel", NULL },
		{ "qdisc fq_codel 8001: root refcnt 2 limit 500p flows 1024 quantum 1514 target 5ms "
		    "interval 100ms memory_limit 32Mb ecn drop_batch 64 \n", NULL,
		    "somebody gave fq_codel parameters of its own" },
		{ "qdisc clsact ffff: parent ffff:fff1 \nqdisc noqueue 0: root refcnt 2 \n",
		    "noqueue", NULL },
		{ "qdisc noop state DOWN\n", NULL, "tc qdisc show dev {interface} does not say" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct canned said[] = { { "tc qdisc show dev ens18", 0, cases[i].says },
			{ NULL, 0, NULL } };
		struct facts f;

		probe(said, NULL, &f);
		cr_expect(cases[i].qdisc == NULL ? f.qdisc == NULL : f.qdisc != NULL &&
		    strcmp(f.qdisc, cases[i].qdisc) == 0, "case %zu: %s", i, f.qdisc);
		cr_expect_str_eq(why_unknown(&f, "qdisc"), cases[i].why == NULL ? "(known)" :
		    cases[i].why, "case %zu", i);
	}
}

Test(facts, knobs_say_whether_they_can_be_set_and_why_not)
{
	static const struct canned user[] = {
		{ "/proc/self/status", 0, "CapEff:\t0000000000000000\n" },
		{ "test -w " SYSCTL "tcp_rmem", 1, "" },
		{ NULL, 0, NULL },
	};
	struct facts f;

	probe(NULL, NULL, &f);
	cr_assert_eq(f.n_knobs, 9);
	cr_expect_str_eq(knob(&f, "net.ipv4.tcp_rmem")->text, "4096 131072 33554432");
	cr_expect_eq(knob(&f, "net.ipv4.tcp_rmem")->now, 33554432);
	cr_expect_eq(knob(&f, "net.ipv4.tcp_rmem")->max, 2147483647);
	cr_expect(knob(&f, "net.ipv4.tcp_rmem")->writable);
	cr_expect_null(knob(&f, "net.ipv4.tcp_rmem")->why);
	cr_expect(isnan(knob(&f, "net.ipv4.tcp_congestion_control")->now));
	cr_expect_not(knob(&f, "net.core.rmem_max")->writable);
	cr_expect_str_eq(knob(&f, "net.core.rmem_max")->why,
	    "read-only here (container or namespace)");
	probe(user, NULL, &f);
	cr_expect_not(f.privileged);
	cr_expect_str_eq(knob(&f, "net.ipv4.tcp_rmem")->why, "needs root");
	cr_expect_eq(f.n_unknown, 2, "not privileged is not unknown");
}

Test(facts, congestion_controls_there_allowed_loadable_and_from_modules)
{
	struct facts f;

	probe(NULL, NULL, &f);
	cr_expect_str_eq(f.cc, "cubic");
	cr_expect_eq(f.n_cc_available, 3);
	cr_expect_eq(f.n_cc_allowed, 2);
	cr_assert_eq(f.n_cc_loadable, 1);
	cr_expect_str_eq(f.cc_loadable[0], "bbr");
	cr_assert_eq(f.n_cc_modules, 1);
	cr_expect_str_eq(f.cc_modules[0], "htcp");
}

Test(facts, without_tools_come_from_files_or_are_unknown_with_the_reason)
{
	struct facts f;

	probe(e1000, NULL, &f);
	cr_expect_str_eq(f.driver, "e1000");
	cr_expect_str_eq(f.bus, "0000:00:03.0");
	cr_expect_str_eq(f.pci_device, "0x100e");
	cr_expect_eq(f.link_bps, 1e9);
	cr_expect_eq(f.mtu, 1500);
	cr_expect_str_eq(f.hypervisor, "kvm or tcg");
	cr_expect(isnan(f.cpus));
	cr_expect_str_eq(why_unknown(&f, "cpus"), "getconf _NPROCESSORS_ONLN: no");
	cr_expect_str_eq(why_unknown(&f, "scope_id"), "readlink /proc/self/ns/net: no");
	cr_expect_str_eq(why_unknown(&f, "tcp-segmentation-offload"), "ethtool -k ens18: no");
	cr_expect_str_eq(why_unknown(&f, "cc_loadable"), "modprobe -n -q tcp_bbr: no");
}

Test(facts, the_hypervisor_is_told_by_the_first_that_knows)
{
	static const struct { const char *question; int status; const char *text; const char *name; }
	cases[] = {
		{ "systemd-detect-virt -v", 1, "none\n", "none" },
		{ "systemd-detect-virt -v", 0, "qemu\n", "tcg" },
		{ "/sys/class/dmi/id/product_name", 0, "VMware7,1\n", "vmware" },
		{ "/sys/class/dmi/id/product_name", 0, "Virtual Machine\n", "microsoft" },
		{ "/sys/class/dmi/id/product_name", 0, "Surface Pro\n", NULL },
		{ "/sys/class/dmi/id/sys_vendor", 0, "QEMU\n", "kvm or tcg" },
		{ "/proc/cpuinfo", 0, "processor\t: 0\nflags\t\t: fpu hypervisor lm\n",
		    "unknown hypervisor" },
		{ "/proc/cpuinfo", 0, "processor\t: 0\nflags\t\t: fpu lm\n", "none" },
		{ "/proc/cpuinfo", 0, "processor\t: 0\nFeatures\t: fp asimd\n", NULL },
	};
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		struct canned changed[] = {
			{ cases[i].question, cases[i].status, cases[i].text },
			{ "systemd-detect-virt -v", -1, "" }, { NULL, 0, NULL },
		};

		probe(changed, NULL, &f);
		cr_expect(cases[i].name == NULL ? f.hypervisor == NULL :
		    f.hypervisor != NULL && strcmp(f.hypervisor, cases[i].name) == 0,
		    "case %zu: %s", i, f.hypervisor);
	}
}

Test(facts, a_container_is_told_by_the_first_that_knows)
{
	static const struct { const char *question, *text, *name; } cases[] = {
		{ "systemd-detect-virt -c", "docker\n", "docker" },
		{ "/run/systemd/container", "lxc\n", "lxc" }, { "/run/.containerenv", "", "podman" },
		{ "/.dockerenv", "", "docker" },
		{ "/proc/1/cgroup", "1:cpu:/docker/0123\n0::/\n", "docker" },
		{ "/proc/1/cgroup", "0::/init.scope\n", NULL },
		{ "/run/systemd/container", "\x1b[31m\n", NULL },
	};
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		struct canned changed[] = { { cases[i].question, 0, cases[i].text },
			{ "systemd-detect-virt -c", -1, "" }, { NULL, 0, NULL } };

		probe(changed, NULL, &f);
		cr_expect(cases[i].name == NULL ? f.container == NULL :
		    f.container != NULL && strcmp(f.container, cases[i].name) == 0, "case %zu: %s", i,
		    f.container);
	}
}

Test(facts, the_link_is_up_down_or_not_known)
{
	static const struct { const char *state, *link, *why; } cases[] = {
		{ "UP", "up", "(known)" }, { "DOWN", "down", "(known)" },
		{ "LOWERLAYERDOWN", "down", "(known)" }, { "UNKNOWN", NULL, "the driver does not say" },
		{ "UPSIDEDOWN", NULL, "/sys/class/net/ens18/operstate: no" },
	};
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		struct canned changed[] = { { "ip -j link show dev ens18", 0, arena_printf(arena,
		    "[{\"mtu\":1400,\"operstate\":\"%s\"}]", cases[i].state) }, { NULL, 0, NULL } };

		probe(changed, NULL, &f);
		cr_expect(cases[i].link == NULL ? f.link == NULL :
		    f.link != NULL && strcmp(f.link, cases[i].link) == 0, "case %zu: %s", i, f.link);
		cr_expect_str_eq(why_unknown(&f, "link"), cases[i].why, "case %zu: %s", i,
		    why_unknown(&f, "link"));
	}
}

Test(facts, a_bond_has_the_speed_of_its_links_and_a_veth_has_none)
{
	struct canned changed[] = { { "ethtool -i ens18", 0, "driver: bonding\n" },
		{ "/sys/class/net/ens18/speed", 0, "20000\n" }, { NULL, 0, NULL } };
	struct facts f;

	probe(changed, NULL, &f);
	cr_expect_eq(f.link_bps, 2e10);
	cr_expect_str_eq(why_unknown(&f, "bus"), "a virtual interface has no hardware");
	changed[0].text = "driver: veth\n";
	probe(changed, NULL, &f);
	cr_expect(isnan(f.link_bps));
	cr_expect_str_eq(why_unknown(&f, "link_bps"), "a virtual interface has no speed of its own");
}

Test(facts, counters_are_those_that_the_header_names_or_unknown)
{
	static const char *const bad[] = { "", "Tcp: 1 2 3\n", "Tcp: A B\nTcp: 1 2\n",
		"Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets"
		" CurrEstab InSegs Novelty OutSegs RetransSegs X\nTcp: 1 2 3 4 5 6 7 8 9 10 11 12 13 14\n",
		"Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets"
		" CurrEstab InSegs OutSegs RetransSegs X\nTcp: 1 2 3 4 5 6 7 8 9 10 x y z\n" };
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(bad); i++) {
		struct canned changed[] = { { "/proc/net/snmp", 0, bad[i] }, { NULL, 0, NULL } };

		probe(changed, NULL, &f);
		cr_expect(isnan(f.segments_sent) && isnan(f.segments_retransmitted), "case %zu", i);
		cr_expect_str_eq(why_unknown(&f, "segments_sent"), "/proc/net/snmp does not say");
	}
}

Test(facts, the_interface_is_the_one_towards_the_peer)
{
	static const struct { const char *question; const char *text; const char *interface;
		const char *why; } cases[] = {
		{ "ip -j route get 203.0.113.10", "[{\"dst\":\"203.0.113.10\",\"gateway\":\"192.0.2.1\","
		    "\"dev\":\"ens18\",\"prefsrc\":\"192.0.2.15\",\"flags\":[],\"uid\":0,\"cache\":[]}]\n",
		    "ens18", "(known)" },
		{ "ip -j route get 203.0.113.10", "[{\"type\":\"local\",\"dst\":\"203.0.113.10\","
		    "\"dev\":\"lo\"}]\n", NULL, "the peer is this host (loopback)" },
		{ "ip route get 203.0.113.10", "203.0.113.10 via 192.0.2.1 dev ens18 src 192.0.2.15 uid 0"
		    " \\    cache \n", "ens18", "(known)" },
		{ "ip route get 203.0.113.10", "local 203.0.113.10 dev lo src 203.0.113.10\n", NULL,
		    "the peer is this host (loopback)" },
		{ "ip route get 203.0.113.10", "", NULL, "ip: not found" },
	};
	struct facts f;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		struct canned changed[] = { { cases[i].question, 0, cases[i].text }, { NULL, 0, NULL } };

		probe(changed, "203.0.113.10", &f);
		cr_expect(cases[i].interface == NULL ? f.interface == NULL :
		    f.interface != NULL && strcmp(f.interface, cases[i].interface) == 0, "case %zu: %s",
		    i, f.interface);
		cr_expect_str_eq(why_unknown(&f, "interface"), cases[i].why, "case %zu: %s", i,
		    why_unknown(&f, "interface"));
		cr_expect_str_eq(why_unknown(&f, "mtu"), cases[i].interface == NULL ?
		    "interface is not known" : "(known)");
	}
}

Test(facts, without_an_ipv4_default_route_ipv6_tells)
{
	static const struct canned changed[] = {
		{ "/proc/net/route", 0, "Iface\tDestination\n" },
		{ "/proc/net/ipv6_route", 0,
		    "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		    "00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n"
		    "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		    "fe800000000000000000000000000001 00000400 00000001 00000000 00450003    ens18\n" },
		{ NULL, 0, NULL },
	};
	struct facts f;

	probe(changed, NULL, &f);
	cr_expect_str_eq(f.interface, "ens18");
}

/* Whatever is said, a fact is right or unknown. */
Test(facts, garbage_is_unknown_never_a_wrong_number)
{
	static const struct { const char *fact; const char *question; } facts[] = {
		{ "ram_bytes", "/proc/meminfo" }, { "tcp_mem_pages", SYSCTL "tcp_mem" },
		{ "boot_id", "/proc/sys/kernel/random/boot_id" }, { "mtu", "ip -j link show dev ens18" },
		{ "net.ipv4.tcp_rmem", SYSCTL "tcp_rmem" }, { "net.core.rmem_max",
		    "/proc/sys/net/core/rmem_max" }, { "interface", "/proc/net/route" },
		{ "scope_id", "readlink /proc/self/ns/net" },
	};
	static const char *const garbage[] = { "", "\n", " \t ", "- 1\n", "0x10\n", "1e9\n", "abc\n",
		"\xff\xfe\x01\n", "99999999999999999999999\n", "nicht gefunden: 12\n", "1 2 --3\n",
		"4096 131072\n", "MemTotal: -5 kB\n", "MemTotal: 99999999999999999999 kB\n",
		"MemTotal: 0 kB\n", "\"mtu\":0", "\"mtu\":99999999999999", "1 999999999999999999999 3",
		"../../etc\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
		"-x\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n" };
	struct facts f;
	size_t i, k;

	for (i = 0; i < NELEM(facts); i++) {
		for (k = 0; k < NELEM(garbage); k++) {
			struct canned changed[] = { { facts[i].question, 0, garbage[k] },
				{ NULL, 0, NULL } };

			probe(changed, NULL, &f);
			cr_expect_str_neq(why_unknown(&f, facts[i].fact), "(known)", "%s: \"%s\"",
			    facts[i].fact, garbage[k]);
		}
	}
}

Test(facts, endless_answers_end)
{
	static const char *const questions[] = { "/proc/meminfo", "ethtool -k ens18",
		SYSCTL "tcp_rmem", SYSCTL "tcp_available_congestion_control", "/proc/modules",
		"/proc/net/route", "/proc/sys/kernel/osrelease" };
	size_t i, len = HOST_OUTPUT_BYTES;
	char *text = arena_alloc(arena, len + 1);
	struct facts f;

	memset(text, '7', len);
	for (i = 0; i < NELEM(questions); i++) {
		struct canned changed[] = { { questions[i], 0, text }, { NULL, 0, NULL } };

		probe(changed, NULL, &f);
		cr_expect_gt(f.n_unknown, i == 4 ? 0 : 1, "%s", questions[i]);
	}
}

Test(facts, answers_cut_anywhere_never_crash)
{
	const struct canned *c;
	struct facts f;
	size_t len;

	for (c = virtio; c->question != NULL; c++) {
		for (len = 0; len < strlen(c->text); len += 3) {
			struct canned changed[] = {
				{ c->question, c->status, arena_strndup(arena, c->text, len) },
				{ NULL, 0, NULL },
			};

			probe(changed, NULL, &f);
			/* "6.18" that was cut is an older release, with a knob more. */
			cr_expect_eq(f.n_knobs, f.release != NULL &&
			    profile_release_cmp(f.release, "6.6") < 0 ? 10 : 9);
		}
	}
}

Test(facts, a_name_that_means_something_in_a_path_is_never_used)
{
	static const char *const names[] = { "a/../b", "-k", "..", "$(id)", "a b", "" };
	struct facts f;
	size_t i, k;

	for (i = 0; i < NELEM(names); i++) {
		struct canned changed[] = { { "ip -j route get 203.0.113.10", 0,
		    arena_printf(arena, "[{\"dev\":\"%s\"}]", names[i]) }, { NULL, 0, NULL } };
		struct host h = probe(changed, "203.0.113.10", &f);

		for (k = 0; k < h.asked; k++)
			cr_expect(names[i][0] == '\0' || strstr(h.seen[k], names[i]) == NULL, "%s",
			    h.seen[k]);
		cr_expect(isnan(f.mtu));
	}
}

Test(facts, no_question_is_asked_twice_and_few_rounds_suffice)
{
	struct facts f;
	struct host h = probe(NULL, NULL, &f);
	size_t i, k;

	for (i = 0; i < h.asked; i++) {
		for (k = 0; k < i; k++)
			cr_expect_str_neq(h.seen[i], h.seen[k]);
	}
	cr_expect_leq(h.rounds, 6, "%zu rounds", h.rounds);
}
