/* From blocks of named settings to a decision and its lines. */
#include "sample.h"

#include "tuner/decide.h"
#include "tuner/report.h"
#include "tuner/try_decide.h"

static struct arena *a;
static struct run *run;
static struct try_file file;
static struct try_choice choices[TRY_SETTINGS_MAX];

static void
setup(void)
{
	a = arena_new();
	run = arena_alloc(a, sizeof(*run));
	record_init(&run_record, run);
	run->facts = sample_facts(a);
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(try_decide, .init = setup, .fini = teardown);

static unsigned long long
random_bits(void *arg)
{
	uint64_t *s = arg;

	return (*s = *s * 6364136223846793005u + 1442695040888963407u) >> 33;
}

/* Each setting's goodput in Mbit/s; below 0: refused. */
static struct direction_decision
decided(const char *text, const struct plan_direction *d, const double *mbps, double rounds)
{
	struct err e = { ERR_NONE, "" };
	static uint64_t seed = 7;
	struct try_config c = { .duration_s = NAN, .budget_s = 600, .data_cap_bytes = NAN,
		.rounds = rounds, .policy = POLICY_BALANCED, .random = random_bits, .random_arg = &seed,
		.idle_rtt_s = .08 };
	struct try_ask ask;
	struct try *t;
	double now_s = 0;

	cr_assert(try_file_read(a, "x.yaml", text, strlen(text), &file, &e), "%s", e.text);
	cr_assert(try_file_check(a, &file, sample_profile(a), &run->facts, d, 1, choices, &e), "%s",
	    e.text);
	c.n = file.n_settings;
	c.strata = file.n_pin_bytes == 0 ? 1 : file.n_pin_bytes;
	for (size_t i = 0; i < c.n; i++)
		c.never[i] = choices[i].streams != 1;
	t = try_new(a, &c);
	while (try_next(t, now_s, 0, &ask)) {
		struct trial trial;

		record_init(&trial_record, &trial);
		trial.status = mbps[ask.setting] < 0 ? TRIAL_VOID : TRIAL_OK;
		trial.why = mbps[ask.setting] < 0 ? "no such thing" : NULL;
		trial.goodput_bps = mbps[ask.setting] * 1e6 * (1 + (double)ask.stratum);
		trial.rtt.loaded_ms = 90;
		trial.retransmits = .001;
		now_s += ask.warmup_s + ask.duration_s + .3;
		try_tell(t, &trial);
	}
	return try_decide(a, d, &file, choices, c.n, t, NULL, 0);
}

static struct plan_direction
plan(enum direction direction)
{
	static const char *cc[] = { "cubic", "bbr" };
	struct plan_direction d = { .direction = direction, .window_bytes = 2600468,
		.window_max_bytes = 64 * 1048576., .window_factor = .62, .cc = cc,
		.n_cc = direction == DIR_SEND ? 2 : 0, .window_writable = true };

	return d;
}

static struct decision *
whole(const struct plan_direction *p, struct direction_decision *d, size_t n, const char **torn)
{
	struct plan all = { .directions = arena_array(a, n, sizeof(*p)), .n_directions = n };

	memcpy(all.directions, p, n * sizeof(*p));
	decide_all(a, sample_profile(a), &run->facts, &all, d, n, &run->decision);
	*torn = try_decide_lines(a, &run->decision);
	return &run->decision;
}

#define WMEM "knobs: {net.ipv4.tcp_wmem: 4096 16384 16777216}\n"

Test(try_decide, the_class_says_what_is_changed_and_the_lines_do_it)
{
	static const struct {
		const char *setting;
		enum decision_class class;
		const char *name, *value;
	} t[] = {
		{ WMEM, CLASS_TRIED, "net.ipv4.tcp_wmem", "4096 16384 16777216" },
		{ "window: 8M\n", CLASS_WINDOW, "net.ipv4.tcp_wmem", "4096 16384 13533184" },
		{ "cc: bbr\n", CLASS_CONGESTION, "net.ipv4.tcp_congestion_control", "bbr" },
		{ "window: 8M\n    cc: bbr\n", CLASS_BOTH, "net.ipv4.tcp_congestion_control", "bbr" },
		{ "cc: bbr\n    " WMEM, CLASS_TRIED, "net.ipv4.tcp_wmem", "4096 16384 16777216" },
		{ "cc: bbr\n    " WMEM, CLASS_TRIED, "net.ipv4.tcp_congestion_control", "bbr" },
		{ "knobs: {net.ipv4.tcp_congestion_control: bbr}\n", CLASS_TRIED,
		    "net.ipv4.tcp_congestion_control", "bbr" },
	};
	static const double mbps[] = { 100, 150 };

	for (size_t i = 0; i < NELEM(t); i++) {
		struct plan_direction p = plan(DIR_SEND);
		struct direction_decision d = decided(arena_printf(a, "settings:\n  - name: a\n    %s",
		    t[i].setting), &p, mbps, NAN);
		const struct decision *all;
		const char *torn;
		size_t found = 0;

		cr_expect(d.verdict == VERDICT_CHANGE && d.class == t[i].class, "case %zu: %s", i,
		    decision_class_names[d.class]);
		cr_expect(d.tries[1].chosen && d.tries[1].class == TRY_BETTER && !d.tries[0].chosen);
		cr_expect(strstr(d.words, "Change: a. +50 % [50, 50]") == d.words, "%s", d.words);
		all = whole(&p, &d, 1, &torn);
		for (size_t k = 0; k < all->n_settings; k++)
			if (strcmp(all->settings[k].name, t[i].name) == 0) {
				cr_expect_str_eq(all->settings[k].new, t[i].value, "case %zu", i);
				found++;
			}
		cr_expect_eq(found, 1u, "case %zu: each knob once", i);
		cr_expect_null(torn);
	}
}

Test(try_decide, nothing_is_changed_without_a_test_that_said_better)
{
	static const struct { double mbps[3], rounds; enum decision_class class; } t[] = {
		{ { 100, 100, 80 }, NAN, CLASS_NO_GAIN },
		{ { 100, 300, 100 }, 2, CLASS_INCONCLUSIVE },
		{ { 100, -1, -1 }, NAN, CLASS_FAILED },
		{ { -1, 100, 100 }, NAN, CLASS_FAILED },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct plan_direction p = plan(DIR_SEND);
		struct direction_decision d = decided("settings:\n  - name: a\n    " WMEM
		    "  - {name: b, cc: bbr}\n", &p, t[i].mbps, t[i].rounds);
		const char *torn;

		cr_expect(d.verdict == VERDICT_KEEP && d.class == t[i].class, "case %zu: %s", i,
		    decision_class_names[d.class]);
		cr_expect_not_null(strstr(d.words, "eep the present settings"));
		cr_expect_eq(whole(&p, &d, 1, &torn)->n_settings, 0u);
	}
	cr_expect_str_eq(run->decision.directions[0].tries[1].name, "a");
}

Test(try_decide, other_numbers_of_connections_are_compared_but_never_chosen)
{
	static const double mbps[] = { 100, 300 };
	struct plan_direction p = plan(DIR_SEND);
	struct direction_decision d = decided("settings:\n  - {name: four, streams: 4}\n", &p, mbps, NAN);

	cr_expect_eq(d.verdict, VERDICT_KEEP);
	cr_expect_eq(d.tries[1].class, TRY_BETTER);
	cr_expect(strstr(d.tries[1].words, "4 connections at a time are an application's") != NULL);
}

Test(try_decide, two_directions_that_want_other_values_are_reported)
{
	static const double mbps[] = { 100, 150, 100 }, other[] = { 100, 100, 150 };
	static const char text[] = "settings:\n  - name: a\n    " WMEM "  - name: b\n"
	    "    knobs: {net.ipv4.tcp_wmem: 4096 16384 8388608}\n";
	struct plan_direction p[2] = { plan(DIR_SEND), plan(DIR_RECEIVE) };
	struct direction_decision d[2];
	const struct decision *all;
	const char *torn;

	d[0] = decided(text, &p[0], mbps, NAN);
	d[1] = decided(text, &p[1], other, NAN);
	all = whole(p, d, 2, &torn);
	cr_assert_eq(all->n_settings, 1u);
	cr_expect_str_eq(all->settings[0].new, "4096 16384 16777216");
	cr_expect_str_eq(torn, "net.ipv4.tcp_wmem");
}

/* What is saved and read again is told in the same words. */
Test(try_decide, the_report_of_a_saved_run_is_the_same)
{
	static const double mbps[] = { 100, 150, 99 };
	struct plan_direction p = plan(DIR_SEND);
	struct direction_decision d = decided("socket_windows: [64K, 128K]\nsettings:\n"
	    "  - name: a\n    " WMEM "  - {name: b, cc: bbr}\n", &p, mbps, NAN);
	struct err e = { ERR_NONE, "" };
	const char *torn, *said, *json;
	struct run again;
	struct node *n;

	whole(&p, &d, 1, &torn);
	run->schema = RUN_SCHEMA;
	said = report_run(a, run, false);
	cr_expect_not_null(strstr(said, "  a "), "%s", said);
	cr_expect_not_null(strstr(said, "better"));
	cr_expect_not_null(strstr(said, "a: 64 KiB 150 Mbit/s, 128 KiB 300 Mbit/s"), "%s", said);
	cr_expect_not_null(strstr(said, "a: net.ipv4.tcp_wmem = 4096 16384 16777216"), "%s", said);
	json = record_to_json(a, &run_record, run, true);
	cr_assert(node_from_json(a, "x", json, strlen(json), &n, &e), "%s", e.text);
	record_init(&run_record, &again);
	cr_assert(record_from_node(a, "x", &run_record, n, &again, &e), "%s", e.text);
	cr_expect_str_eq(report_run(a, &again, false), said);
}
