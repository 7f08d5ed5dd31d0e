#include "search_figures.h"

#include "probes/files.h"
#include "tuner/import.h"
#include "tuner/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every search goes straight to CONFIRM. */
double
figure_forced(size_t repeats, uint64_t seed)
{
	static const struct noise *const noises[] = {
		&noise_quiet, &noise_moderate, &noise_seed1, &noise_heavy, &noise_outages,
	};
	static const double budgets[] = {150, 600, 1800};
	struct scenario sc = {"forced", KIND_NULL, {1e9, .010, 2097152, 0, .bbr_gain = 1},
	    16777216, 0, .cc = {"cubic", "bbr"}, .n_cc = 2};
	double worst = 0;

	for (size_t i = 0; i < 15; i++) {
		struct run_options o = {.budget_s = budgets[i / 5], .policy = POLICY_BALANCED};
		struct outcome out;
		size_t changed = 0;

		sc.path.noise = noises[i % 5];
		for (size_t k = 0; k < repeats; k++) {
			scenario_run(&sc, &o, seed * 1000003 + k, &out);
			changed += out.result[0].verdict == VERDICT_CHANGE;
		}
		worst = fmax(worst, (double)changed / (double)repeats);
	}
	return worst;
}

/* Of .04 of the segments where nothing is queued, less with a longer queue: see world.h. */
static double
queue_for(const struct path *p, double again)
{
	return .3 * (1 - again / .04) * p->capacity_bps * p->rtt_s / 8;
}

double
figure_exception(const struct run_options *o, double again, size_t repeats, uint64_t seed)
{
	struct scenario sc = {"exception", KIND_CLEAR,
	    {200e6, .050, 0, 1e-4, .bbr_gain = .975, .noise = &noise_moderate}, 4194304, 0,
	    .cc = {"cubic", "bbr"}, .n_cc = 2};
	size_t taken = 0;

	sc.path.queue_bytes = fmax(queue_for(&sc.path, again), 1);
	for (size_t i = 0; i < repeats; i++) {
		struct outcome out;

		scenario_run(&sc, o, seed * 1000003 + i, &out);
		taken += out.result[0].verdict == VERDICT_CHANGE;
	}
	return (double)taken / (double)repeats;
}

double
figure_two_directions(const struct run_options *o, size_t repeats, uint64_t seed)
{
	static const char *const names[] = {"n8-wan-null", "n9-wan-ambig"};
	double worst = 0;

	for (size_t i = 0; i < 2; i++) {
		struct scenario sc = *scenario_find(names[i]);
		size_t changed = 0;

		sc.receive_bytes = sc.send_bytes;
		for (size_t k = 0; k < repeats; k++) {
			struct outcome out;

			scenario_run(&sc, o, seed * 1000003 + k, &out);
			changed += out.result[0].verdict == VERDICT_CHANGE ||
			    out.result[1].verdict == VERDICT_CHANGE;
		}
		worst = fmax(worst, (double)changed / (double)repeats);
	}
	return worst;
}

double
figure_table_2012(void)
{
	struct arena *a = arena_new();
	struct err e = {ERR_NONE, ""};
	struct import_system known;
	struct import_table table;
	const char *text;
	size_t len;
	bool kept = files_read(a, TESTS_DIR "/unit/data/import-2012.csv", IMPORT_BYTES, &text, &len, &e) &&
	    import_read(a, "t", text, len, &table, &e) &&
	    import_system(a, &table, NULL, NULL, &known, &e) &&
	    import_judge(a, &table, &known).verdict == IMPORT_KEEP;

	arena_free(a);
	return kept ? 0 : 1;
}

/* n, the differences, estimate, low, high, largest E, when it decides: see test_stats.c. */
double
figure_vectors(void)
{
	FILE *f = fopen(TESTS_DIR "/unit/data/stats_vectors.txt", "r");
	char line[4096];
	double wrong = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		double v[STATS_MAX + 6], max_e;
		size_t n = 0, pairs;
		struct interval i;

		for (char *p = strtok(line, " \n"); p != NULL && n < STATS_MAX; p = strtok(NULL, " \n"))
			v[n++] = strtod(p, NULL);
		pairs = (size_t)v[0];
		i = stats_signed_rank(v + 1, pairs, .95);
		stats_e_process(v + 1, pairs, &max_e);
		wrong += fabs(i.estimate - v[pairs + 1]) > 1e-9 || fabs(i.low - v[pairs + 2]) > 1e-9 ||
		    fabs(i.high - v[pairs + 3]) > 1e-9 || fabs(max_e / v[pairs + 4] - 1) > 1e-9;
	}
	if (f != NULL)
		fclose(f);
	return f == NULL ? 1 : wrong;
}
