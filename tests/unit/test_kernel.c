/*
 * The kernel models against figures of real kernels: computed from their sources, and measured.
 */
#include "tuner/kernel.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define MIB 1048576.

/* A system as it comes, at a release, and what was set on it. */
struct system {
	struct arena *a;
	struct profile *p;
	struct facts f;
	struct kernel_knobs k;
};

static struct system
stock(const char *sysname, const char *release, const char *arch)
{
	struct system s = { .a = arena_new() };
	struct err e = { ERR_NONE, "" };

	cr_assert(profile_for(s.a, sysname, &s.p, &e), "%s", e.text);
	record_init(&facts_record, &s.f);
	s.f.os = sysname;
	s.f.release = release;
	s.f.arch = arch;
	s.k = kernel_knobs(s.p, &s.f);
	return s;
}

static struct kernel_window
window(const struct system *s, enum direction d, double rtt_ms)
{
	struct kernel_window w;

	cr_assert(kernel_window(s->p, &s->f, &s->k, d, rtt_ms, &w));
	return w;
}

/* Limit and both maxima. */
static void
set_buffers(struct system *s, double limit, double max)
{
	s->k.value[ROLE_LIMIT] = limit;
	s->k.value[ROLE_SEND_MAX] = s->k.value[ROLE_RECEIVE_MAX] = max;
}

static void
near(double is, double expected, double share, const char *what)
{
	cr_expect(fabs(is - expected) <= share * expected, "%s: %.0f, expected %.0f", what, is,
	    expected);
}

Test(kernel, a_stock_system_ends_growth_where_its_sources_say)
{
	static const struct {
		const char *system, *release, *arch;
		enum direction direction;
		double stop;
		bool frozen;
		double mbps[7]; /* at 10, 20, 50, 100, 150, 209, 300 ms */
	} t[] = {
		{ "FreeBSD", "13.0", "amd64", DIR_RECEIVE, 1683810, true,
		    { 1347, 674, 269, 135, 90, 64, 45 } },
		{ "FreeBSD", "14.2", "amd64", DIR_RECEIVE, 1683810, true,
		    { 1347, 674, 269, 135, 90, 64, 45 } },
		{ "FreeBSD", "15.0", "amd64", DIR_SEND, 1860120, true,
		    { 1488, 744, 298, 149, 99, 71, 50 } },
		{ "NetBSD", "9.3", "amd64", DIR_SEND, 204800, true,
		    { 164, 82, 33, 16.4, 10.9, 7.8, 5.5 } },
		{ "NetBSD", "10.1", "amd64", DIR_RECEIVE, 196608, true,
		    { 157, 79, 31, 15.7, 10.5, 7.5, 5.2 } },
		{ "OpenBSD", "7.8", "amd64", DIR_SEND, 2097152, false,
		    { 1678, 839, 336, 168, 112, 80, 56 } },
		{ "OpenBSD", "7.4", "amd64", DIR_RECEIVE, 2097152, false,
		    { 1678, 839, 336, 168, 112, 80, 56 } },
		{ "DragonFly", "6.4", "x86_64", DIR_SEND, 2097152, false,
		    { 1678, 839, 336, 168, 112, 80, 56 } },
		{ "DragonFly", "6.4", "x86_64", DIR_RECEIVE, 2097152, false,
		    { 1678, 839, 336, 168, 112, 80, 56 } },
		{ "Linux", "6.1.192", "x86_64", DIR_RECEIVE, 6291456, false,
		    { 2517, 1258, 503, 252, 168, 120, 84 } },
		{ "Linux", "6.12.117", "x86_64", DIR_SEND, 4194304, false,
		    { 2248, 1124, 450, 225, 150, 108, 75 } },
	};
	static const double rtt_ms[] = { 10, 20, 50, 100, 150, 209, 300 };

	for (size_t i = 0; i < NELEM(t); i++) {
		struct system s = stock(t[i].system, t[i].release, t[i].arch);
		struct kernel_window w = window(&s, t[i].direction, 209);

		cr_expect_eq(w.stop_bytes, t[i].stop, "row %zu: %.0f", i, w.stop_bytes);
		cr_expect_eq(w.frozen, t[i].frozen, "row %zu", i);
		cr_expect_not(w.lethal);
		for (size_t j = 0; j < 7; j++) {
			double mbps = w.window_bytes * 8 / (rtt_ms[j] / 1e3) / 1e6;
			double half_digit = t[i].mbps[j] < 20 ? .0501 : .501;

			cr_expect(fabs(mbps - t[i].mbps[j]) <= half_digit,
			    "row %zu at %g ms: %.2f, expected %g", i, rtt_ms[j], mbps,
			    t[i].mbps[j]);
		}
		arena_free(s.a);
	}
}

Test(kernel, dragonfly_advertises_no_more_than_scale_5_can_say)
{
	struct system s = stock("DragonFly", "6.4", NULL);
	struct kernel_window w = window(&s, DIR_RECEIVE, 100);

	cr_assert_eq(w.scale, 5);
	cr_assert_eq(w.sure_bytes, 2097120);
	s.k.value[ROLE_RECEIVE_MAX] = 16 * MIB;
	cr_assert_eq(window(&s, DIR_RECEIVE, 100).sure_bytes, 2097120, "whatever the maximum");
	s.k.value[ROLE_RECEIVE_INITIAL] = 2097121;
	w = window(&s, DIR_RECEIVE, 100);
	cr_assert_eq(w.scale, 6);
	cr_assert_eq(w.sure_bytes, 65535 * 64);
	s.k.value[ROLE_SEND_MAX] = 16 * MIB;
	cr_assert_eq(window(&s, DIR_SEND, 100).sure_bytes, 16 * MIB, "sending has no scale");
	arena_free(s.a);
}

/* A switch as it was read: the models know it from the facts alone. */
static void
set_switch(struct system *s, const char *name, double value)
{
	struct knob_fact *k = arena_push(s->a, &s->f.knobs, &s->f.n_knobs, sizeof(*k));

	*k = (struct knob_fact){ name, "", value, 0, 3, true, NULL };
}

Test(kernel, a_switch_that_is_off_bounds_the_window_of_its_directions)
{
	static const struct {
		const char *system, *release, *knob;
		double value;
		double send, receive; /* sure bytes; 0: as without the switch */
	} t[] = {
		{ "FreeBSD", "14.2", "net.inet.tcp.rfc1323", 0, 65535, 65535 },
		{ "FreeBSD", "14.2", "net.inet.tcp.rfc1323", 1, 0, 0 },
		{ "FreeBSD", "14.2", "net.inet.tcp.rfc1323", 2, 0, 0 },
		{ "FreeBSD", "14.2", "net.inet.tcp.rfc1323", 3, 65535, 65535 },
		{ "FreeBSD", "14.2", "net.inet.tcp.rfc1323", NAN, 0, 0 },
		{ "FreeBSD", "14.2", "net.inet.tcp.rfc1323", -1, 0, 0 },
		{ "OpenBSD", "7.8", "net.inet.tcp.rfc1323", 0, 65535, 65535 },
		{ "DragonFly", "6.4", "net.inet.tcp.rfc1323", 0, 65535, 65535 },
		{ "DragonFly", "6.4", "net.inet.tcp.inflight_enable", 1, 0, 0 },
		{ "NetBSD", "10.1", "net.inet.tcp.rfc1323", 0, 65535, 32768 },
		{ "NetBSD", "10.1", "net.inet.tcp.win_scale", 0, 65535, 65535 },
		{ "NetBSD", "10.1", "net.inet.tcp.timestamps", 0, 0, 32768 },
		{ "Linux", "6.18", "net.ipv4.tcp_window_scaling", 0, 65535, 65535 },
		{ "Linux", "6.18", "net.ipv4.tcp_sack", 0, 0, 0 },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct system s = stock(t[i].system, t[i].release, NULL);

		for (enum direction d = DIR_SEND; d <= DIR_RECEIVE; d++) {
			double bound = d == DIR_SEND ? t[i].send : t[i].receive;
			struct kernel_window was, w;

			s.f.n_knobs = 0;
			was = window(&s, d, 209);
			set_switch(&s, t[i].knob, t[i].value);
			w = window(&s, d, 209);
			cr_expect_eq(w.sure_bytes, bound == 0 ? was.sure_bytes : bound,
			    "row %zu: %.0f", i, w.sure_bytes);
			cr_expect_leq(w.window_bytes, was.window_bytes);
			cr_expect((w.unmet != NULL) == (bound != 0), "row %zu", i);
			cr_expect(bound != 65535 || d == DIR_SEND || w.scale == 0, "row %zu", i);
		}
		arena_free(s.a);
	}
}

Test(kernel, a_bounded_window_is_there_sooner)
{
	struct system s = stock("NetBSD", "10.1", "x86_64");

	cr_assert_eq(window(&s, DIR_RECEIVE, 209).steps, 10);
	set_switch(&s, "net.inet.tcp.win_scale", 0);
	cr_assert_eq(window(&s, DIR_RECEIVE, 209).steps, 2);
	cr_assert_eq(window(&s, DIR_RECEIVE, 209).growth_s, 1);
	arena_free(s.a);
}

Test(kernel, without_timestamps_netbsd_keeps_the_size_that_a_connection_starts_with)
{
	struct system s = stock("NetBSD", "10.1", "x86_64");

	set_buffers(&s, 16 * MIB, 8 * MIB);
	s.k.value[ROLE_RECEIVE_INITIAL] = MIB;
	set_switch(&s, "net.inet.tcp.timestamps", 0);
	cr_assert_eq(window(&s, DIR_RECEIVE, 209).sure_bytes, MIB);
	cr_assert(isnan(window(&s, DIR_RECEIVE, 209).growth_s), "there is none");
	cr_assert_eq(window(&s, DIR_SEND, 209).sure_bytes, 8 * MIB);
	set_switch(&s, "net.inet.tcp.win_scale", 0);
	cr_assert_eq(window(&s, DIR_RECEIVE, 209).sure_bytes, 65535);
	arena_free(s.a);
}

Test(kernel, freebsd_s_usable_part_and_scale_follow_maxsockbuf)
{
	static const struct {
		double limit, share, scale;
		double stop; /* receiving with recvbuf_max = maxsockbuf; 0: not known */
	} t[] = {
		{ 262144, 233016, 3, 0 },
		{ 524288, 466033, 4, 0 },
		{ 1048576, 932067, 5, 0 },
		{ 2097152, 1864135, 6, 1683810 },
		{ 4194304, 3728270, 7, 2525715 },
		{ 8388608, 7456540, 8, 5682858 },
		{ 16777216, 14913080, 9, 12786430 },
		{ 18874368, 16777216, 9, 0 },
		{ 33554432, 29826161, 10, 28769467 },
		{ 67108864, 59652323, 11, 43154200 },
		{ 134217728, 119304647, 12, 0 },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct system s = stock("FreeBSD", "14.2", "amd64");
		const struct window_model *m = profile_window(s.p, DIR_RECEIVE, "14.2", "amd64");
		struct kernel_window w;

		cr_expect_eq(kernel_limit_share(m, t[i].limit), t[i].share, "row %zu", i);
		set_buffers(&s, t[i].limit, t[i].limit);
		w = window(&s, DIR_RECEIVE, 100);
		cr_expect_eq(w.scale, t[i].scale, "row %zu: %g", i, w.scale);
		cr_expect(t[i].stop == 0 || (w.stop_bytes == t[i].stop && w.frozen),
		    "row %zu: %.0f", i, w.stop_bytes);
		set_buffers(&s, t[i].limit, t[i].share);
		w = window(&s, DIR_RECEIVE, 100);
		cr_expect(w.stop_bytes == t[i].share && !w.frozen, "row %zu at 8/9: %.0f", i,
		    w.stop_bytes);
		arena_free(s.a);
	}
}

Test(kernel, eighteen_mib_is_the_least_maxsockbuf_that_reaches_sixteen)
{
	struct system s = stock("FreeBSD", "14.2", "amd64");

	set_buffers(&s, 18874368, 16 * MIB);
	cr_assert_eq(window(&s, DIR_RECEIVE, 209).stop_bytes, 16 * MIB);
	cr_assert_eq(window(&s, DIR_RECEIVE, 209).steps, 14);
	set_buffers(&s, 18874367, 16 * MIB);
	cr_assert(window(&s, DIR_RECEIVE, 209).frozen);
	set_buffers(&s, 4000000, 16 * MIB);
	cr_assert_eq(window(&s, DIR_RECEIVE, 209).stop_bytes, 2525715);
	s.k.value[ROLE_RECEIVE_MAX] = 3555555;
	cr_assert_eq(window(&s, DIR_RECEIVE, 209).stop_bytes, 3555555);
	arena_free(s.a);
}

Test(kernel, windows_of_freebsd_13_are_those_that_senders_saw)
{
	static const struct {
		double limit, max, least, most;
	} t[] = {
		{ 2097152, 2097152, 1682368, 1683840 },
		{ 2097152, 1864135, 1861248, 1864192 },
		{ 16777216, 16777216, 12786430, 12786688 },
		{ 16777216, 14913080, 14912000, 14913536 },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct system s = stock("FreeBSD", "13.0", "amd64");
		struct kernel_window w;

		set_buffers(&s, t[i].limit, t[i].max);
		w = window(&s, DIR_RECEIVE, 200);
		near(w.window_bytes, t[i].least, .03, "least seen");
		near(w.window_bytes, t[i].most, .03, "most seen");
		arena_free(s.a);
	}
}

/* Lowering recvbuf_max to 8/9 of maxsockbuf raised the rate, by as much as the windows say. */
Test(kernel, the_gain_of_eight_ninths_is_the_one_that_was_measured)
{
	static const struct {
		double limit, frozen_mbps, grown_mbps;
	} t[] = {
		{ 2097152, 66.4, 73.6 },
		{ 16777216, 97.5, 114.5 },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct system s = stock("FreeBSD", "13.0", "amd64");
		double before, after;

		set_buffers(&s, t[i].limit, t[i].limit);
		before = window(&s, DIR_RECEIVE, 200).window_bytes;
		set_buffers(&s, t[i].limit, floor(t[i].limit * 8 / 9));
		after = window(&s, DIR_RECEIVE, 200).window_bytes;
		near(after / before * 1000, t[i].grown_mbps / t[i].frozen_mbps * 1000, .03, "ratio");
		arena_free(s.a);
	}
}

Test(kernel, netbsd_s_usable_part_and_scale_follow_sbmax)
{
	static const struct {
		double limit, share, scale;
	} t[] = {
		{ 262144, 209715, 3 }, { 1048576, 838860, 5 }, { 2097152, 1677721, 6 },
		{ 4194304, 3355443, 7 }, { 8388608, 6710886, 8 }, { 16777216, 13421772, 9 },
		{ 33554432, 26843545, 10 }, { 67108864, 53687091, 11 },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct system s = stock("NetBSD", "10.1", "amd64");
		const struct window_model *m = profile_window(s.p, DIR_SEND, "10.1", "amd64");

		cr_expect_eq(kernel_limit_share(m, t[i].limit), t[i].share, "row %zu", i);
		s.k.value[ROLE_LIMIT] = t[i].limit;
		cr_expect_eq(window(&s, DIR_RECEIVE, 100).scale, t[i].scale, "row %zu", i);
		arena_free(s.a);
	}
}

Test(kernel, netbsd_s_maxima_alone_change_nothing)
{
	struct system s = stock("NetBSD", "10.1", "amd64");

	set_buffers(&s, 262144, 16 * MIB);
	cr_assert_eq(window(&s, DIR_SEND, 100).stop_bytes, 204800);
	cr_assert_eq(window(&s, DIR_RECEIVE, 100).stop_bytes, 196608);
	arena_free(s.a);
}

Test(kernel, netbsd_s_32_bit_ports_use_eight_ninths)
{
	struct system s = stock("NetBSD", "10.1", "i386");
	const struct window_model *m = profile_window(s.p, DIR_SEND, "10.1", "i386");

	cr_assert_eq(kernel_limit_share(m, 262144), 233016);
	cr_assert_neq(profile_window(s.p, DIR_SEND, "10.1", "riscv32"), m);
	cr_assert_eq(window(&s, DIR_SEND, 209).stop_bytes, 32768 + 24 * 8192);
	arena_free(s.a);
}

Test(kernel, netbsd_receives_no_faster_than_16_kib_in_half_a_second)
{
	struct system s = stock("NetBSD", "10.1", "amd64");
	struct kernel_window w;

	set_buffers(&s, 16 * MIB, 16 * MIB);
	w = window(&s, DIR_RECEIVE, 209);
	cr_assert_eq(w.steps, 817);
	cr_assert(w.growth_s > 400 && w.growth_s < 410, "%g", w.growth_s);
	near(kernel_mean_bps(s.p, &s.f, &s.k, DIR_RECEIVE, 209, 10) / 8 / 1024, 880, .001,
	    "KiB/s in 10 s");
	near(kernel_mean_bps(s.p, &s.f, &s.k, DIR_RECEIVE, 209, 30) / 8 / 1024, 2.4 * 1024, .03,
	    "KiB/s in 30 s");
	set_buffers(&s, 32 * MIB, 15675000);
	near(window(&s, DIR_RECEIVE, 209).growth_s, 477, .002, "seconds to 15.7 MB");
	arena_free(s.a);
}

Test(kernel, openbsd_receives_at_full_rate_after_127_rtts)
{
	struct system s = stock("OpenBSD", "7.8", "amd64");
	struct kernel_window w = window(&s, DIR_RECEIVE, 209);

	cr_assert_eq(w.steps, 127);
	near(w.growth_s, 26.5, .01, "seconds");
	cr_assert_eq(w.scale, 6);
	cr_assert(isnan(window(&s, DIR_SEND, 209).growth_s), "comes with every ACK");
	cr_assert(isnan(window(&s, DIR_SEND, 209).scale));
	arena_free(s.a);
}

Test(kernel, the_mean_of_a_window_that_is_there_at_once_is_window_over_rtt)
{
	struct system s = stock("FreeBSD", "14.2", "amd64");

	near(kernel_mean_bps(s.p, &s.f, &s.k, DIR_SEND, 209, 10), 1860120 * 8 / .209, 1e-9, "bps");
	cr_assert(isnan(kernel_mean_bps(s.p, &s.f, &s.k, DIR_SEND, NAN, 10)));
	cr_assert(isnan(kernel_mean_bps(s.p, &s.f, &s.k, DIR_SEND, 209, 0)));
	arena_free(s.a);
}

Test(kernel, combinations_that_leave_no_socket_are_known)
{
	static const struct {
		const char *system;
		double limit, send_initial, receive_initial;
		bool lethal;
	} t[] = {
		{ "FreeBSD", 2097152, 32768, 65536, false },
		{ "FreeBSD", 65536, 32768, 65536, true },
		{ "FreeBSD", 73728, 32768, 65536, false },
		{ "FreeBSD", 73727, 32768, 65536, true },
		{ "FreeBSD", 2097152, 1864136, 65536, true },
		{ "FreeBSD", 2097152, 32768, 4194304, true },
		{ "NetBSD", 65536, 131072, 32768, true },
		{ "NetBSD", 65536, 32768, 32768, false },
		{ "FreeBSD", 2097152, 32768, -1, true },
		{ "DragonFly", 65536, 4194304, 4194304, false },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct system s = stock(t[i].system, "14.2", "amd64");

		s.k.value[ROLE_LIMIT] = t[i].limit;
		s.k.value[ROLE_SEND_INITIAL] = t[i].send_initial;
		s.k.value[ROLE_RECEIVE_INITIAL] = t[i].receive_initial;
		for (enum direction d = DIR_SEND; d <= DIR_RECEIVE; d++) {
			struct kernel_window w = window(&s, d, 100);

			cr_expect_eq(w.lethal, t[i].lethal, "row %zu", i);
			cr_expect_eq(w.sure_bytes == 0, t[i].lethal, "row %zu", i);
		}
		arena_free(s.a);
	}
}

/*
 * All three maxima alike: while the window is what limits, rates relate as windows do.  At and
 * above 1 MiB that path (1 MB in flight, 1 MB of queue) limits, and says nothing of the window.
 */
Test(kernel, rates_below_the_path_s_relate_as_the_windows_do)
{
	static const struct {
		const char *system;
		double low_mbps, high_mbps; /* sending, 128 and 256 KiB */
	} t[] = {
		{ "FreeBSD", 18, 37 },
		{ "NetBSD", 18, 36 },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct system s = stock(t[i].system, "13.0", "amd64");
		double low, high;

		set_buffers(&s, 131072, 131072);
		low = window(&s, DIR_SEND, 40).window_bytes;
		set_buffers(&s, 262144, 262144);
		high = window(&s, DIR_SEND, 40).window_bytes;
		near(high / low * 100, t[i].high_mbps / t[i].low_mbps * 100, .08, t[i].system);
		set_buffers(&s, 262144, 4 * MIB);
		cr_expect_eq(window(&s, DIR_SEND, 40).window_bytes, high, "the limit decides");
		arena_free(s.a);
	}
}

Test(kernel, linux_scale_is_of_the_largest_receive_buffer)
{
	static const struct {
		double value, scale;
	} t[] = {
		{ 212992, 2 }, { 6291456, 7 }, { 16777216, 9 }, { 33554432, 10 }, { 67108864, 11 },
		{ 65535, 0 }, { 1, 0 }, { 2147483647, 14 },
	};
	struct system s = stock("Linux", "6.18", NULL);
	const struct scale_model *m = kernel_scale_model(s.p, &s.f);

	for (size_t i = 0; i < NELEM(t); i++)
		cr_expect_eq(kernel_scale(m, t[i].value), t[i].scale, "row %zu", i);
	s.k.value[ROLE_RECEIVE_MAX] = 212992;
	s.k.value[ROLE_LIMIT_RECEIVE] = 16777216;
	cr_expect_eq(window(&s, DIR_RECEIVE, 100).scale, 9, "rmem_max counts as well");
	arena_free(s.a);
}

Test(kernel, the_value_for_a_scale_is_the_least_that_asks_for_it)
{
	static const struct scale_model models[] = {
		{ .rule = SCALE_COVER, .value = NAN, .least = NAN },
		{ .rule = SCALE_LOG2, .value = NAN, .least = NAN },
	};

	for (size_t i = 0; i < NELEM(models); i++) {
		for (double w = 40000; w < 1e9; w *= 1.7) {
			double v = kernel_scale_value(&models[i], w);

			cr_expect(kernel_scale_bytes(kernel_scale(&models[i], v)) >= w, "%.0f", w);
			cr_expect(w <= 65535 ||
			    kernel_scale_bytes(kernel_scale(&models[i], v - 1)) < w, "%.0f", w);
		}
		cr_expect(isnan(kernel_scale_value(&models[i], 2e9)), "no scale says so much");
	}
}

Test(kernel, defaults_follow_release_and_memory)
{
	static const struct {
		const char *system, *release, *knob;
		double ram_mib, value;
	} t[] = {
		{ "Linux", "6.1", "net.ipv4.tcp_rmem", NAN, 6291456 },
		{ "Linux", "6.18.1", "net.ipv4.tcp_rmem", NAN, 33554432 },
		{ "Linux", "6.18.1", "net.ipv4.tcp_rmem", 2048, 16777216 },
		{ "Linux", "6.1", "net.ipv4.tcp_wmem", 512, 4194304 },
		{ "Linux", "6.1", "net.ipv4.tcp_wmem", 256, 2097152 },
		{ "Linux", "6.1", "net.ipv4.tcp_wmem", 4, 65536 },
		{ "Linux", "6.1", "net.ipv4.tcp_rmem", 4, 131072 },
		{ "Linux", "6.12", "net.core.rmem_max", NAN, 212992 },
		{ "Linux", "6.18", "net.core.wmem_max", NAN, 4194304 },
		{ "FreeBSD", "14.2", "kern.ipc.maxsockbuf", 256, 2097152 },
		{ "NetBSD", "10.1", "kern.sbmax", 256, 262144 },
		{ "FreeBSD", "14.2", "net.inet.tcp.cc.algorithm", 256, NAN },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct system s = stock(t[i].system, t[i].release, NULL);
		double value = NAN;

		s.f.ram_bytes = t[i].ram_mib * MIB;
		for (size_t j = 0; j < s.p->n_knobs; j++) {
			if (strcmp(s.p->knobs[j].name, t[i].knob) == 0)
				value = kernel_default(&s.p->knobs[j], &s.f);
		}
		cr_expect(value == t[i].value || (isnan(value) && isnan(t[i].value)),
		    "row %zu: %.0f", i, value);
		arena_free(s.a);
	}
}

Test(kernel, knobs_are_those_that_were_read_and_else_the_defaults)
{
	struct system s = stock("FreeBSD", "14.2", "amd64");
	struct knob_fact f[] = {
		{ "net.inet.tcp.recvbuf_max", "4194304", 4194304, 1, 2147483647, true, NULL },
		{ "net.inet.tcp.sendbuf_max", NULL, NAN, 1, 2147483647, false, "not there" },
	};

	s.f.knobs = f;
	s.f.n_knobs = NELEM(f);
	s.k = kernel_knobs(s.p, &s.f);
	cr_assert_eq(s.k.value[ROLE_RECEIVE_MAX], 4194304);
	cr_assert_eq(s.k.value[ROLE_SEND_MAX], 2097152);
	cr_assert_eq(s.k.value[ROLE_LIMIT], 2097152);
	cr_assert(isnan(s.k.value[ROLE_RECEIVE_INCREMENT]), "gone since 13");
	arena_free(s.a);
}

Test(kernel, an_autotuning_that_is_off_leaves_what_a_socket_starts_with)
{
	struct system s = stock("FreeBSD", "14.2", "amd64");

	s.k.value[ROLE_RECEIVE_AUTO] = 0;
	cr_assert_eq(window(&s, DIR_RECEIVE, 100).stop_bytes, 65700);
	cr_assert_eq(window(&s, DIR_SEND, 100).stop_bytes, 1860120);
	arena_free(s.a);
}

/* Values that somebody set by mistake: a window is a number, and nothing loops. */
Test(kernel, nonsense_in_a_knob_gives_no_nonsense_and_ends)
{
	static const double values[] = { -2147483648., -1, 0, 1, 65700, 2147483647, 1.8446744e19 };

	for (size_t role = ROLE_LIMIT; role <= ROLE_RECEIVE_AUTO; role++) {
		for (size_t i = 0; i < NELEM(values); i++) {
			struct system s = stock("NetBSD", "10.1", "amd64");

			s.k.value[role] = values[i];
			for (enum direction d = DIR_SEND; d <= DIR_RECEIVE; d++) {
				struct kernel_window w = window(&s, d, 100);

				cr_expect(isfinite(w.stop_bytes) && isfinite(w.sure_bytes) &&
				    w.sure_bytes >= 0, "role %zu = %g", role, values[i]);
				cr_expect(kernel_mean_bps(s.p, &s.f, &s.k, d, 100, 10) >= 0,
				    "role %zu = %g", role, values[i]);
			}
			arena_free(s.a);
		}
	}
}

Test(kernel, no_model_no_window)
{
	struct system s = stock("FreeBSD", "12.4", "amd64");
	struct kernel_window w;

	cr_assert_not(kernel_window(s.p, &s.f, &s.k, DIR_RECEIVE, 100, &w),
	    "12 grew by recvbuf_inc: this is not its model");
	s.f.release = NULL;
	cr_assert_not(kernel_window(s.p, &s.f, &s.k, DIR_SEND, 100, &w));
	s.f.release = "14.2";
	s.k.value[ROLE_LIMIT] = NAN;
	cr_assert_not(kernel_window(s.p, &s.f, &s.k, DIR_SEND, 100, &w));
	arena_free(s.a);
}

Test(kernel, a_limit_for_a_maximum_admits_it_and_no_step_less_does)
{
	struct system s = stock("NetBSD", "10.1", "amd64");
	const struct window_model *m = profile_window(s.p, DIR_SEND, "10.1", "amd64");

	cr_assert_eq(kernel_limit_bytes(m, 2097152, 65536), 2621440);
	for (double max = 4096; max < 1e9; max = floor(max * 1.37)) {
		double limit = kernel_limit_bytes(m, max, 65536);

		cr_expect(kernel_limit_share(m, limit) >= max, "%.0f", max);
		cr_expect(kernel_limit_share(m, limit - 65536) < max, "%.0f", max);
		cr_expect_eq(fmod(limit, 65536), 0);
	}
	arena_free(s.a);
}
