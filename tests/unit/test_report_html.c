#include "tuner/plot.h"
#include "tuner/report_html.h"
#include "tuner/report_markdown.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define TRIALS 60
#define BINS 80

static struct arena *a;
static struct trial trials[TRIALS];
static double bins[BINS];

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

TestSuite(report_html, .init = setup, .fini = teardown);

static const struct setting was = { .cc = "cubic", .window_bytes = 2621440 },
    now = { .cc = "bbr", .window_bytes = 25165824 };

/* Half of it pairs of a confirmation, the rest of a race. */
static struct run
run_of_60(void)
{
	static struct direction_decision d;
	static struct change_line line = { .name = "net.ipv4.tcp_wmem", .old = "4096 16384 4194304",
		.new = "4096 16384 40587264", .reason = "window-send: more <fits>" };
	static struct file_text file = { "/etc/sysctl.d/90-pathtune.conf",
		"# a & b\nnet.ipv4.tcp_wmem = 1 | 2\n" };
	struct run run;

	record_init(&run_record, &run);
	for (size_t i = 0; i < BINS; i++)
		bins[i] = 1e8 + 1e6 * (double)(i % 7);
	for (size_t i = 0; i < TRIALS; i++) {
		record_init(&trial_record, &trials[i]);
		trials[i].setting = i % 2 == 0 ? was : now;
		trials[i].direction = DIR_SEND;
		trials[i].phase = i < 30 ? PHASE_RACE : PHASE_CONFIRM;
		trials[i].block = (double)((i % 30) / 2);
		trials[i].status = TRIAL_OK;
		trials[i].goodput_bps = i % 2 == 0 ? 1e8 : 1.5e8;
		trials[i].rtt.loaded_ms = 210;
		trials[i].intervals_bps = bins;
		trials[i].n_intervals_bps = BINS;
	}
	record_init(&trial_record, &trials[TRIALS - 1]);
	trials[TRIALS - 1].direction = DIR_SEND;
	trials[TRIALS - 1].phase = PHASE_CONFIRM;
	trials[TRIALS - 1].status = TRIAL_VOID;
	trials[TRIALS - 1].setting = now;
	trials[TRIALS - 1].why = "refused \033[31m<b>";
	d = (struct direction_decision){ .direction = DIR_SEND, .verdict = VERDICT_CHANGE,
		.class = CLASS_BOTH, .effect = { 50, 45, 55, .95, 14, 90 },
		.before = { was, 1e8, 210, 0 }, .after = { now, 1.5e8, 211, .001 },
		.words = "Change: <script>alert(1)</script>" };
	run.decision.verdict = VERDICT_CHANGE;
	run.decision.directions = &d;
	run.decision.n_directions = 1;
	run.decision.settings = &line;
	run.decision.n_settings = 1;
	run.files = &file;
	run.n_files = 1;
	run.trials = trials;
	run.n_trials = TRIALS;
	run.facts.os = "Linux";
	run.facts.rtt_ms = 209;
	run.started = "2026-11-22T05:36:23Z";
	run.version = "0.1.0";
	return run;
}

static size_t
count(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *s = text; (s = strstr(s, word)) != NULL; s += strlen(word))
		n++;
	return n;
}

Test(report_html, a_page_of_60_trials_has_its_figures_and_is_below_300_KB)
{
	struct run run = run_of_60();
	const char *page = report_html(a, &run);

	cr_expect_lt(strlen(page), 300000);
	cr_expect_eq(count(page, "<svg "), 4);
	cr_expect_eq(count(page, "</svg>"), 4);
	/* Over time: one line a good trial; of the pairs: one dot each, but the one that failed. */
	cr_expect_eq(count(page, "<path class=\"line was\""), 30);
	cr_expect_eq(count(page, "<path class=\"line now\""), 29);
	cr_expect_eq(count(page, "<circle"), 14 + 2 * 59);
	cr_expect_not_null(strstr(page, "<title>pathtune: change the settings</title>"));
	cr_expect_not_null(strstr(page, "<summary>All 60 trials</summary>"));
}

Test(report_html, a_page_fetches_and_runs_nothing_and_what_came_from_outside_is_only_text)
{
	struct run run = run_of_60();
	const char *page = report_html(a, &run);

	cr_expect_null(strstr(page, "<script"));
	cr_expect_null(strstr(page, "http"));
	cr_expect_null(strstr(page, "url("));
	cr_expect_null(strchr(page, '\033'));
	cr_expect_not_null(strstr(page, "&lt;script&gt;alert(1)"));
	cr_expect_not_null(strstr(page, "more &lt;fits&gt;"));
	cr_expect_not_null(strstr(page, "# a &amp; b\n"));
	cr_expect_not_null(strstr(page, "refused ?[31m&lt;b&gt;"));
}

Test(report_html, a_run_that_measured_nothing_is_a_page_without_figures)
{
	struct run run;
	const char *page;

	record_init(&run_record, &run);
	page = report_html(a, &run);
	cr_expect_eq(count(page, "<svg "), 0);
	cr_expect_eq(count(page, "<table"), 0);
	cr_expect_not_null(strstr(page, "pathtune: no decision"));
	cr_expect_null(strstr(page, "nan"));
}

Test(report_html, markdown_is_tables_whose_cells_cannot_be_left)
{
	struct run run = run_of_60();
	const char *text;

	run.decision.directions[0].words = "a | b `c` <i> @someone\n# no heading";
	text = report_markdown(a, &run);
	cr_expect_not_null(strstr(text, "\na \\| b \\`c\\` &#60;i> &#64;someone \\# no heading\n"), "%s",
	    text);
	cr_expect_not_null(strstr(text, "\n    net.ipv4.tcp_wmem = 1 | 2\n"));
	cr_expect_not_null(strstr(text, "| after | bbr, window 24 MiB | 150 Mbit/s | 211 ms | 0.10 % |"),
	    "%s", text);
	cr_expect_null(strchr(text, '\033'));
}

static const char *tried_extras[] = { "pacing" };

Test(report_html, extras_that_were_tried_are_named_with_what_became_of_them)
{
	struct run run = run_of_60();
	struct plan_extra planned[] = { { .id = "pacing" }, { .id = "never<tried>" } };
	struct plan_direction plan = { .direction = DIR_SEND, .extras = planned, .n_extras = 2 };

	run.plan.directions = &plan;
	run.plan.n_directions = 1;
	run.trials[3].setting.extras = tried_extras;
	run.trials[3].setting.n_extras = 1;
	cr_expect_not_null(strstr(report_html(a, &run), "<p>also tried: pacing (dropped)</p>"));
	cr_expect_not_null(strstr(report_markdown(a, &run), "\nalso tried: pacing (dropped)\n"));
	run.decision.directions[0].after.setting.extras = tried_extras;
	run.decision.directions[0].after.setting.n_extras = 1;
	cr_expect_not_null(strstr(report_html(a, &run), "<p>also tried: pacing (kept)</p>"));
}

Test(report_html, settings_of_the_user_are_a_table_with_effect_verdict_and_what_they_set)
{
	struct run run = run_of_60();
	struct change_line line = { "kern.<x>", "1", "2", "tried", true };
	struct try_stratum strata[2][2] = { { { 65536, 1e8 }, { 524288, 2e8 } },
		{ { 65536, NAN }, { 524288, 3e8 } } };
	const struct effect none = { NAN, NAN, NAN, NAN, NAN, NAN };
	struct try_result tries[] = {
		{ .name = "present", .streams = 1, .effect = none, .side = { .goodput_bps = 1e8,
		    .rtt_ms = 210, .retransmits = 0 }, .strata = strata[0], .n_strata = 2 },
		{ .name = "large|<b>", .class = TRY_GUARD, .settings = &line, .n_settings = 1,
		    .streams = 1, .effect = { 50, 45, 55, .95, 14, 90 }, .side = { .goodput_bps = 2e8,
		    .rtt_ms = 500, .retransmits = .01 }, .strata = strata[1], .n_strata = 2,
		    .words = "too slow" },
	};
	const char *page, *text;

	run.decision.directions[0].tries = tries;
	run.decision.directions[0].n_tries = 2;
	run.trials[0].try = "present";
	run.trials[0].pin_bytes = 65536;
	page = report_html(a, &run);
	cr_expect_not_null(strstr(page, "<tr><th>large|&lt;b&gt;</th>"
	    "<td class=\"n\" data-l=\"goodput\">200 Mbit/s</td>"
	    "<td class=\"n\" data-l=\"RTT under load\">500 ms</td>"
	    "<td class=\"n\" data-l=\"sent again\">1.00 %</td>"
	    "<td class=\"n\" data-l=\"effect\">+50 % [45, 55]</td>"
	    "<td data-l=\"verdict\">too costly</td>"
	    "<td class=\"say\" data-l=\"sets\">kern.&lt;x&gt; = 2; too slow</td></tr>"), "%s", page);
	cr_expect_not_null(strstr(page, "<th class=\"n\">64 KiB</th><th class=\"n\">512 KiB</th>"));
	cr_expect_not_null(strstr(page, "<td>present, sockets 64 KiB</td>"));
	cr_expect_eq(count(page, "<svg "), 0);
	cr_expect_null(strstr(page, "nan"));
	text = report_markdown(a, &run);
	cr_expect_not_null(strstr(text, "| large\\|&#60;b> | 200 Mbit/s | 500 ms | 1.00 % | "
	    "+50 % \\[45, 55\\] | too costly | kern.&#60;x> = 2; too slow |\n"), "%s", text);
	cr_expect_not_null(strstr(text, "| by socket window | 64 KiB | 512 KiB |\n|---|---|---|\n"
	    "| present | 100 Mbit/s | 200 Mbit/s |\n"), "%s", text);
	cr_expect_null(strstr(text, "nan"));
}

/* ---- figures -------------------------------------------------------------------------------- */

static const char *
say(struct arena *arena, double v)
{
	return arena_printf(arena, "<%g>", v);
}

Test(report_html, an_axis_has_round_ticks_and_what_lies_outside_ends_at_the_frame)
{
	static const double x[] = { 0, 1, 2, NAN, 3 }, y[] = { 0, 1e9, 50, 1, -7 };
	struct text t = { .arena = a };
	struct plot p;

	plot_open(&p, &t, "t", (struct plot_axis){ 0, 3, false, "x", say },
	    (struct plot_axis){ 0, 100, false, "y", say });
	plot_line(&p, "was", x, y, 5);
	plot_dot(&p, "was", NAN, 3);
	plot_close(&p);
	for (int v = 0; v <= 100; v += 20)
		cr_expect_not_null(strstr(t.s, arena_printf(a, "<%d>", v)), "tick %d", v);
	cr_expect_null(strstr(t.s, "<30>"));
	cr_expect_not_null(strstr(t.s, "M100.0 262.0L267.3 44.0L434.7 153.0M602.0 262.0"), "%s", t.s);
	cr_expect_null(strstr(t.s, "<circle"));
	cr_expect_null(strstr(t.s, "nan"));
}

Test(report_html, words_of_levels_that_are_close_stand_one_above_the_other)
{
	struct text t = { .arena = a };
	struct plot p;

	plot_open(&p, &t, "t", (struct plot_axis){ 0, 3, false, "x", say },
	    (struct plot_axis){ -109, 109, false, "y", say });
	plot_level(&p, "was", 0, "low");
	plot_level(&p, "now", 5, "high");
	plot_level(&p, "now", 100, "far");
	cr_expect_not_null(strstr(t.s, "d=\"M100 153.0H602\"/><text x=\"608\" y=\"160.0\">low<"), "%s",
	    t.s);
	cr_expect_not_null(strstr(t.s, "d=\"M100 148.0H602\"/><text x=\"608\" y=\"138.0\">high<"));
	cr_expect_not_null(strstr(t.s, "d=\"M100 53.0H602\"/><text x=\"608\" y=\"60.0\">far<"));
	cr_expect_null(strstr(t.s, "-0<"));
}

Test(report_html, a_gain_of_many_times_is_drawn_in_times)
{
	struct run run = run_of_60();
	struct direction_decision *d = run.decision.directions;
	const char *page = report_html(a, &run);

	cr_expect_not_null(strstr(page, ">+50 %</text>"));
	cr_expect_null(strstr(page, "times the goodput"));
	d->effect = (struct effect){ 900, 800, 1000, .95, 14, 90 };
	page = report_html(a, &run);
	cr_expect_not_null(strstr(page, ">10x</text>"));
	cr_expect_not_null(strstr(page, ">times the goodput</text>"));
}

Test(report_html, the_knee_is_a_line_through_the_medians_of_each_congestion_control)
{
	struct run run = run_of_60();
	const char *page;

	run.trials[0].setting.window_bytes *= 4;
	run.trials[2].setting.window_bytes *= 4;
	run.trials[2].goodput_bps = 2e8;
	page = report_html(a, &run);
	cr_expect_eq(count(page, "<path class=\"line curve was\""), 1);
	cr_expect_eq(count(page, "<path class=\"line curve now\""), 1);
	/* The medians of 28 trials, and of those two: 100 and 150 of 216 Mbit/s. */
	cr_expect_not_null(strstr(page, "<path class=\"line curve was\" d=\"M147.3 161.1L397.0 110.6\"/>"),
	    "%s", strstr(page, "line curve was"));
}

Test(report_html, what_else_the_path_carried_and_what_scp_gets_are_said)
{
	struct run run = run_of_60();
	struct path_fact path;
	const char *page;

	record_init(&path_fact_record, &path);
	path.direction = DIR_SEND;
	path.udp_bps = path.udp_sent_bps = 590e6;
	path.streams = 4;
	path.streams_bps = 150e6;
	run.facts.path = &path;
	run.facts.n_path = 1;
	page = report_html(a, &run);
	cr_expect_not_null(strstr(page, "Over the same path: UDP at least 590 Mbit/s, 4 connections "
	    "together 150 Mbit/s."));
	cr_expect_not_null(strstr(page, "<p>60 trials, "));
	cr_expect_not_null(strstr(page, "scp and sftp get at most 80.3 Mbit/s"));
	path.udp_sent_bps = 900e6;
	cr_expect_not_null(strstr(report_html(a, &run), ": UDP 590 Mbit/s,"));
}
