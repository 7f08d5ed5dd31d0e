/*
 * What must not be written, on machines that are known by what they answered (tests/transcripts).
 */
#include <criterion/criterion.h>

#include "probes/facts.h"
#include "tuner/profile.h"
#include "tuner/refuse.h"

#include <math.h>
#include <string.h>

static struct arena *a;
static struct profile *p;
static struct facts f;

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

TestSuite(refuse, .init = setup, .fini = teardown);

static void
machine(const char *name, const char *sysname)
{
	struct err e = { 0 };
	struct host *h;

	cr_assert(profile_for(a, sysname, &p, &e), "%s", e.text);
	cr_assert(host_open(a, arena_printf(a, "replay:" TESTS_DIR "/transcripts/%s", name), &h,
	    &e), "%s", e.text);
	cr_assert(facts_probe(h, a, p, NULL, false, &f, &e), "%s", e.text);
	host_close(h);
}

#define FREEBSD machine("freebsd-14.2-em", "FreeBSD")
#define NETBSD machine("netbsd-10.1-vioif", "NetBSD")
#define LINUX machine("linux-6.18-virtio_net", "Linux")

/* "" when the lines "name=value name=value" may be set, else the error. */
static const char *
refusal(const char *lines, bool measured, double connections)
{
	struct change_line l[4] = { { .name = NULL } };
	bool gained[4] = { measured, measured, measured, measured };
	char *s = arena_strdup(a, lines), *save = NULL;
	struct err e = { 0 };
	size_t n = 0;

	for (char *w = strtok_r(s, ";", &save); w != NULL; w = strtok_r(NULL, ";", &save), n++) {
		char *equals = strchr(w, '=');

		*equals = '\0';
		l[n] = (struct change_line){ .name = w, .new = equals + 1 };
	}
	if (refuse_lines(a, p, &f, l, n, measured ? gained : NULL, connections, &e))
		return "";
	cr_expect_eq(e.code, ERR_FAILED);
	return arena_strdup(a, e.text);
}

static void
expect_refused(const char *lines, const char *begin)
{
	const char *text = refusal(lines, true, 1);

	cr_expect_eq(strncmp(text, begin, strlen(begin)), 0, "%s: \"%s\"", lines, text);
}

static void
expect_taken(const char *lines)
{
	cr_expect_str_eq(refusal(lines, false, 1), "", "%s", lines);
}

Test(refuse, what_tune_and_advise_write_is_taken)
{
	FREEBSD;
	expect_taken("");
	expect_taken("kern.ipc.maxsockbuf=4718592;net.inet.tcp.sendbuf_max=4194304;"
	    "net.inet.tcp.recvbuf_max=4194304");
	NETBSD;
	expect_taken("kern.sbmax=5242880;net.inet.tcp.sendbuf_max=4194304;"
	    "net.inet.tcp.recvbuf_max=4194304;net.inet.tcp.recvbuf_inc=262144");
	LINUX;
	expect_taken("net.ipv4.tcp_rmem=4096 131072 67108864");
	expect_taken("net.ipv4.tcp_wmem=4096\t16384\t67108864;"
	    "net.ipv4.tcp_congestion_control=bbr;module=tcp_bbr");
}

Test(refuse, new_sockets_that_would_fail_are_refused_even_in_between)
{
	FREEBSD;
	expect_refused("kern.ipc.maxsockbuf=65536", "net.inet.tcp.recvspace: lethal: ");
	expect_refused("net.inet.tcp.sendspace=4194304", "net.inet.tcp.sendspace: lethal: ");
	expect_refused("net.inet.tcp.sendspace=4194304;kern.ipc.maxsockbuf=8388608",
	    "net.inet.tcp.sendspace: lethal: ");
	expect_taken("kern.ipc.maxsockbuf=8388608;net.inet.tcp.sendspace=4194304");
	NETBSD;
	expect_refused("kern.sbmax=65536;net.inet.tcp.sendspace=131072",
	    "net.inet.tcp.sendspace: lethal: ");
	expect_refused("kern.sbmax=32768", "net.inet.tcp.sendspace: lethal: ");
}

Test(refuse, a_maximum_that_the_limit_does_not_admit_is_refused)
{
	FREEBSD;
	expect_refused("net.inet.tcp.sendbuf_max=16777216",
	    "net.inet.tcp.sendbuf_max: limit-useless: ");
	expect_refused("kern.ipc.maxsockbuf=16777216;net.inet.tcp.recvbuf_max=16777216",
	    "net.inet.tcp.recvbuf_max: limit-freezes: ");
	NETBSD;
	expect_refused("net.inet.tcp.recvbuf_max=1048576",
	    "net.inet.tcp.recvbuf_max: limit-useless: ");
}

Test(refuse, what_would_wrap_is_refused)
{
	FREEBSD;
	expect_refused("net.inet.tcp.sendbuf_max=4294967296", "net.inet.tcp.sendbuf_max: wraps: ");
	expect_refused("net.inet.tcp.sendbuf_max=2147483648", "net.inet.tcp.sendbuf_max: wraps: ");
	expect_refused("net.inet.tcp.recvbuf_max=-1", "net.inet.tcp.recvbuf_max: wraps: ");
	expect_refused("kern.ipc.maxsockbuf=-1", "kern.ipc.maxsockbuf: ");
}

Test(refuse, what_is_no_number_of_the_range_is_refused)
{
	LINUX;
	expect_refused("net.ipv4.tcp_rmem=4096 131072 99999999999", "net.ipv4.tcp_rmem: range: ");
	expect_refused("net.ipv4.tcp_rmem=4096 99999999999 67108864", "net.ipv4.tcp_rmem: range: ");
	expect_refused("net.ipv4.tcp_rmem=67108864", "net.ipv4.tcp_rmem: range: ");
	expect_refused("net.ipv4.tcp_rmem=4096 131072 67108864 1", "net.ipv4.tcp_rmem: range: ");
	expect_refused("net.ipv4.tcp_rmem=4096 131072 64M", "net.ipv4.tcp_rmem: range: \"64M\" is");
	expect_refused("net.ipv4.tcp_rmem=4096 131072 nan", "net.ipv4.tcp_rmem: range: ");
	NETBSD;
	expect_refused("kern.sbmax=16383", "kern.sbmax: ");
}

Test(refuse, characters_that_command_a_terminal_are_refused_for_any_name)
{
	LINUX;
	expect_refused("net.ipv4.tcp_congestion_control=bbr\n", "net.ipv4.tcp_congestion_control: unpr");
	expect_refused("module=tcp_bbr\x1b[2J", "module: unprintable: ");
	expect_refused("something.else=\x7f", "something.else: unprintable: ");
	expect_refused("module= ", "module: unprintable: ");
	expect_refused("module=", "module: unprintable: ");
}

Test(refuse, a_value_is_lowered_only_when_a_gain_was_measured)
{
	LINUX;
	cr_expect_not_null(strstr(refusal("net.ipv4.tcp_rmem=4096 131072 16777216", false, 1),
	    "net.ipv4.tcp_rmem: lowered: 16777216 is less than the 33554432 that runs"));
	cr_expect_not_null(strstr(refusal("net.ipv4.tcp_rmem=4096 65536 67108864", false, 1),
	    "lowered: 65536"));
	cr_expect_str_eq(refusal("net.ipv4.tcp_rmem=4096 131072 16777216", true, 1), "");
	cr_expect_str_eq(refusal("net.ipv4.tcp_rmem=4096 131072 33554432", false, 1), "");
	FREEBSD;
	cr_expect_not_null(strstr(refusal("net.inet.tcp.recvspace=32768", false, 1), "lowered"));
	machine("freebsd-13.2-wrapped", "FreeBSD"); /* its sendbuf_max wrapped */
	cr_expect_str_eq(refusal("net.inet.tcp.sendbuf_max=2097152",
	    false, 1), "");
}

Test(refuse, memory_bounds_what_so_many_connections_may_take)
{
	const char *text;

	FREEBSD;
	expect_taken("kern.ipc.maxsockbuf=18874368;net.inet.tcp.sendbuf_max=16777216");
	text = refusal("kern.ipc.maxsockbuf=18874368;net.inet.tcp.sendbuf_max=16777216", true, 1000);
	cr_expect_not_null(strstr(text, ": memory: with these values 1000 connections may take "),
	    "%s", text);
	cr_expect_str_eq(refusal("net.inet.tcp.sendbuf_inc=16384", true, 1000000), "",
	    "more than the bound before already, and no more with it");
	cr_expect_str_eq(refusal("kern.ipc.maxsockbuf=4718592;net.inet.tcp.sendbuf_max=4194304",
	    false, NAN), "");
}
