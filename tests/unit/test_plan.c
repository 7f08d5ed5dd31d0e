#include "sample.h"
#include <stdlib.h>
#include "tuner/kernel.h"
#include "tuner/plan.h"

static struct plan
planned(struct arena *a, const struct facts *f, const struct options *o)
{
	struct err e = { ERR_NONE, "" };
	struct plan plan;

	cr_assert(plan_make(a, sample_profile(a), f, o, &plan, &e), "%s", e.text);
	return plan;
}

Test(kernel, half_of_the_receive_maximum_is_window_before_6_6_and_62_percent_after)
{
	static const struct {
		const char *release;
		double factor;
	} t[] = {
		{ "5.10.0", .5 },
		{ "6.1.192", .5 },
		{ "6.5.13", .5 },
		{ "6.6", .62 },
		{ "6.6.1", .62 },
		{ "6.12.117", .62 },
		{ "6.18.44-fc", .62 },
		{ "7.0", .62 },
	};
	struct arena *a = arena_new();
	const struct profile *p = sample_profile(a);

	for (size_t i = 0; i < NELEM(t); i++) {
		const struct window_model *m = profile_window(p, DIR_RECEIVE, t[i].release, "x86_64");

		cr_assert_not_null(m, "%s", t[i].release);
		cr_assert_eq(m->factor, t[i].factor, "%s gives %g", t[i].release, m->factor);
		cr_assert_eq(kernel_window_bytes(m, 6291456), floor(6291456 * t[i].factor));
	}
	arena_free(a);
}

Test(kernel, the_maximum_for_a_window_admits_it_and_hardly_more)
{
	struct arena *a = arena_new();
	const struct window_model *m = profile_window(sample_profile(a), DIR_SEND, "6.18", "x86_64");

	for (double w = 65536; w <= 64 * 1048576.0; w *= 1.5) {
		double max = kernel_max_bytes(m, w);

		cr_assert(kernel_window_bytes(m, max) >= w, "%.0f", w);
		cr_assert(kernel_window_bytes(m, max - 4096) < w, "%.0f", w);
		cr_assert_eq(fmod(max, 4096), 0);
	}
	arena_free(a);
}

Test(plan, starts_at_the_window_that_the_kernel_gives_now_and_ends_at_a_sixteenth_of_ram)
{
	struct arena *a = arena_new();
	struct facts f = sample_facts(a);
	struct options o = { .direction = DIR_BOTH };
	struct plan plan = planned(a, &f, &o);

	cr_assert_eq(plan.n_directions, 2u);
	cr_assert_eq(plan.directions[0].direction, DIR_SEND);
	cr_assert_eq(plan.directions[0].window_bytes, floor(.62 * 4194304));
	cr_assert_eq(plan.directions[0].window_max_bytes, 64 * 1048576.0);
	f.ram_bytes = 256 * 1048576.0;
	cr_assert_eq(planned(a, &f, &o).directions[0].window_max_bytes, 16 * 1048576.0);
	f.ram_bytes = 16 * 1048576.0;
	cr_assert_eq(planned(a, &f, &o).directions[0].window_max_bytes, floor(.62 * 4194304),
	    "never below what the kernel runs with");
	arena_free(a);
}

Test(plan, a_host_below_the_kernels_default_goes_to_that_and_nothing_in_between)
{
	static const struct { const char *wmem; double now, next; } cases[] = {
		{ "4096 16384 262144", .62 * 262144, .62 * 4194304 },
		{ "4096 16384 4194304", .62 * 4194304, .62 * 4198400 },
		{ "4096 16384 16777216", .62 * 16777216, .62 * 16785408 },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct arena *a = arena_new();
		struct facts f = sample_facts(a);
		struct options o = { .direction = DIR_SEND };
		struct plan plan;

		for (size_t j = 0; j < f.n_knobs; j++) {
			if (strcmp(f.knobs[j].name, "net.ipv4.tcp_wmem") == 0) {
				f.knobs[j].text = cases[i].wmem;
				f.knobs[j].now = strtod(strrchr(cases[i].wmem, ' '), NULL);
			}
		}
		plan = planned(a, &f, &o);
		cr_expect(fabs(plan.directions[0].window_bytes - cases[i].now) < 2);
		cr_expect(fabs(plan.directions[0].window_next_bytes - cases[i].next) < 20000 * .62,
		    "%s: %g", cases[i].wmem, plan.directions[0].window_next_bytes);
		arena_free(a);
	}
}

Test(plan, leaves_a_window_alone_that_cannot_be_set_and_says_why)
{
	struct arena *a = arena_new();
	struct facts f = sample_facts(a);
	struct options o = { .direction = DIR_SEND };
	struct plan plan;

	f.knobs[1].writable = false;
	f.knobs[1].why = "needs root";
	plan = planned(a, &f, &o);
	cr_assert_eq(plan.directions[0].window_max_bytes, plan.directions[0].window_bytes);
	cr_assert(plan.n_notes == 1 && strstr(plan.notes[0], "needs root") != NULL);
	arena_free(a);
}

Test(plan, tries_the_default_cubic_and_bbr_and_the_rest_only_when_asked)
{
	static const struct {
		const char *now, *start;
		bool privileged, all;
		const char *expected;
	} t[] = {
		{ "cubic", NULL, true, false, "cubic bbr" },
		{ "bbr", NULL, true, false, "bbr cubic" },
		{ "bbr", "cubic", true, false, "cubic bbr" },
		{ "reno", NULL, true, false, "reno cubic bbr" },
		{ "cubic", NULL, true, true, "cubic bbr reno" },
		{ "cubic", NULL, false, false, "cubic" },
		{ "reno", NULL, false, true, "reno cubic" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct arena *a = arena_new();
		struct facts f = sample_facts(a);
		struct options o = {
			.direction = DIR_SEND, .start_cc = t[i].start, .all_cc = t[i].all
		};
		struct text names = { .arena = a };
		struct plan plan;

		f.cc = t[i].now;
		f.privileged = t[i].privileged;
		plan = planned(a, &f, &o);
		for (size_t j = 0; j < plan.directions[0].n_cc; j++)
			text_add(&names, "%s%s", j == 0 ? "" : " ", plan.directions[0].cc[j]);
		cr_assert_str_eq(names.s, t[i].expected, "row %zu", i);
		arena_free(a);
	}
}

Test(plan, leaves_congestion_control_to_the_peer_when_receiving)
{
	struct arena *a = arena_new();
	struct facts f = sample_facts(a);
	struct options o = { .direction = DIR_RECEIVE };

	cr_assert_eq(planned(a, &f, &o).directions[0].n_cc, 0u);
	arena_free(a);
}

Test(plan, refuses_to_start_from_a_knob_that_could_not_be_read)
{
	struct arena *a = arena_new();
	struct facts f = sample_facts(a);
	struct options o = { .direction = DIR_SEND };
	struct err e = { ERR_NONE, "" };
	struct plan plan;

	f.knobs[1].now = NAN;
	cr_assert_not(plan_make(a, sample_profile(a), &f, &o, &plan, &e));
	cr_assert(strstr(e.text, "net.ipv4.tcp_wmem") != NULL, "%s", e.text);
	arena_free(a);
}

/* On a BSD a knob has no file: the profile's commands set it. */
Test(plan, searches_windows_whose_knobs_are_set_by_commands)
{
	struct arena *a = arena_new();
	struct facts f = sample_facts(a);
	struct options o = { .direction = DIR_SEND };
	struct err e = { ERR_NONE, "" };
	struct profile *p;
	struct plan plan;

	cr_assert(profile_for(a, "FreeBSD", &p, &e), "%s", e.text);
	f.release = "14.2";
	sample_knob(a, &f, "net.inet.tcp.sendbuf_max", "2097152", 2097152, true);
	cr_assert(plan_make(a, p, &f, &o, &plan, &e), "%s", e.text);
	cr_expect(plan.directions[0].window_writable, "%s", plan.directions[0].why);
	cr_expect_gt(plan.directions[0].window_max_bytes, plan.directions[0].window_bytes);
	cr_expect_eq(plan.n_notes, 0);
	arena_free(a);
}

/* Systems whose knobs nothing sets, or that have none: measured, not searched. */
Test(plan, says_why_windows_of_another_system_are_not_searched)
{
	static const struct {
		const char *system, *release, *knob;
		double window;
		const char *why;
	} t[] = {
		{ "FreeBSD", "14.2", "net.inet.tcp.sendbuf_max", 1860120,
		    "no command that sets it" },
		{ "OpenBSD", "7.8", NULL, 2097152, "no knob" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct arena *a = arena_new();
		struct facts f = sample_facts(a);
		struct options o = { .direction = DIR_SEND };
		struct err e = { ERR_NONE, "" };
		struct profile *p;
		struct plan plan;

		cr_assert(profile_for(a, t[i].system, &p, &e), "%s", e.text);
		p->n_knob_write = 0;
		f.release = t[i].release;
		if (t[i].knob != NULL)
			sample_knob(a, &f, t[i].knob, "2097152", 2097152, true);
		cr_assert(plan_make(a, p, &f, &o, &plan, &e), "%s", e.text);
		cr_expect_eq(plan.directions[0].window_bytes, t[i].window);
		cr_expect_eq(plan.directions[0].window_max_bytes, t[i].window);
		cr_expect_not(plan.directions[0].window_writable);
		cr_expect(plan.n_notes == 1 && strstr(plan.notes[0], t[i].why) != NULL, "%s",
		    plan.notes[0]);
		arena_free(a);
	}
}

Test(plan, loads_a_congestion_control_only_for_who_may)
{
	static const char *loadable[] = { "bbr" };
	struct arena *a = arena_new();
	struct facts f = sample_facts(a);
	struct options o = { .direction = DIR_SEND };

	f.n_cc_available = 2; /* reno and cubic */
	f.cc_loadable = loadable;
	f.n_cc_loadable = 1;
	cr_assert_eq(planned(a, &f, &o).directions[0].n_cc, 2u);
	f.privileged = false;
	cr_assert_eq(planned(a, &f, &o).directions[0].n_cc, 1u);
	arena_free(a);
}

Test(plan, needs_a_release_to_know_the_kernel_by)
{
	struct arena *a = arena_new();
	struct facts f = sample_facts(a);
	struct options o = { .direction = DIR_SEND };
	struct err e = { ERR_NONE, "" };
	struct plan plan;

	f.release = NULL;
	cr_assert_not(plan_make(a, sample_profile(a), &f, &o, &plan, &e));
	cr_assert_str_eq(e.text, "the kernel's release is not known");
	arena_free(a);
}

Test(plan, says_which_limit_stays_as_it_is)
{
	struct arena *a = arena_new();
	struct facts f = sample_facts(a);
	struct options o = { .direction = DIR_BOTH };
	struct plan plan;

	cr_assert_eq(planned(a, &f, &o).n_notes, 0u);
	f.knobs[3].writable = false;
	f.knobs[3].why = "read-only here";
	plan = planned(a, &f, &o);
	cr_assert_eq(plan.n_notes, 1u);
	cr_assert_str_eq(plan.notes[0], "net.core.wmem_max stays at 4194304: read-only here");
	arena_free(a);
}

Test(plan, autotuning_that_is_off_is_a_small_window_and_no_error)
{
	struct arena *a = arena_new();
	struct profile *p = sample_profile(a);
	struct facts f = sample_facts(a);
	struct options o = { .direction = DIR_RECEIVE, .budget_s = 300 };
	struct err e = { ERR_NONE, "" };
	struct plan plan;

	sample_knob(a, &f, "net.ipv4.tcp_moderate_rcvbuf", "0", 0, true);
	cr_assert(plan_make(a, p, &f, &o, &plan, &e), "%s", e.text);
	cr_assert_eq(plan.directions[0].window_bytes, 81264);
	arena_free(a);
}
