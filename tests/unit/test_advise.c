/*
 * advise: facts in, settings and words out.  No host is asked.
 */
#include "tuner/advise.h"
#include "tuner/kernel.h"
#include "tuner/profile.h"
#include "tuner/report_advice.h"
#include "tuner/settings.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define MIB 1048576.
#define BDP 15675000. /* of the published path: 600 Mbit/s, 209 ms */

static struct advice_path published[] = { { 209, 600e6 } };

struct world {
	struct arena *a;
	struct profile *p;
	struct run run;
	struct err e;
};

static struct world
world_new(const char *system, const char *release, double ram_bytes)
{
	struct world w = { .a = arena_new() };

	cr_assert(profile_named(w.a, system, &w.p, &w.e), "%s", w.e.text);
	record_init(&run_record, &w.run);
	cr_assert(advise_facts(w.a, w.p, release, NULL, ram_bytes, &w.run.facts, &w.e), "%s",
	    w.e.text);
	w.run.options.direction = DIR_BOTH;
	w.run.options.paths = published;
	w.run.options.n_paths = 1;
	return w;
}

static void
advise(struct world *w)
{
	cr_assert(advise_make(w->a, w->p, &w->run, &w->e), "%s", w->e.text);
}

/* The value that a line sets, or NULL. */
static const char *
line_of(const struct world *w, const char *name)
{
	for (size_t i = 0; i < w->run.decision.n_settings; i++) {
		if (strcmp(w->run.decision.settings[i].name, name) == 0)
			return w->run.decision.settings[i].new;
	}
	return NULL;
}

static struct knob_fact *
knob(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->run.facts.n_knobs; i++) {
		if (strcmp(w->run.facts.knobs[i].name, name) == 0)
			return &w->run.facts.knobs[i];
	}
	cr_assert_fail("no knob %s", name);
	return NULL;
}

static bool
noted(const struct world *w, const char *words)
{
	for (size_t i = 0; i < w->run.advice.n_notes; i++) {
		if (strstr(w->run.advice.notes[i], words) != NULL)
			return true;
	}
	return false;
}

/* The usable window with buffers set like this, all three maxima alike. */
static double
sure_with(struct world *w, enum direction d, double limit, double max)
{
	struct kernel_knobs k = kernel_knobs(w->p, &w->run.facts);
	struct kernel_window got;

	k.value[ROLE_LIMIT] = limit;
	k.value[ROLE_SEND_MAX] = k.value[ROLE_RECEIVE_MAX] = max;
	cr_assert(kernel_window(w->p, &w->run.facts, &k, d, 209, &got));
	return got.sure_bytes;
}

Test(advise, the_published_path_fits_where_16_mb_copied_from_elsewhere_do_not)
{
	static const struct {
		const char *system, *release;
	} t[] = {
		{ "freebsd", "13.0" }, { "freebsd", "14.2" }, { "freebsd", "15.0" },
		{ "netbsd", "9.3" }, { "netbsd", "10.1" }, { "linux", "6.1" }, { "linux", "6.12" },
		{ "dragonfly", "6.4" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct world w = world_new(t[i].system, t[i].release, 2048 * MIB);
		struct facts after;
		struct kernel_knobs k;

		advise(&w);
		cr_expect_eq(w.run.decision.verdict, VERDICT_CHANGE);
		cr_expect_eq(w.run.decision.class, CLASS_ADVICE);
		after = settings_applied(w.a, w.p, &w.run.facts, w.run.decision.settings,
		    w.run.decision.n_settings);
		k = kernel_knobs(w.p, &after);
		for (enum direction d = DIR_SEND; d <= DIR_RECEIVE; d++) {
			struct kernel_window got;

			cr_assert(kernel_window(w.p, &after, &k, d, 209, &got));
			cr_expect(got.sure_bytes >= BDP, "%s %s: %.0f", t[i].system, t[i].release,
			    got.sure_bytes);
			cr_expect(strcmp(t[i].system, "dragonfly") == 0 ||
			    sure_with(&w, d, 16 * MIB, 16 * MIB) < BDP, "%s: 16 MiB suffice",
			    t[i].system);
		}
		cr_expect_not(w.run.advice.bounded);
		arena_free(w.a);
	}
}

Test(advise, a_direction_says_now_and_after)
{
	struct world w = world_new("freebsd", "14.2", 2048 * MIB);
	const struct advice_direction *d;

	advise(&w);
	cr_assert_eq(w.run.advice.n_directions, 2u);
	d = &w.run.advice.directions[1];
	cr_expect_eq(d->direction, DIR_RECEIVE);
	cr_expect_eq(d->needed_bytes, BDP);
	cr_expect_eq(d->now_bytes, 1683810);
	cr_expect_eq(d->after_bytes, 15675392);
	cr_expect_eq(d->now_scale, 6);
	cr_expect_eq(d->after_scale, 9);
	cr_expect(fabs(d->now_bps - 64.45e6) < .01e6, "%.0f", d->now_bps);
	cr_expect(d->after_bps >= 600e6);
	cr_expect(d->now_growth_s > 1 && d->after_growth_s < 4);
	cr_expect(strstr(d->words, "kern.ipc.maxsockbuf (2097152)") != NULL, "%s", d->words);
	d = &w.run.advice.directions[0];
	cr_expect(isnan(d->now_scale) && isnan(d->now_growth_s));
	cr_expect_eq(d->now_bytes, 1860120);
	cr_expect_str_eq(line_of(&w, "kern.ipc.maxsockbuf"), "17694720");
	cr_expect_not(w.run.decision.settings[0].verified, "nothing was set here");
	cr_expect_eq(w.run.advice.memory_bytes, 15675392, "of the busier direction's buffer");
	cr_expect_eq(w.run.advice.bound_bytes, 64 * MIB, "of clusters, RAM / 8");
	arena_free(w.a);
}

Test(advise, enough_is_an_answer)
{
	struct world w = world_new("linux", "6.18", 4096 * MIB);

	w.run.options.direction = DIR_RECEIVE;
	advise(&w);
	cr_expect_eq(w.run.decision.verdict, VERDICT_KEEP);
	cr_expect_eq(w.run.decision.class, CLASS_ENOUGH);
	cr_expect_eq(w.run.decision.n_settings, 0u);
	cr_expect(strstr(w.run.advice.directions[0].words, "enough") != NULL);
	arena_free(w.a);
}

Test(advise, a_ceiling_is_stated_with_its_number_and_the_connections_that_fill_the_path)
{
	struct world w = world_new("openbsd", "7.8", 2048 * MIB);
	const char *words;

	advise(&w);
	cr_expect_eq(w.run.decision.class, CLASS_CEILING);
	cr_expect_eq(w.run.decision.n_settings, 0u);
	words = w.run.advice.directions[0].words;
	cr_expect(strstr(words, "2097152 bytes") != NULL, "%s", words);
	cr_expect(strstr(words, "8 connections") != NULL, "%s", words);
	arena_free(w.a);
	w = world_new("openbsd", "7.8", NAN);
	w.run.options.paths = (struct advice_path[]){ { 20, 100e6 } };
	advise(&w);
	cr_expect_eq(w.run.decision.class, CLASS_ENOUGH, "below the ceiling");
	arena_free(w.a);
}

Test(advise, a_switch_that_is_off_is_what_limits_and_no_ceiling)
{
	struct world w = world_new("openbsd", "7.8", 2048 * MIB);

	knob(&w, "net.inet.tcp.rfc1323")->now = 0;
	knob(&w, "net.inet.tcp.rfc1323")->text = "0";
	advise(&w);
	cr_assert_eq(w.run.decision.class, CLASS_ADVICE);
	cr_assert_str_eq(line_of(&w, "net.inet.tcp.rfc1323"), "1");
	cr_assert_eq(w.run.advice.directions[1].now_bytes, 65535);
	cr_assert_eq(w.run.advice.directions[1].now_scale, 0);
	cr_assert_eq(w.run.advice.directions[1].after_bytes, 2 * MIB);
	cr_assert_str_eq(w.run.advice.directions[0].words,
	    "net.inet.tcp.rfc1323 (0) bounds the window at 64.0 KiB; the path holds 14.9 MiB. No "
	    "more than 2 MiB can be had.");
	knob(&w, "net.inet.tcp.rfc1323")->writable = false;
	w.run.advice = (struct advice){ 0 };
	advise(&w);
	cr_assert_eq(w.run.decision.class, CLASS_CANNOT_BIND);
	cr_assert(strstr(w.run.advice.directions[0].words,
	    " net.inet.tcp.rfc1323 cannot be set here, so 64.0 KiB remain.") != NULL, "%s",
	    w.run.advice.directions[0].words);
	arena_free(w.a);
}

Test(advise, memory_and_connections_bound_the_window)
{
	struct world w = world_new("freebsd", "14.2", 2048 * MIB);
	double window;

	w.run.facts.mbuf_bytes = NAN;
	w.run.options.connections = 110;
	w.run.options.direction = DIR_SEND;
	advise(&w);
	window = w.run.advice.directions[0].after_bytes;
	cr_expect(w.run.advice.bounded);
	cr_expect(w.run.advice.memory_bytes <= 512 * MIB, "%.0f", w.run.advice.memory_bytes);
	cr_expect(w.run.advice.memory_bytes > 500 * MIB, "no more is lost than must be: %.0f",
	    w.run.advice.memory_bytes);
	cr_expect(window > 4.6e6 && window < BDP, "%.0f", window);
	cr_expect(strstr(w.run.advice.directions[0].words, "31 % of the path") != NULL, "%s",
	    w.run.advice.directions[0].words);
	cr_expect_not(noted(&w, "nmbclusters"), "RAM cannot be raised by a knob");
	w.run.facts.mbuf_bytes = 1024 * MIB;
	advise(&w);
	cr_expect_eq(w.run.advice.bound_bytes, 256 * MIB, "what the kernel lets buffers take");
	cr_expect(w.run.advice.directions[0].after_bytes < window);
	cr_expect(noted(&w, "kern.ipc.nmbclusters bounds the memory for buffers, here to 1 GiB: "
	    "raising it makes room for larger windows."));
	arena_free(w.a);
}

/* Maxima raised, the limit forgotten: raising it makes room for what the others were set to. */
Test(advise, a_limit_makes_no_room_for_more_than_memory_admits)
{
	static const struct {
		double mbuf_bytes, connections;
		bool bounded;
		const char *limit;
	} t[] = {
		{ 128 * MIB, 1, false, "20840448" }, /* twice 64 MiB would not fit */
		{ 1024 * MIB, 1, false, "83886080" },
		{ 128 * MIB, 8, true, "5242880" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct world w = world_new("netbsd", "10.1", 2048 * MIB);

		knob(&w, "net.inet.tcp.sendbuf_max")->now = 64 * MIB;
		knob(&w, "net.inet.tcp.sendbuf_max")->text = "67108864";
		knob(&w, "net.inet.tcp.recvbuf_max")->now = 64 * MIB;
		knob(&w, "net.inet.tcp.recvbuf_max")->text = "67108864";
		w.run.facts.mbuf_bytes = t[i].mbuf_bytes;
		w.run.options.connections = t[i].connections;
		advise(&w);
		cr_expect_eq(w.run.advice.bounded, t[i].bounded, "row %zu", i);
		cr_expect_str_eq(line_of(&w, "kern.sbmax"), t[i].limit, "row %zu", i);
		cr_expect(w.run.advice.memory_bytes <= w.run.advice.bound_bytes, "row %zu: %.0f", i,
		    w.run.advice.memory_bytes);
		arena_free(w.a);
	}
}

/* As on the recorded machines of 2 GiB, with one connection and with many. */
Test(advise, flags_bound_the_memory_as_the_facts_of_such_a_machine_do)
{
	static const struct {
		const char *system, *release;
		double mbuf_bytes, tolerance;
	} t[] = {
		{ "freebsd", "13.2", 261079040, .03 }, { "netbsd", "10.1", 134217728, 0 },
		{ "linux", "6.12", 128 * MIB, 0 },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct world w = world_new(t[i].system, t[i].release, 2048 * MIB);

		advise(&w);
		cr_expect(fabs(w.run.advice.bound_bytes / (t[i].mbuf_bytes / 4) - 1) <=
		    t[i].tolerance, "%s: %.0f", t[i].system, w.run.advice.bound_bytes);
		cr_expect_not(w.run.advice.bounded, "%s", t[i].system);
		arena_free(w.a);
		w = world_new(t[i].system, t[i].release, NAN);
		cr_expect(isnan(w.run.facts.mbuf_bytes), "nothing is bounded by what is not known");
		arena_free(w.a);
	}
}

Test(advise, what_runs_is_kept_when_memory_has_no_room_even_for_that)
{
	struct world w = world_new("freebsd", "14.2", 256 * MIB);

	w.run.options.connections = 1000;
	advise(&w);
	cr_expect_eq(w.run.decision.verdict, VERDICT_KEEP);
	cr_expect_eq(w.run.decision.class, CLASS_MEMORY);
	cr_expect_eq(w.run.decision.n_settings, 0u);
	cr_expect_eq(w.run.advice.directions[0].after_bytes, 1860120);
	cr_expect(noted(&w, "nothing is lowered"));
	arena_free(w.a);
}

Test(advise, linux_is_bounded_by_tcp_mem)
{
	struct world w = world_new("linux", "6.12", 2048 * MIB);

	w.run.facts.tcp_mem_pages = 20480;
	w.run.facts.page_bytes = 4096;
	advise(&w);
	cr_expect_eq(w.run.advice.bound_bytes, 20 * MIB);
	cr_expect(w.run.advice.bounded && w.run.advice.memory_bytes <= 20 * MIB);
	cr_expect(noted(&w, "net.ipv4.tcp_mem bounds the memory for buffers, here to 80 MiB"));
	cr_expect_null(line_of(&w, "net.core.wmem_max"), "binds no connection that tunes itself");
	arena_free(w.a);
}

Test(advise, one_setting_serves_all_paths)
{
	struct advice_path paths[] = { { 5, 1e9 }, { 209, 600e6 }, { 300, 100e6 } };
	struct world w = world_new("netbsd", "10.1", NAN);

	w.run.options.paths = paths;
	w.run.options.n_paths = NELEM(paths);
	advise(&w);
	cr_expect_eq(w.run.advice.directions[0].needed_bytes, BDP);
	cr_expect(noted(&w, "3 paths"));
	cr_expect_eq(w.run.advice.directions[0].now_bps, 204800 * 8 / .005, "of the first path");
	arena_free(w.a);
}

Test(advise, the_path_of_the_facts_is_used_and_a_missing_part_is_named)
{
	static const struct {
		double rtt_ms, send_bps, receive_bps, flag_rtt_ms, flag_rate_bps;
		const char *missing;
	} t[] = {
		{ 209, 300e6, 600e6, NAN, NAN, NULL },
		{ 209, NAN, 600e6, NAN, NAN, NULL },
		{ 209, NAN, NAN, NAN, 600e6, NULL },
		{ NAN, 600e6, NAN, 209, NAN, NULL },
		{ NAN, NAN, NAN, NAN, NAN, "--rtt and --rate are needed" },
		{ 209, NAN, NAN, NAN, NAN, "--rate is needed" },
		{ NAN, 600e6, NAN, NAN, NAN, "--rtt is needed" },
		{ NAN, NAN, NAN, 209, NAN, "--rate is needed" },
		{ 0, 600e6, NAN, NAN, NAN, "--rtt is needed" },
		{ 1e6, 1e15, NAN, NAN, NAN, "more than any path" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct world w = world_new("freebsd", "14.2", NAN);
		struct advice_path flags = { t[i].flag_rtt_ms, t[i].flag_rate_bps };

		w.run.options.paths = &flags;
		w.run.options.n_paths = isnan(flags.rtt_ms) && isnan(flags.rate_bps) ? 0 : 1;
		w.run.facts.rtt_ms = t[i].rtt_ms;
		w.run.facts.send_bps = t[i].send_bps;
		w.run.facts.receive_bps = t[i].receive_bps;
		if (t[i].missing == NULL) {
			advise(&w);
			cr_expect_eq(w.run.advice.directions[0].needed_bytes, BDP, "row %zu", i);
		} else {
			cr_expect_not(advise_make(w.a, w.p, &w.run, &w.e), "row %zu", i);
			cr_expect_eq(w.e.code, ERR_USAGE);
			cr_expect(strstr(w.e.text, t[i].missing) != NULL, "row %zu: %s", i,
			    w.e.text);
			cr_expect_eq(w.run.advice.n_directions, 0u, "outputs are untouched");
		}
		arena_free(w.a);
	}
}

Test(advise, knobs_that_were_not_read_are_assumed_and_named)
{
	struct world w = world_new("freebsd", "14.2", NAN);

	knob(&w, "kern.ipc.maxsockbuf")->text = NULL;
	knob(&w, "kern.ipc.maxsockbuf")->now = NAN;
	advise(&w);
	cr_expect_str_eq(line_of(&w, "kern.ipc.maxsockbuf"), "17694720");
	cr_expect(noted(&w, "assumed: kern.ipc.maxsockbuf."));
	w.run.facts.n_knobs = 0;
	advise(&w);
	cr_expect_str_eq(line_of(&w, "net.inet.tcp.recvbuf_max"), "15675392");
	cr_expect(noted(&w, "net.inet.tcp.recvbuf_max"));
	arena_free(w.a);
}

Test(advise, without_privilege_all_is_taken_for_settable_and_with_it_not)
{
	struct world w = world_new("freebsd", "14.2", NAN);

	for (size_t i = 0; i < w.run.facts.n_knobs; i++)
		w.run.facts.knobs[i].writable = false;
	w.run.facts.privileged = false;
	advise(&w);
	cr_expect_str_eq(line_of(&w, "kern.ipc.maxsockbuf"), "17694720");
	cr_expect(noted(&w, "Not probed by root"));
	knob(&w, "kern.ipc.maxsockbuf")->why = "needs root";
	advise(&w);
	cr_expect_str_eq(line_of(&w, "kern.ipc.maxsockbuf"), "17694720");
	w.run.facts.writable_scopes = "namespace";
	advise(&w);
	cr_expect_eq(w.run.decision.verdict, VERDICT_KEEP, "a jail of its own has no limit");
	w.run.facts.writable_scopes = NULL;
	knob(&w, "kern.ipc.maxsockbuf")->why = "read-only here (container or namespace)";
	advise(&w);
	cr_expect_eq(w.run.decision.verdict, VERDICT_KEEP, "nor can root set it");
	w.run.facts.privileged = true;
	advise(&w);
	cr_expect_eq(w.run.decision.verdict, VERDICT_KEEP);
	cr_expect_eq(w.run.decision.class, CLASS_CANNOT_BIND);
	cr_expect(strstr(w.run.advice.directions[0].words, "cannot be set here") != NULL, "%s",
	    w.run.advice.directions[0].words);
	arena_free(w.a);
}

Test(advise, a_release_without_a_model_is_an_error_and_one_without_a_number_too)
{
	struct world w = world_new("freebsd", "12.4", NAN);
	struct facts f;

	cr_expect_not(advise_make(w.a, w.p, &w.run, &w.e));
	cr_expect(strstr(w.e.text, "no send window model for release 12.4") != NULL, "%s", w.e.text);
	w.e.code = ERR_NONE;
	cr_expect_not(advise_facts(w.a, w.p, "current", NULL, NAN, &f, &w.e));
	cr_expect_eq(w.e.code, ERR_USAGE);
	w.e.code = ERR_NONE;
	cr_expect_not(advise_facts(w.a, w.p, NULL, NULL, NAN, &f, &w.e));
	cr_expect(strstr(w.e.text, "--release") != NULL);
	w.run.facts.release = NULL;
	w.e.code = ERR_NONE;
	cr_expect_not(advise_make(w.a, w.p, &w.run, &w.e));
	arena_free(w.a);
}

Test(advise, what_was_read_but_not_understood_is_as_if_not_read)
{
	struct world w = world_new("linux", "6.12", NAN);

	knob(&w, "net.ipv4.tcp_wmem")->text = "lots";
	knob(&w, "net.ipv4.tcp_wmem")->now = NAN;
	advise(&w);
	cr_expect_str_eq(line_of(&w, "net.ipv4.tcp_wmem"), "4096 16384 25284608");
	cr_expect(noted(&w, "assumed: net.ipv4.tcp_wmem."));
	arena_free(w.a);
}

Test(advise, a_limit_that_wrapped_does_not_lift_the_bound)
{
	struct world w = world_new("freebsd", "14.2", 2048 * MIB);

	knob(&w, "kern.ipc.maxsockbuf")->text = "18446744073709551615";
	knob(&w, "kern.ipc.maxsockbuf")->now = 18446744073709551615.;
	w.run.options.connections = 50;
	advise(&w);
	cr_expect(w.run.advice.bounded);
	cr_expect(w.run.advice.memory_bytes <= 100 * MIB, "%.0f", w.run.advice.memory_bytes);
	arena_free(w.a);
}

Test(advise, a_negative_initial_size_is_what_leaves_no_socket)
{
	struct world w = world_new("netbsd", "10.1", 2048 * MIB);

	knob(&w, "net.inet.tcp.sendspace")->now = -1;
	knob(&w, "net.inet.tcp.sendspace")->text = "-1";
	advise(&w);
	cr_assert_str_eq(line_of(&w, "net.inet.tcp.sendspace"), "32768");
	cr_assert_str_eq(line_of(&w, "kern.sbmax"), "19595264");
	cr_assert(strstr(w.run.advice.directions[0].words,
	    "No new socket can be had: net.inet.tcp.sendspace (-1) is below 0;") != NULL, "%s",
	    w.run.advice.directions[0].words);
	arena_free(w.a);
}

Test(advise, a_linux_that_does_not_tune_its_buffers_is_told_to)
{
	struct world w = world_new("linux", "6.12", 2048 * MIB);

	knob(&w, "net.ipv4.tcp_moderate_rcvbuf")->now = 0;
	knob(&w, "net.ipv4.tcp_moderate_rcvbuf")->text = "0";
	advise(&w);
	cr_assert_eq(w.run.decision.directions[1].class, CLASS_ADVICE);
	cr_assert_str_eq(line_of(&w, "net.ipv4.tcp_moderate_rcvbuf"), "1");
	cr_assert(w.run.advice.directions[1].now_bytes < 131072);
	cr_assert(strstr(report_advice(w.a, &w.run, false), "0 s") == NULL);
	arena_free(w.a);
}

Test(advise, no_more_is_advised_than_the_largest_scale_can_use)
{
	struct world w = world_new("freebsd", "14.2", 1024 * 1024 * MIB);
	const struct advice_direction *d;

	w.run.options.paths = (struct advice_path[]){ { 1000, 100e9 } };
	advise(&w);
	cr_expect_not(w.run.advice.bounded, "memory has room for more");
	cr_expect_str_eq(line_of(&w, "net.inet.tcp.sendbuf_max"), "1073725440");
	cr_expect_str_eq(line_of(&w, "net.inet.tcp.recvbuf_max"), "1073725440");
	for (size_t i = 0; i < 2; i++) {
		d = &w.run.advice.directions[i];
		cr_expect_eq(d->needed_bytes, 12.5e9);
		cr_expect_eq(d->after_bytes, 65535. * 16384, "%.0f", d->after_bytes);
	}
	cr_expect(noted(&w, "No TCP connection can have more than 1 GiB in flight (window scale 14): "
	    "12 connections at a time"));
	arena_free(w.a);
}

Test(advise, one_connection_gets_no_more_than_the_path_carries)
{
	struct world w = world_new("freebsd", "14.2", NAN);

	w.run.options.paths = (struct advice_path[]){ { 1, 100e6 } };
	advise(&w);
	cr_expect_eq(w.run.advice.directions[0].now_bps, 100e6);
	cr_expect_eq(w.run.advice.directions[1].after_bps, 100e6);
	arena_free(w.a);
	w = world_new("linux", "6.12", NAN);
	advise(&w);
	cr_expect_eq(w.run.advice.directions[0].now_bytes, floor(.62 * 4194304),
	    "what surely is, as in the words: %.0f", w.run.advice.directions[0].now_bytes);
	arena_free(w.a);
}

/* A system of which the profile knows no defaults. */
Test(advise, a_maximum_that_wrapped_is_restored_where_memory_has_no_room_for_more)
{
	struct world w = world_new("freebsd", "13.2", 481 * MIB);

	knob(&w, "kern.ipc.maxsockbuf")->now = knob(&w, "net.inet.tcp.recvbuf_max")->now = 16 * MIB;
	knob(&w, "kern.ipc.maxsockbuf")->text = knob(&w, "net.inet.tcp.recvbuf_max")->text =
	    "16777216";
	knob(&w, "net.inet.tcp.sendbuf_max")->now = -2147483648.;
	knob(&w, "net.inet.tcp.sendbuf_max")->text = "-2147483648";
	w.run.facts.mbuf_bytes = 31018 * 128.;
	w.run.options.direction = DIR_SEND;
	advise(&w);
	cr_assert_eq(w.run.decision.n_settings, 1u);
	cr_assert_str_eq(line_of(&w, "net.inet.tcp.sendbuf_max"), "2097152");
	cr_assert_str_eq(w.run.decision.settings[0].old, "-2147483648");
	cr_assert_eq(w.run.decision.directions[0].class, CLASS_ADVICE);
	cr_assert_eq(w.run.advice.directions[0].after_bytes, 2 * MIB);
	cr_assert_eq(w.run.advice.memory_bytes, 2 * MIB, "no more than it was meant to be");
	arena_free(w.a);
}

Test(advise, a_knob_of_which_nothing_is_known_is_named)
{
	struct world w = world_new("netbsd", "10.1", NAN);

	for (size_t i = 0; i < w.p->n_knobs; i++) {
		if (w.p->knobs[i].role == ROLE_SEND_MAX)
			w.p->knobs[i].n_defaults = 0;
	}
	w.run.facts.n_knobs = 0;
	cr_expect_not(advise_make(w.a, w.p, &w.run, &w.e));
	cr_expect(strstr(w.e.text, "net.inet.tcp.sendbuf_max: neither") != NULL, "%s", w.e.text);
	arena_free(w.a);
}

Test(advise, facts_by_release_arch_and_memory_are_the_kernel_s_defaults)
{
	struct world w = world_new("linux", "6.1.192", 512 * MIB);

	cr_expect_str_eq(knob(&w, "net.ipv4.tcp_rmem")->text, "4096 131072 4194304");
	cr_expect_eq(knob(&w, "net.ipv4.tcp_rmem")->now, 4194304);
	cr_expect_str_eq(knob(&w, "net.ipv4.tcp_congestion_control")->text, "cubic");
	cr_expect_str_eq(w.run.facts.cc, "cubic");
	cr_expect(w.run.facts.privileged);
	arena_free(w.a);
	w = world_new("freebsd", "13.2", NAN);
	cr_expect_str_eq(w.run.facts.cc, "newreno");
	cr_expect_null(facts_knob(&w.run.facts, "net.inet.tcp.recvbuf_inc"), "gone since 13");
	arena_free(w.a);
}

Test(advise, a_saved_run_is_read_back_and_told_the_same)
{
	struct world w = world_new("netbsd", "10.1", 2048 * MIB);
	const char *json, *told;
	struct node *node;
	struct run back;

	w.run.schema = RUN_SCHEMA;
	advise(&w);
	json = record_to_json(w.a, &run_record, &w.run, true);
	cr_assert(node_from_json(w.a, "run", json, strlen(json), &node, &w.e), "%s", w.e.text);
	record_init(&run_record, &back);
	cr_assert(record_from_node(w.a, "run", &run_record, node, &back, &w.e), "%s", w.e.text);
	told = report_advice(w.a, &w.run, false);
	cr_expect_str_eq(report_advice(w.a, &back, false), told);
	cr_expect(strstr(told, "nan") == NULL, "%s", told);
	for (const char *s = told; *s != '\0'; s += strcspn(s, "\n") + 1)
		cr_expect(strcspn(s, "\n") <= 100, "%.120s", s);
	arena_free(w.a);
}

Test(advise, nothing_of_the_facts_commands_the_terminal)
{
	struct world w = world_new("freebsd", "14.2", NAN);
	const char *told;

	advise(&w);
	w.run.facts.os = w.run.facts.arch = "a\033[2Jb\177";
	told = report_advice(w.a, &w.run, false);
	cr_expect(strchr(told, '\033') == NULL && strchr(told, '\177') == NULL);
	cr_expect(strstr(report_advice(w.a, &w.run, true), "\033[1m") != NULL, "color is ours");
	arena_free(w.a);
}
