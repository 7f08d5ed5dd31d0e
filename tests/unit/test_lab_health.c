#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "probes/lab_health.h"

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new();
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(lab_health, .init = setup, .fini = teardown);

#define REST ": figures of this demo are the machine's, not the path's; repeat on a quiet host"

Test(lab_health, a_busy_machine_is_told_with_its_numbers_and_a_quiet_one_is_not_mentioned)
{
	static const struct {
		double late_us[2], segments[2];
		struct cpu_time since;
		const char *words; /* NULL: none */
	} cases[] = {
		{ { 80, 80 }, { 1e5, 1e5 }, { 300, 10 }, NULL },
		{ { 1800, 1800 }, { 1e5, 1e5 }, { 300, 10 }, "the machine was late by 1.8 ms on average" },
		{ { 501, 501 }, { 1e5, 1e5 }, { 300, 10 }, "the machine was late by 0.5 ms on average" },
		{ { 500, 500 }, { 1e5, 1e5 }, { 300, 10 }, NULL },
		/* What carried more weighs more. */
		{ { 100, 9000 }, { 1e5, 1e2 }, { 300, 10 }, NULL },
		{ { 9000, 100 }, { 1e5, 1e2 }, { 300, 10 }, "the machine was late by 9.0 ms on average" },
		/* A few packets tell nothing. */
		{ { 9000, 9000 }, { 400, 400 }, { 300, 10 }, NULL },
		{ { 0, 0 }, { 0, 0 }, { 0, 0 }, NULL },
		{ { 80, 80 }, { 1e5, 1e5 }, { 300, 30 }, NULL },
		{ { 80, 80 }, { 1e5, 1e5 }, { 300, 102 },
			"the machine lost 34 % of its processor time to its host" },
		{ { 80, 80 }, { 1e5, 1e5 }, { 1, .5 }, NULL },
		{ { 80, 80 }, { 1e5, 1e5 }, { NAN, NAN }, NULL },
		{ { 1800, 1800 }, { 1e5, 1e5 }, { 300, 60 }, "the machine was late by 1.8 ms on average "
		    "and lost 20 % of its processor time to its host" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct lab_stats s[2] = { { .lateness_us = cases[i].late_us[0],
			.segments_out = cases[i].segments[0] }, { .lateness_us = cases[i].late_us[1],
			.segments_out = cases[i].segments[1] } };
		const char *words = health_words(arena, "this demo", s, cases[i].since);

		cr_expect_eq(words == NULL, cases[i].words == NULL, "case %zu: %s", i, words);
		if (words != NULL && cases[i].words != NULL)
			cr_expect_str_eq(words, arena_printf(arena, "%s" REST, cases[i].words), "case %zu", i);
	}
}

Test(lab_health, processor_times_are_read_from_the_first_line_or_not_known)
{
	static const struct {
		const char *stat;
		double total_s, stolen_s; /* NAN: not known */
	} cases[] = {
		{ "cpu  507134 31484 390533 1773623 6465 0 24711 79030 0 0\ncpu0 1 1 1 1 1 1 1 1\n", 28129.8,
			790.3 },
		{ "cpu  100 0 0 0 0 0 0 0 50 0\n", 1, 0 }, /* what guests used is in user already */
		{ "cpu  100 0 0 0 0 0 0\n", NAN, NAN },
		{ "cpu0 1 2 3 4 5 6 7 8\n", NAN, NAN },
		{ "", NAN, NAN },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct cpu_time t = health_cpu(cases[i].stat, 100);

		cr_expect_eq(isnan(t.total_s), isnan(cases[i].total_s), "case %zu", i);
		cr_expect_eq(isnan(t.stolen_s), isnan(cases[i].stolen_s), "case %zu", i);
		if (isnan(t.total_s) || isnan(cases[i].total_s))
			continue;
		cr_expect_float_eq(t.total_s, cases[i].total_s, 1e-6, "case %zu: %f", i, t.total_s);
		cr_expect_float_eq(t.stolen_s, cases[i].stolen_s, 1e-6, "case %zu: %f", i, t.stolen_s);
	}
}
