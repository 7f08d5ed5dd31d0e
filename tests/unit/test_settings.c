/*
 * A wanted window becomes lines: all that it needs, nothing more, nothing lower.
 */
#include "tuner/advise.h"
#include "tuner/kernel.h"
#include "tuner/profile.h"
#include "tuner/settings.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct host {
	struct arena *a;
	struct profile *p;
	struct facts f;
};

static struct host
host_new(const char *system, const char *release)
{
	struct host h = { .a = arena_new() };
	struct err e = { ERR_NONE, "" };

	cr_assert(profile_named(h.a, system, &h.p, &e), "%s", e.text);
	cr_assert(advise_facts(h.a, h.p, release, NULL, NAN, &h.f, &e), "%s", e.text);
	return h;
}

static struct knob_fact *
knob(struct host *h, const char *name)
{
	for (size_t i = 0; i < h->f.n_knobs; i++) {
		if (strcmp(h->f.knobs[i].name, name) == 0)
			return &h->f.knobs[i];
	}
	cr_assert_fail("no knob %s", name);
	return NULL;
}

static void
set(struct host *h, const char *name, const char *text, double now)
{
	knob(h, name)->text = text;
	knob(h, name)->now = now;
}

/* "name=value reason-id; .." of all lines. */
static const char *
lines_for(const struct host *h, double send, double receive)
{
	const struct wanted w = { send, receive, false, 0 };
	struct text t = { .arena = h->a };
	const char *why;
	size_t n;
	struct change_line *l = settings_for(h->a, h->p, &h->f, &w, &n, &why);

	text_bytes(&t, "", 0);
	for (size_t i = 0; i < n; i++)
		text_add(&t, "%s%s=%s %.*s", i == 0 ? "" : "; ", l[i].name, l[i].new,
		    (int)strcspn(l[i].reason, ":"), l[i].reason);
	if (why != NULL)
		text_add(&t, "%snot %s", n == 0 ? "" : "; ", why);
	return t.s;
}

#define BDP 15675000. /* 600 Mbit/s, 209 ms */

Test(settings, a_window_becomes_all_the_lines_that_it_needs_in_order)
{
	static const struct {
		const char *system, *release;
		double send, receive;
		const char *expected;
	} t[] = {
		{ "freebsd", "14.2", 1.8e6, 1.8e6, "kern.ipc.maxsockbuf=2359296 limit" },
		{ "freebsd", "14.2", 1.8e6, NAN, "" },
		{ "freebsd", "14.2", 1.6e6, 1.6e6, "" },
		{ "freebsd", "14.2", BDP, NAN, "kern.ipc.maxsockbuf=17694720 limit; "
		    "net.inet.tcp.sendbuf_max=15675392 window-send" },
		{ "freebsd", "15.0", BDP, BDP, "kern.ipc.maxsockbuf=17694720 limit; "
		    "net.inet.tcp.sendbuf_max=15675392 window-send; "
		    "net.inet.tcp.recvbuf_max=15675392 window-receive" },
		{ "netbsd", "10.1", NAN, BDP, "kern.sbmax=19595264 limit; "
		    "net.inet.tcp.recvbuf_max=15675392 window-receive; "
		    "net.inet.tcp.recvbuf_inc=978944 growth-receive" },
		{ "netbsd", "10.1", 150000, 150000, "" },
		{ "openbsd", "7.8", BDP, BDP, "" },
		{ "dragonfly", "6.4", BDP, NAN, "net.inet.tcp.inflight_enable=0 inflight-limiter; "
		    "net.inet.tcp.sendbuf_max=15675392 window-send" },
		{ "dragonfly", "6.4", NAN, BDP,
		    "net.inet.tcp.recvbuf_max=15675392 window-receive; "
		    "kern.ipc.maxsockbuf=10485760 limit; "
		    "net.inet.tcp.recvspace=8388608 scale-receive; "
		    "net.inet.tcp.recvbuf_inc=458752 growth-receive" },
		{ "dragonfly", "6.4", NAN, 2000000, "" },
		{ "linux", "6.12", BDP, BDP,
		    "net.ipv4.tcp_wmem=4096 16384 25284608 window-send; "
		    "net.ipv4.tcp_rmem=4096 131072 25284608 window-receive" },
		{ "linux", "6.1", NAN, BDP,
		    "net.ipv4.tcp_rmem=4096 131072 31350784 window-receive" },
		{ "linux", "6.18", NAN, BDP, "" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct host h = host_new(t[i].system, t[i].release);

		cr_expect_str_eq(lines_for(&h, t[i].send, t[i].receive), t[i].expected, "row %zu", i);
		arena_free(h.a);
	}
}

/* Whatever is wanted, on every system that can be set: the models say that the lines give it. */
Test(settings, the_lines_give_the_window_that_was_wanted)
{
	static const struct {
		const char *system, *release;
	} t[] = {
		{ "freebsd", "13.0" }, { "freebsd", "14.2" }, { "netbsd", "9.3" },
		{ "netbsd", "10.1" }, { "dragonfly", "6.4" }, { "linux", "5.10" },
		{ "linux", "6.12" }, { "linux", "6.18" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct host h = host_new(t[i].system, t[i].release);

		for (double w = 10000; w < 1e9; w *= 1.3) {
			const struct wanted wanted = { w, w, false, 0 };
			const char *why;
			size_t n;
			struct change_line *l = settings_for(h.a, h.p, &h.f, &wanted, &n, &why);
			struct facts after = settings_applied(h.a, h.p, &h.f, l, n);
			struct kernel_knobs k = kernel_knobs(h.p, &after);

			for (enum direction d = DIR_SEND; d <= DIR_RECEIVE; d++) {
				struct kernel_window got;

				cr_assert(kernel_window(h.p, &after, &k, d, 209, &got));
				cr_expect(got.sure_bytes >= w, "%s %s: %.0f wanted, %.0f got",
				    t[i].system, t[i].release, w, got.sure_bytes);
				cr_expect(n == 0 || !got.frozen, "%s: %.0f", t[i].system, w);
				cr_expect(!got.lethal);
			}
			cr_expect_null(why);
		}
		arena_free(h.a);
	}
}

Test(settings, nothing_is_lowered)
{
	struct host h = host_new("freebsd", "14.2");

	set(&h, "net.inet.tcp.recvbuf_max", "33554432", 33554432);
	cr_expect_str_eq(lines_for(&h, BDP, NAN), "kern.ipc.maxsockbuf=37748736 limit; "
	    "net.inet.tcp.sendbuf_max=15675392 window-send",
	    "the limit is raised above the other maximum too");
	set(&h, "kern.ipc.maxsockbuf", "1073741824", 1073741824);
	cr_expect_str_eq(lines_for(&h, BDP, NAN), "net.inet.tcp.sendbuf_max=15675392 window-send");
	arena_free(h.a);
	h = host_new("linux", "6.18");
	set(&h, "net.ipv4.tcp_rmem", "4096 131072 6291456", 6291456);
	cr_expect_str_eq(lines_for(&h, NAN, 5e6),
	    "net.ipv4.tcp_rmem=4096 131072 33554432 window-receive", "not below its default");
	arena_free(h.a);
}

Test(settings, a_value_that_wrapped_is_not_kept)
{
	struct host h = host_new("freebsd", "14.2");

	set(&h, "net.inet.tcp.sendbuf_max", "-2147483648", -2147483648.);
	cr_expect_str_eq(lines_for(&h, 1.9e6, NAN), "kern.ipc.maxsockbuf=2359296 limit; "
	    "net.inet.tcp.sendbuf_max=2097152 window-send");
	cr_expect_str_eq(lines_for(&h, 1.6e6, NAN), "net.inet.tcp.sendbuf_max=2097152 window-send");
	cr_expect_str_eq(lines_for(&h, 30000, 1e6), "", "what suffices has no line");
	set(&h, "net.inet.tcp.sendbuf_max", "2097152", 2097152);
	set(&h, "kern.ipc.maxsockbuf", "18446744073709551615", 18446744073709551615.);
	cr_expect_str_eq(lines_for(&h, BDP, NAN), "kern.ipc.maxsockbuf=17694720 limit; "
	    "net.inet.tcp.sendbuf_max=15675392 window-send");
	arena_free(h.a);
}

Test(settings, mending_turns_switches_and_restores_what_wrapped_and_no_more)
{
	struct host h = host_new("freebsd", "14.2");
	struct facts f;

	set(&h, "net.inet.tcp.sendbuf_max", "-2147483648", -2147483648.);
	set(&h, "net.inet.tcp.recvbuf_max", "16777216", 16777216);
	set(&h, "net.inet.tcp.rfc1323", "0", 0);
	f = settings_mended(h.a, h.p, &h.f);
	cr_expect_eq(facts_knob(&f, "net.inet.tcp.sendbuf_max")->now, 2097152);
	cr_expect_eq(facts_knob(&f, "net.inet.tcp.recvbuf_max")->now, 16777216);
	cr_expect_eq(facts_knob(&f, "net.inet.tcp.rfc1323")->now, 1);
	cr_expect_eq(facts_knob(&f, "kern.ipc.maxsockbuf")->now, 2097152);
	knob(&h, "net.inet.tcp.sendbuf_max")->writable = false;
	f = settings_mended(h.a, h.p, &h.f);
	cr_expect_eq(facts_knob(&f, "net.inet.tcp.sendbuf_max")->now, -2147483648.);
	arena_free(h.a);
}

Test(settings, a_combination_that_leaves_no_socket_is_healed)
{
	struct host h = host_new("freebsd", "14.2");

	set(&h, "net.inet.tcp.recvspace", "16777216", 16777216);
	cr_expect_str_eq(lines_for(&h, 1e6, NAN), "kern.ipc.maxsockbuf=18874368 limit");
	arena_free(h.a);
}

Test(settings, a_switch_comes_first_and_nothing_more_is_raised_than_it_leaves)
{
	static const struct {
		const char *system, *release, *knob, *value;
		double send, receive;
		const char *expected;
	} t[] = {
		{ "freebsd", "14.2", "net.inet.tcp.rfc1323", "0", 1.6e6, 1.6e6,
		    "net.inet.tcp.rfc1323=1 window-scaling" },
		{ "freebsd", "14.2", "net.inet.tcp.rfc1323", "2", 1.6e6, 1.6e6, "" },
		{ "freebsd", "14.2", "net.inet.tcp.rfc1323", "3", BDP, NAN,
		    "net.inet.tcp.rfc1323=1 window-scaling; kern.ipc.maxsockbuf=17694720 limit; "
		    "net.inet.tcp.sendbuf_max=15675392 window-send" },
		{ "netbsd", "10.1", "net.inet.tcp.timestamps", "0", 150000, 40000,
		    "net.inet.tcp.timestamps=1 timestamps" },
		{ "netbsd", "10.1", "net.inet.tcp.timestamps", "0", 150000, 30000, "" },
		{ "netbsd", "10.1", "net.inet.tcp.rfc1323", "0", 40000, 60000,
		    "net.inet.tcp.rfc1323=1 window-scaling" },
		{ "openbsd", "7.8", "net.inet.tcp.rfc1323", "0", BDP, NAN,
		    "net.inet.tcp.rfc1323=1 window-scaling" },
		{ "linux", "6.18", "net.ipv4.tcp_window_scaling", "0", NAN, BDP,
		    "net.ipv4.tcp_window_scaling=1 window-scaling" },
		{ "linux", "6.18", "net.ipv4.tcp_window_scaling", "0", 60000, 60000, "" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct host h = host_new(t[i].system, t[i].release);

		set(&h, t[i].knob, t[i].value, strtod(t[i].value, NULL));
		cr_expect_str_eq(lines_for(&h, t[i].send, t[i].receive), t[i].expected,
		    "row %zu: %s", i, lines_for(&h, t[i].send, t[i].receive));
		arena_free(h.a);
	}
}

Test(settings, where_a_switch_cannot_be_set_nothing_is_raised_in_vain)
{
	struct host h = host_new("freebsd", "14.2");

	set(&h, "net.inet.tcp.rfc1323", "0", 0);
	knob(&h, "net.inet.tcp.rfc1323")->writable = false;
	cr_expect_str_eq(lines_for(&h, BDP, BDP), "not net.inet.tcp.rfc1323");
	arena_free(h.a);
}

Test(settings, an_autotuning_that_is_off_is_switched_on)
{
	struct host h = host_new("netbsd", "10.1");

	set(&h, "net.inet.tcp.sendbuf_auto", "0", 0);
	cr_expect_str_eq(lines_for(&h, 150000, NAN), "kern.sbmax=327680 limit; "
	    "net.inet.tcp.sendbuf_auto=1 autotuning");
	arena_free(h.a);
}

Test(settings, linux_autotuning_that_is_off_is_switched_on)
{
	struct host h = host_new("linux", "6.18");

	set(&h, "net.ipv4.tcp_moderate_rcvbuf", "0", 0);
	cr_expect_str_eq(lines_for(&h, NAN, BDP), "net.ipv4.tcp_moderate_rcvbuf=1 autotuning");
	cr_expect_str_eq(lines_for(&h, NAN, 80000), "", "what a buffer starts with suffices");
	arena_free(h.a);
}

Test(settings, a_first_size_that_dragonfly_cuts_makes_the_scale_only_as_far_as_it_is_admitted)
{
	struct host h = host_new("dragonfly", "6.4");
	struct kernel_knobs k;

	set(&h, "net.inet.tcp.recvspace", "8388608", 8388608);
	k = kernel_knobs(h.p, &h.f);
	cr_expect_eq(k.value[ROLE_RECEIVE_INITIAL], 419430);
	cr_expect_str_eq(lines_for(&h, NAN, 15e6), "net.inet.tcp.recvbuf_max=15003648 window-receive; "
	    "kern.ipc.maxsockbuf=10485760 limit; "
	    "net.inet.tcp.recvbuf_inc=413696 growth-receive");
	arena_free(h.a);
}

Test(settings, an_increment_is_raised_only_where_growth_is_left)
{
	struct host h = host_new("netbsd", "10.1");

	set(&h, "net.inet.tcp.recvspace", "15728640", 15728640);
	cr_expect_str_eq(lines_for(&h, NAN, BDP), "kern.sbmax=19660800 limit; "
	    "net.inet.tcp.recvbuf_max=15675392 window-receive");
	set(&h, "net.inet.tcp.recvspace", "32768", 32768);
	set(&h, "net.inet.tcp.recvbuf_inc", "978944", 978944);
	cr_expect_str_eq(lines_for(&h, NAN, BDP), "kern.sbmax=19595264 limit; "
	    "net.inet.tcp.recvbuf_max=15675392 window-receive");
	arena_free(h.a);
}

Test(settings, an_initial_size_below_0_is_restored)
{
	struct host h = host_new("freebsd", "14.2");

	set(&h, "net.inet.tcp.recvspace", "-1", -1);
	cr_expect_str_eq(lines_for(&h, 1.6e6, NAN), "net.inet.tcp.recvspace=65536 initial");
	cr_expect_str_eq(lines_for(&h, NAN, NAN), "");
	arena_free(h.a);
}

Test(settings, what_cannot_be_set_has_no_line_and_is_named)
{
	struct host h = host_new("freebsd", "14.2");

	knob(&h, "kern.ipc.maxsockbuf")->writable = false;
	cr_expect_str_eq(lines_for(&h, BDP, BDP), "not kern.ipc.maxsockbuf",
	    "maxima above what the limit admits would end growth early");
	arena_free(h.a);
	h = host_new("linux", "6.1");
	knob(&h, "net.ipv4.tcp_wmem")->writable = false;
	cr_expect_str_eq(lines_for(&h, BDP, BDP),
	    "net.ipv4.tcp_rmem=4096 131072 31350784 window-receive; not net.ipv4.tcp_wmem");
	h.f.n_knobs = 0;
	cr_expect_str_eq(lines_for(&h, BDP, NAN), "not net.ipv4.tcp_wmem", "no such knob");
	arena_free(h.a);
}

Test(settings, a_value_that_was_not_understood_is_not_written_again)
{
	static const char *const texts[] = { "", "4096", "4096 16384", "4096 16384 x", "1 2 3" };

	for (size_t i = 0; i < NELEM(texts); i++) {
		struct host h = host_new("linux", "6.1");

		set(&h, "net.ipv4.tcp_wmem", texts[i], 4194304);
		cr_expect_str_eq(lines_for(&h, BDP, NAN), "not net.ipv4.tcp_wmem", "'%s'", texts[i]);
		arena_free(h.a);
	}
}

Test(settings, more_than_a_knob_can_hold_is_cut_to_what_its_limit_admits)
{
	struct host h = host_new("netbsd", "10.1");

	cr_expect_str_eq(lines_for(&h, 3e9, NAN), "kern.sbmax=1342177280 limit; "
	    "net.inet.tcp.sendbuf_max=1073725440 window-send", "the largest window scale");
	arena_free(h.a);
}

Test(settings, explicit_sizes_are_kept_level_when_asked_for)
{
	struct host h = host_new("linux", "6.12");
	const struct wanted w = { BDP, NAN, true, 0 };
	const char *why;
	size_t n;
	struct change_line *l = settings_for(h.a, h.p, &h.f, &w, &n, &why);

	cr_assert_eq(n, 2u);
	cr_expect_str_eq(l[0].name, "net.core.wmem_max");
	cr_expect_str_eq(l[0].new, "25284608");
	cr_expect_str_eq(l[0].old, "212992");
	cr_expect(strncmp(l[0].reason, "limit-send:", 11) == 0);
	cr_expect_str_eq(l[1].name, "net.ipv4.tcp_wmem");
	arena_free(h.a);
}

Test(settings, applying_changes_a_copy)
{
	struct host h = host_new("linux", "6.12");
	const struct wanted w = { BDP, NAN, false, 0 };
	const char *why;
	size_t n;
	struct change_line *l = settings_for(h.a, h.p, &h.f, &w, &n, &why);
	struct facts after = settings_applied(h.a, h.p, &h.f, l, n);

	cr_expect_eq(facts_knob(&after, "net.ipv4.tcp_wmem")->now, 25284608);
	cr_expect_str_eq(facts_knob(&after, "net.ipv4.tcp_wmem")->text, "4096 16384 25284608");
	cr_expect_eq(knob(&h, "net.ipv4.tcp_wmem")->now, 4194304);
	arena_free(h.a);
}
