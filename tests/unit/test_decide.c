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
		.start = { p->n_cc == 0 ? NULL : p->cc[0], p->window_bytes },
		.chosen = { cc, window },
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
	    decide_direction(w->a, &w->run.plan.directions[0], r, w->run.trials, w->run.n_trials);

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
		{ CLASS_NO_GAIN, VERDICT_KEEP, "No significant difference: +38 % [31, 46]" },
		{ CLASS_INCONCLUSIVE, VERDICT_KEEP, "About 25 min would decide" },
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
	struct direction_decision d = decide_direction(w.a, &w.run.plan.directions[0], &r, NULL, 0);

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
	text = report_run(w.a, &w.run, false);
	for (size_t i = 0; i < NELEM(parts); i++)
		cr_assert(strstr(text, parts[i]) != NULL, "no '%s' in\n%s", parts[i], text);
	cr_assert(count_lines(text, "") <= 50, "%u lines", count_lines(text, ""));
	cr_assert(strchr(text, '\033') == NULL, "no color unless asked");
	arena_free(w.a);
}
