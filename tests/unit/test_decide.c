#include "sample.h"
#include "tuner/decide.h"
#include "tuner/fragment.h"
#include "tuner/plan.h"
#include "tuner/report.h"

struct world {
	struct arena *a;
	struct profile *profile;
	struct run run;
};

static struct world
world_new(enum direction d)
{
	struct world w = { .a = arena_new() };
	struct err e = { ERR_NONE, "" };

	w.profile = sample_profile(w.a);
	record_init(&run_record, &w.run);
	w.run.schema = RUN_SCHEMA;
	w.run.version = "0.1.0";
	w.run.started = "2026-11-21T12:00:00Z";
	w.run.facts = sample_facts(w.a);
	w.run.options.direction = d;
	cr_assert(
	    plan_make(w.a, w.profile, &w.run.facts, &w.run.options, &w.run.plan, &e), "%s", e.text);
	return w;
}

static struct search_result
found(const struct world *w, double window, const char *cc)
{
	const struct plan_direction *p = &w->run.plan.directions[0];
	struct search_result r = { .verdict = VERDICT_CHANGE,
		.class = CLASS_BOTH,
		.start = { .cc = p->n_cc == 0 ? NULL : p->cc[0],
			.window_bytes = p->window_bytes },
		.chosen = { .cc = cc, .window_bytes = window },
		.effect = { 38, 31, 46, .95, 9, 96 },
		.more_s = NAN };

	r.before = (struct side){ r.start, 209e6, 211, 0 };
	r.after = (struct side){ r.chosen, 288e6, 214, .0002 };
	return r;
}

static void
decide_on(struct world *w, const struct search_result *r)
{
	struct direction_decision d =
	    decide_direction(w->a, &w->run.plan.directions[0], r, w->run.trials, w->run.n_trials,
	    false);

	decide_all(w->a, w->profile, &w->run.facts, &w->run.plan, &d, 1, &w->run.decision);
	fragment_make(w->a, w->profile, &w->run);
}

Test(decide, writes_limit_then_maximum_then_congestion_control_then_module)
{
	static const struct {
		const char *name, *old, *new, *reason;
	} expected[] = {
		{ "net.core.wmem_max", "4194304", "40591360", "limit-send:" },
		{ "net.ipv4.tcp_wmem", "4096 16384 4194304", "4096 16384 40591360",
		    "window-send:" },
		{ "net.ipv4.tcp_congestion_control", "cubic", "bbr", "congestion-control:" },
		{ "module", NULL, "tcp_bbr", "module:" },
	};
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "bbr");

	decide_on(&w, &r);
	cr_assert_eq(w.run.decision.verdict, VERDICT_CHANGE);
	cr_assert_eq(w.run.decision.class, CLASS_BOTH);
	cr_assert_eq(w.run.decision.n_settings, NELEM(expected));
	for (size_t i = 0; i < NELEM(expected); i++) {
		const struct change_line *l = &w.run.decision.settings[i];

		cr_assert_str_eq(l->name, expected[i].name);
		cr_assert_str_eq(l->new, expected[i].new);
		cr_assert(expected[i].old == NULL ? l->old == NULL
						  : strcmp(l->old, expected[i].old) == 0);
		cr_assert(strncmp(l->reason, expected[i].reason, strlen(expected[i].reason)) == 0);
	}
	arena_free(w.a);
}

Test(decide, leaves_out_what_is_read_only_high_enough_or_unchanged)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "cubic");
	size_t n;

	w.run.facts.knobs[3].writable = false;
	decide_on(&w, &r);
	cr_assert_eq(w.run.decision.n_settings, 1u, "a read-only limit has no line");
	w.run.facts.knobs[3].writable = true;
	w.run.facts.knobs[3].now = 1e9;
	decide_on(&w, &r);
	cr_assert_eq(w.run.decision.n_settings, 1u, "a limit is never lowered");
	cr_assert_str_eq(w.run.decision.settings[0].name, "net.ipv4.tcp_wmem");
	cr_assert_null(decide_window_lines(w.a, w.profile, &w.run.facts, &w.run.plan.directions[0],
	    w.run.plan.directions[0].window_bytes, &n));
	cr_assert_eq(n, 0u);
	arena_free(w.a);
}

Test(decide, no_line_exceeds_what_the_largest_window_scale_can_use)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 4e9, "cubic");

	decide_on(&w, &r);
	cr_assert_eq(w.run.decision.n_settings, 2u);
	cr_assert_str_eq(w.run.decision.settings[0].new, "1731817472");
	cr_assert_str_eq(w.run.decision.settings[1].new, "4096 16384 1731817472");
	arena_free(w.a);
}

Test(decide, the_retransmit_exception_is_named_where_it_was_made)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "bbr");
	const char *name = "(the retransmit exception)";

	decide_on(&w, &r);
	cr_assert_null(strstr(w.run.decision.directions[0].words, name));
	r.retransmit_exception = true;
	decide_on(&w, &r);
	cr_assert_not_null(strstr(w.run.decision.directions[0].words, name));
	arena_free(w.a);
}

Test(decide, a_kept_direction_writes_nothing)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "bbr");

	r.verdict = VERDICT_KEEP;
	r.class = CLASS_NO_GAIN;
	decide_on(&w, &r);
	cr_assert_eq(w.run.decision.verdict, VERDICT_KEEP);
	cr_assert_eq(w.run.decision.n_settings, 0u);
	cr_assert_eq(w.run.n_files, 0u);
	arena_free(w.a);
}

/* The race may drop everything for its retransmits: then nothing was compared in pairs. */
Test(decide, words_of_a_guard_hold_only_what_was_measured)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "bbr");

	r.verdict = VERDICT_KEEP;
	r.class = CLASS_GUARD;
	r.guard_retransmits = true;
	r.after.retransmits = .034;
	decide_on(&w, &r);
	cr_assert_str_eq(w.run.decision.directions[0].words,
	    "Faster by +38 % [31, 46] (95 % confidence, 9 interleaved pairs in 1 min 36 s), but "
	    "3.40 % of the segments are sent again (was 0.00 %): not recommended.");
	r.effect = (struct effect){ NAN, NAN, NAN, NAN, NAN, NAN };
	decide_on(&w, &r);
	cr_assert_str_eq(w.run.decision.directions[0].words,
	    "Keep the present settings: with what else was tried too many of the segments are sent "
	    "again (3.40 %, was 0.00 %).");
	arena_free(w.a);
}

static struct trial
limited_trial(struct setting s, double rwnd)
{
	struct trial t;

	record_init(&trial_record, &t);
	t.setting = s;
	t.direction = DIR_SEND;
	t.rwnd_limited = rwnd;
	t.sndbuf_limited = 0;
	return t;
}

Test(decide, names_the_peer_when_its_window_binds_before_and_after)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "cubic");
	struct trial t[] = { limited_trial(r.start, .9), limited_trial(r.chosen, .95) };

	r.verdict = VERDICT_KEEP;
	r.class = CLASS_NO_GAIN;
	w.run.trials = t;
	w.run.n_trials = 2;
	decide_on(&w, &r);
	cr_assert_eq(w.run.decision.class, CLASS_PEER_LIMITS);
	cr_assert(strstr(w.run.decision.directions[0].words, "95 %") != NULL, "%s",
	    w.run.decision.directions[0].words);
	cr_assert_eq(decide_direction(w.a, &w.run.plan.directions[0], &r, t, 2, true).class,
	    CLASS_NO_GAIN, "its window was raised as well");
	t[1].rwnd_limited = .01;
	decide_on(&w, &r);
	cr_assert_eq(w.run.decision.class, CLASS_NO_GAIN);
	arena_free(w.a);
}

Test(decide, the_words_of_every_verdict_carry_its_numbers)
{
	static const struct {
		enum decision_class class;
		enum verdict verdict;
		const char *expected;
	} t[] = {
		{ CLASS_BOTH, VERDICT_CHANGE,
		    "+38 % [31, 46] (95 % confidence, 9 interleaved pairs in" },
		{ CLASS_NO_GAIN, VERDICT_KEEP, "No gain worth a change: +38 % [31, 46]" },
		{ CLASS_INCONCLUSIVE, VERDICT_KEEP,
		    "About 25 min more would decide (--resume with a larger --budget)." },
		{ CLASS_GUARD, VERDICT_KEEP, "from 211 to 214 ms (limit 80)" },
		{ CLASS_UNSTEADY, VERDICT_KEEP, "two groups" },
		{ CLASS_CANNOT_BIND, VERDICT_KEEP, "Keep the present settings" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct world w = world_new(DIR_SEND);
		struct search_result r = found(&w, 24 * 1048576.0, "bbr");

		r.class = t[i].class;
		r.verdict = t[i].verdict;
		r.more_s = 1480;
		r.guard_rtt = true;
		r.guard_limit_ms = 80;
		decide_on(&w, &r);
		cr_assert(strstr(w.run.decision.directions[0].words, t[i].expected) != NULL, "%s",
		    w.run.decision.directions[0].words);
		arena_free(w.a);
	}
}

Test(decide, a_guard_that_spoke_before_a_gain_was_sure_claims_none)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "bbr");
	const char *words;

	r.class = CLASS_GUARD;
	r.verdict = VERDICT_KEEP;
	r.guard_rtt = true;
	r.guard_limit_ms = 80;
	r.effect.estimate = -4;
	r.effect.low = -12;
	r.effect.high = 3;
	decide_on(&w, &r);
	words = w.run.decision.directions[0].words;
	cr_expect_eq(strncmp(words, "No sure gain: -4 % [-12, 3] (", 29), 0, "%s", words);
	cr_expect_not_null(strstr(words, ", and the RTT under load goes from 211 to 214 ms"), "%s",
	    words);
	arena_free(w.a);
}

Test(decide, no_time_is_asked_for_where_the_data_cap_was_the_end)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "bbr");
	const char *words;

	r.class = CLASS_INCONCLUSIVE;
	r.verdict = VERDICT_KEEP;
	r.out_of_data = true;
	r.why = "out of data";
	decide_on(&w, &r);
	words = w.run.decision.directions[0].words;
	cr_expect_not_null(strstr(words, "The data cap was reached; a new run with a larger "
	    "--data-cap may decide."), "%s", words);
	cr_expect_null(strstr(words, "--budget"), "%s", words);
	arena_free(w.a);
}

Test(decide, other_settings_alone_are_named_without_the_window)
{
	static const char *extras[] = { "pacing", "growth-send" };
	static const struct {
		enum decision_class class;
		const char *expected;
	} t[] = {
		{ CLASS_EXTRAS, "Change: pacing and growth-send. +38 %" },
		{ CLASS_UNSTEADY, "connections with pacing and growth-send fall into" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct world w = world_new(DIR_SEND);
		struct search_result r = found(&w, w.run.plan.directions[0].window_bytes, "cubic");

		r.start.cc = "cubic";
		r.chosen.extras = extras;
		r.chosen.n_extras = NELEM(extras);
		r.class = t[i].class;
		r.verdict = r.class == CLASS_EXTRAS ? VERDICT_CHANGE : VERDICT_KEEP;
		decide_on(&w, &r);
		cr_expect_not_null(strstr(w.run.decision.directions[0].words, t[i].expected), "%s",
		    w.run.decision.directions[0].words);
		arena_free(w.a);
	}
}

Test(decide, no_gain_claims_no_more_than_its_interval_shows)
{
	static const struct {
		struct effect effect;
		const char *expected[2];
	} t[] = {
		{ { 1, -2, 4, .95, 9, 96 }, { "No significant difference:", "5 % is ruled out" } },
		{ { 1, -2, 6, .95, 9, 96 }, { "No significant difference:", "5 % is unlikely" } },
		{ { 2, 1, 3, .95, 9, 96 }, { "No gain worth a change:", "5 % is ruled out" } },
		{ { -30, -35, -25, .95, 9, 96 }, { "No gain worth a change:", "[-35, -25]" } },
		{ { NAN, NAN, NAN, NAN, NAN, NAN }, { "No gain: nothing", "keep" } },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct world w = world_new(DIR_SEND);
		struct search_result r = found(&w, 24 * 1048576.0, "bbr");
		const char *words;

		r.verdict = VERDICT_KEEP;
		r.class = CLASS_NO_GAIN;
		r.effect = t[i].effect;
		decide_on(&w, &r);
		words = w.run.decision.directions[0].words;
		for (size_t k = 0; k < 2; k++)
			cr_assert(strstr(words, t[i].expected[k]) != NULL, "row %zu: %s", i, words);
		arena_free(w.a);
	}
}

/* A peer whose kernel tells nothing, a direction that was never compared. */
Test(decide, what_is_not_known_is_never_printed_as_a_number)
{
	for (enum decision_class c = CLASS_WINDOW; c <= CLASS_FAILED; c++) {
		struct world w = world_new(DIR_SEND);
		struct search_result r = found(&w, 24 * 1048576.0, "bbr");
		const char *text;

		r.class = c;
		r.verdict = c <= CLASS_EXTRAS ? VERDICT_CHANGE : VERDICT_KEEP;
		r.before.rtt_ms = r.after.rtt_ms = NAN;
		r.before.retransmits = r.after.retransmits = NAN;
		w.run.facts.rtt_ms = w.run.facts.ram_bytes = NAN;
		if (r.verdict == VERDICT_KEEP)
			r.effect = (struct effect){ NAN, NAN, NAN, NAN, NAN, NAN };
		decide_on(&w, &r);
		text = report_run(w.a, &w.run, false);
		cr_assert(strstr(text, "nan") == NULL, "class %d:\n%s", (int)c, text);
		cr_assert(strstr(text, "unknown") != NULL, "class %d:\n%s", (int)c, text);
		arena_free(w.a);
	}
}

Test(decide, the_peer_limits_whatever_is_set_only_where_something_was_set)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "cubic");
	struct trial t = limited_trial(r.start, .9);
	const struct direction_decision *d;

	r.verdict = VERDICT_KEEP;
	r.class = CLASS_INCONCLUSIVE;
	r.chosen = r.start;
	r.more_s = 300;
	w.run.trials = &t;
	w.run.n_trials = 1;
	decide_on(&w, &r);
	d = &w.run.decision.directions[0];
	cr_assert_eq(d->class, CLASS_PEER_LIMITS);
	cr_assert(strstr(d->words, "90 % of the time; tune the peer") != NULL, "%s", d->words);
	cr_assert(isnan(d->more_s), "more time would decide nothing");
	arena_free(w.a);
}

Test(decide, tells_the_slowest_connections_of_another_control_only)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "bbr");

	r.low_decile_bps = 251e6;
	r.connections = 20;
	decide_on(&w, &r);
	cr_assert(strstr(w.run.decision.directions[0].words,
	    "Slowest tenth of 20 connections: 251 Mbit/s.") != NULL, "%s",
	    w.run.decision.directions[0].words);
	r.chosen.cc = r.start.cc;
	decide_on(&w, &r);
	cr_assert_null(strstr(w.run.decision.directions[0].words, "Slowest tenth"));
	arena_free(w.a);
}

Test(decide, says_a_factor_where_per_cent_become_unreadable)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "bbr");

	r.effect = (struct effect){ 1025, 980, 1110, .95, 6, 60 };
	decide_on(&w, &r);
	cr_assert(strstr(w.run.decision.directions[0].words, "11.2 times the goodput [10.8, 12.1]") !=
	    NULL, "%s", w.run.decision.directions[0].words);
	arena_free(w.a);
}

/* Lines of the text that start with prefix. */
static unsigned
count_lines(const char *text, const char *prefix)
{
	unsigned n = 0;

	for (const char *s = text; s != NULL && *s != '\0'; s = strchr(s, '\n'), s += s != NULL)
		n += strncmp(s, prefix, strlen(prefix)) == 0;
	return n;
}

Test(fragment, puts_a_reason_before_every_line_and_bbr_s_module_in_its_own_file)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "bbr");

	decide_on(&w, &r);
	cr_assert_eq(w.run.n_files, 2u);
	cr_assert_str_eq(w.run.files[0].path, "/etc/sysctl.d/90-pathtune.conf");
	cr_assert_str_eq(w.run.files[1].path, "/etc/modules-load.d/pathtune.conf");
	cr_assert_eq(count_lines(w.run.files[0].text, "net."), 3u);
	cr_assert_eq(
	    count_lines(w.run.files[0].text, "net.ipv4.tcp_wmem = 4096 16384 40591360"), 1u);
	cr_assert_eq(count_lines(w.run.files[0].text, "# before: "), 3u);
	cr_assert_eq(count_lines(w.run.files[0].text, "# window-send: "), 1u);
	cr_assert_eq(count_lines(w.run.files[1].text, "tcp_bbr"), 1u);
	for (const char *s = w.run.files[0].text; *s != '\0'; s += strcspn(s, "\n") + 1)
		cr_assert(strcspn(s, "\n") <= 100, "%.120s", s);
	arena_free(w.a);
}

Test(fragment, marks_a_line_that_the_kernel_refused_here)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, w.run.plan.directions[0].window_bytes, "bbr");
	struct direction_decision d = decide_direction(w.a, &w.run.plan.directions[0], &r, NULL, 0,
	    false);

	decide_all(w.a, w.profile, &w.run.facts, &w.run.plan, &d, 1, &w.run.decision);
	w.run.decision.settings[0].verified = false;
	fragment_make(w.a, w.profile, &w.run);
	cr_assert_eq(count_lines(w.run.files[0].text, "# unverified: "), 1u);
	arena_free(w.a);
}

Test(report, tells_verdict_limits_and_fragment_on_one_screen)
{
	static const char *const parts[] = { "Sending", "+38 % [31, 46]", "before", "209 Mbit/s",
		"after", "288 Mbit/s", "/etc/sysctl.d/90-pathtune.conf", "tcp_wmem" };
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "bbr");
	const char *text;

	decide_on(&w, &r);
	w.run.decision.directions[0].limit_before.evidence = "losses hold the cwnd down: 0.41 % of "
	    "the segments were sent again and no queue stands (RTT 100.2 ms idle, 101.3 under load)";
	text = report_run(w.a, &w.run, false);
	for (size_t i = 0; i < NELEM(parts); i++)
		cr_assert(strstr(text, parts[i]) != NULL, "no '%s' in\n%s", parts[i], text);
	for (const char *s = text; *s != '\0'; s += strcspn(s, "\n") + 1)
		cr_assert(strcspn(s, "\n") <= 100, "%.120s", s);
	cr_assert(count_lines(text, "") <= 50, "%u lines", count_lines(text, ""));
	cr_assert(strchr(text, '\033') == NULL, "no color unless asked");
	arena_free(w.a);
}

Test(report, nothing_of_a_run_file_commands_the_terminal)
{
	static const char evil[] = "a\033[2J\rb\177\302\233c\b";
	static const char *notes[] = { evil };
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, evil);
	const char *text;

	decide_on(&w, &r);
	w.run.facts.os = w.run.facts.peer = w.run.facts.driver = w.run.facts.interface = evil;
	w.run.plan.notes = notes;
	w.run.plan.n_notes = 1;
	w.run.decision.directions[0].words = evil;
	w.run.decision.directions[0].limit_before.evidence = evil;
	w.run.files[0].path = w.run.files[0].text = evil;
	text = report_run(w.a, &w.run, false);
	cr_assert(strstr(text, "a?[2J?b???c?") != NULL, "%s", text);
	for (const char *s = text; *s != '\0'; s++)
		cr_assert(*s == '\n' || ((unsigned char)*s >= ' ' && *s != '\177'), "%02x",
		    (unsigned)*s);
	cr_assert(strstr(text, "\302\233") == NULL);
	cr_assert(strstr(report_run(w.a, &w.run, true), "\033[1m") != NULL, "color is ours");
	arena_free(w.a);
}

Test(report, a_run_that_was_stopped_says_that_it_has_no_decision)
{
	struct world w = world_new(DIR_SEND);
	struct search_result r = found(&w, 24 * 1048576.0, "bbr");

	cr_assert(strstr(report_run(w.a, &w.run, false), "No decision") != NULL);
	decide_on(&w, &r);
	cr_assert(strstr(report_run(w.a, &w.run, false), "No decision") == NULL);
	arena_free(w.a);
}
