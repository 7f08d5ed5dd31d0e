/*
 * bench_search: the search against simulated paths, and a table of the bars it has to clear (exit
 * status 1 when one falls short).  All of them, as a release is judged, in two minutes:
 *   bench_search -a -s $(git rev-parse --short=8 HEAD)
 * which is what "cmake --build build --target bench_bars" does.
 */
#include "search_figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WITHIN 0.04879016416943205 /* ln 1.05 */

struct tally {
	size_t n, changed, close, needless, cc_changed;
	size_t classes[CLASS_FAILED + 1];
	double seconds, longest, over, regret, ratio_log;
	size_t ratios;
	double pairs, confirmed;
};

static struct run_options options = {.budget_s = 600};
static bool verbose;

/* -v: the sessions that missed, one line each. */
static void
print_miss(const struct scenario *sc, const struct outcome *o, size_t i, const struct score *s)
{
	const struct search_result *r = &o->result[i];

	printf("  %s %s %.0f ms %.0f Mbit/s slow %+.3f %s %s/%.0f KiB gain %+.3f regret %+.3f best %+.3f effect %+.1f pairs %.0f "
	    "%.0f s, %.0f connections\n", sc->name, sc->path.noise->name, sc->path.rtt_s * 1e3,
	    sc->path.capacity_bps / 1e6, o->slow[i], decision_class_names[r->class],
	    r->chosen.cc != NULL ? r->chosen.cc : "-", r->chosen.window_bytes / 1024, s->gain, s->regret,
	    s->best_gain, r->effect.estimate, r->effect.pairs, o->elapsed_s, r->connections);
}

static void
count(struct tally *t, const struct outcome *o, struct truth *truth)
{
	bool close = true, changed = false, needless = false, cc = false;

	for (size_t i = 0; i < o->n; i++) {
		struct score s = truth_score(&truth[i], &o->result[i], o->slow[i]);

		if (verbose && s.regret > WITHIN)
			print_miss(truth[i].scenario, o, i, &s);
		close = close && s.regret <= WITHIN;
		changed = changed || s.changed;
		needless = needless || s.cc_needless;
		cc = cc || s.cc_changed;
		t->regret += s.regret / (double)o->n;
		t->classes[o->result[i].class]++;
		if (!isnan(s.window_ratio)) {
			t->ratio_log += log(s.window_ratio);
			t->ratios++;
		}
		if (!isnan(o->result[i].effect.pairs)) {
			t->pairs += o->result[i].effect.pairs;
			t->confirmed++;
		}
	}
	t->n++;
	t->close += close;
	t->changed += changed;
	t->needless += needless;
	t->cc_changed += cc;
	t->seconds += o->elapsed_s;
	t->longest = fmax(t->longest, o->elapsed_s);
	t->over += o->elapsed_s > (double)o->n * options.budget_s + 1e-6;
}

static double
part(double a, double b)
{
	return b > 0 ? a / b : NAN;
}

static void
print_tally(const char *name, const struct tally *t)
{
	double n = (double)t->n;

	printf("%-16s %5zu  %6.3f  %6.3f  %6.3f  %6.1f  %6.1f  %5.2f  %5.1f  ", name, t->n,
	    part((double)t->changed, n), part((double)t->close, n), part((double)t->cc_changed, n),
	    part(t->seconds, n), t->longest, exp(part(t->ratio_log, (double)t->ratios)),
	    part(t->pairs, t->confirmed));
	for (size_t i = 1; i <= CLASS_FAILED; i++)
		if (t->classes[i] > 0)
			printf(" %s %.3f", decision_class_names[i],
			    (double)t->classes[i] / n);
	putchar('\n');
}

static struct tally
run_scenario(const struct scenario *sc, size_t repeats, uint64_t seed)
{
	static struct truth truth[2];
	struct tally t = {0};
	struct outcome o;

	truth_start(&truth[0], sc, sc->send_bytes > 0 ? DIR_SEND : DIR_RECEIVE);
	if (sc->send_bytes > 0 && sc->receive_bytes > 0)
		truth_start(&truth[1], sc, DIR_RECEIVE);
	for (size_t i = 0; i < repeats; i++) {
		scenario_run(sc, &options, seed * 1000003 + i, &o);
		count(&t, &o, truth);
	}
	return t;
}

static double
seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- bars ----------------------------------------------------------------------------------- */

struct bar {
	bool quick;
	char what[64];
	const char *prototype; /* what the design's own simulation reached */
	double measured, demand;
	bool at_least;
};

static struct bar bars[64];
static size_t n_bars;

/* NAN: not run. */
static void
bar(const char *what, const char *prototype, double measured, bool at_least, double demand)
{
	struct bar *b = &bars[n_bars];

	if (isnan(measured) || n_bars == sizeof(bars) / sizeof(*bars))
		return;
	*b = (struct bar){options.mode == BUDGET_QUICK, "", prototype, measured, demand, at_least};
	snprintf(b->what, sizeof(b->what), "%s", what);
	n_bars++;
}

static bool
print_table(void)
{
	bool all = true;

	printf("\n%-8s | %-52s | %-9s | %-8s | %-8s |\n", "mode", "bar", "prototype", "demand",
	    "measured");
	for (size_t i = 0; i < n_bars; i++) {
		const struct bar *b = &bars[i];
		bool pass = b->at_least ? b->measured >= b->demand : b->measured <= b->demand;

		printf("%-8s | %-52s | %-9s | %s %-5g | %8.3f | %s\n", b->quick ? "quick" : "standard",
		    b->what, b->prototype, b->at_least ? ">=" : "<=", b->demand, b->measured,
		    pass ? "pass" : "FALL SHORT");
		all = all && pass;
	}
	return all;
}

struct summary {
	double sum, worst;
	size_t n;
};

static void
sum_up(struct summary *s, double value, bool low_is_worse)
{
	if (s->n == 0 || (low_is_worse ? value < s->worst : value > s->worst))
		s->worst = value;
	s->sum += value;
	s->n++;
}

static double
mean_of(const struct summary *s)
{
	return s->n > 0 ? s->sum / (double)s->n : NAN;
}

static double
worst_of(const struct summary *s)
{
	return s->n > 0 ? s->worst : NAN;
}

struct bench {
	struct summary null_change, null_s, effect_s, clear, stuck;
	double ratio_log, ratios, changed, needless, over, runs;
};

static void
hard_bar(const char *name, const struct tally *t)
{
	static const struct {
		const char *name, *prototype;
		double demand;
	} table[] = {
		{"e13-bbr+12", ".962", .93}, {"e14-win+cc12", ".947", .91},
		{"e8-plus13", ".833", .79}, {"e9-plus35", ".791", .75},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(name, table[i].name) == 0 && options.mode == BUDGET_STANDARD)
			bar(name, table[i].prototype, part((double)t->close, (double)t->n), true, table[i].demand);
}

static void
add_tally(struct bench *b, const struct scenario *sc, const struct tally *t)
{
	double n = (double)t->n, near = (double)t->close / n;
	bool satellite = strcmp(sc->name, "e10-satellite") == 0;

	if (sc->kind == KIND_NULL) {
		sum_up(&b->null_change, (double)t->changed / n, false);
		sum_up(&b->null_s, t->seconds / n, false);
	} else if (sc->kind == KIND_CLEAR && !(satellite && options.mode == BUDGET_QUICK)) {
		sum_up(&b->clear, near, true);
	} else if (sc->kind == KIND_STUCK) {
		sum_up(&b->stuck, (double)t->changed / n, false);
	}
	if (sc->kind == KIND_CLEAR || sc->kind == KIND_HARD) {
		sum_up(&b->effect_s, t->seconds / n, false);
		b->ratio_log += t->ratio_log;
		b->ratios += (double)t->ratios;
		b->changed += (double)t->changed;
		b->needless += (double)t->needless;
	}
	b->over += (double)t->over;
	b->runs += n;
}

static void
print_bars(const struct bench *b)
{
	bool quick = options.mode == BUDGET_QUICK;

	bar("null scenarios, false change, mean", ".008", mean_of(&b->null_change), false, .02);
	bar("null scenarios, false change, worst", ".030", worst_of(&b->null_change), false, .05);
	bar("clear effects within 5 %, mean", "-", quick ? NAN : mean_of(&b->clear), true, .975);
	bar("clear effects within 5 %, worst", quick ? ".944" : ".963", worst_of(&b->clear), true, quick ? .92 : .94);
	bar("stuck bbr chosen", "-", worst_of(&b->stuck), false, .05);
	bar("mean seconds, null scenarios", "152", mean_of(&b->null_s), false, 180);
	bar("mean seconds, effect scenarios", "249", mean_of(&b->effect_s), false, 280);
	bar("runs beyond the budget", "0", b->runs > 0 ? b->over : NAN, false, 0);
	bar("window over smallest sufficient one, geometric mean", "1.34", exp(part(b->ratio_log, b->ratios)),
	    false, 1.5);
	bar("needless change of congestion control", ".096", part(b->needless, b->changed), false, .15);
}

/* ---- what is run ---------------------------------------------------------------------------- */

static void
bench_scenarios(struct bench *b, size_t repeats, uint64_t seed, char **wanted, size_t n_wanted)
{
	printf("%-16s %5s  %6s  %6s  %6s  %6s  %6s  %5s  %5s\n", "scenario", "runs", "change",
	    "near", "cc", "mean s", "max s", "ratio", "pairs");
	for (size_t i = 0; i < n_scenarios; i++) {
		const struct scenario *sc = &scenarios[i];
		bool chosen = n_wanted == 0;
		struct tally t;

		for (size_t k = 0; k < n_wanted; k++)
			chosen = chosen || strstr(sc->name, wanted[k]) != NULL;
		if (!chosen)
			continue;
		t = run_scenario(sc, repeats, seed);
		print_tally(sc->name, &t);
		add_tally(b, sc, &t);
		hard_bar(sc->name, &t);
	}
}

static void
bench_random(size_t paths, uint64_t seed)
{
	static struct truth truth;
	struct tally all = {0};
	struct summary regret = {0};
	double none = 0, none_changed = 0, large = 0, large_near = 0;

	for (size_t i = 0; i < paths; i++) {
		struct scenario sc;
		struct outcome o;
		struct score s;

		scenario_random(&sc, seed * 1000003 + i);
		truth_start(&truth, &sc, DIR_SEND);
		scenario_run(&sc, &options, seed * 7000003 + i, &o);
		count(&all, &o, &truth);
		s = truth_score(&truth, &o.result[0], o.slow[0]);
		if (s.best_gain < log(1.01)) {
			none++;
			none_changed += s.changed;
		}
		if (s.best_gain > log(1.5)) {
			large++;
			large_near += s.regret <= WITHIN;
			sum_up(&regret, 1 - exp(-fmax(s.regret, 0)), false);
		}
	}
	print_tally("random", &all);
	bar("random paths within 5 %", ".952", part((double)all.close, (double)all.n), true, .94);
	bar("random paths with nothing to gain, false change", ".003", part(none_changed, none), false, .01);
	bar("random paths with 50 % to gain, within 5 %", ".895", part(large_near, large), true, .87);
	bar("random paths with 50 % to gain, mean regret", ".026", mean_of(&regret), false, .04);
	bar("random paths, runs beyond the budget", "0", (double)all.over, false, 0);
}

/* Both modes: what the list of scenarios does not hold. */
static void
bench_figures(size_t repeats, uint64_t seed)
{
	bar("a gain beyond 50 % for 2 % sent again, taken", "-",
	    figure_exception(&options, .02, repeats, seed), true, .92);
	bar("a gain beyond 50 % for 4 % sent again, taken", "-",
	    figure_exception(&options, .04, repeats, seed), false, .05);
	bar("two directions with nothing to gain, either changed", "-",
	    figure_two_directions(&options, repeats, seed), false, .05);
}

static void
bench_mode(enum budget_mode mode, const size_t *counts, uint64_t seed, char **wanted, size_t n)
{
	struct bench b = {0};
	double from = seconds_now();

	if (mode == BUDGET_QUICK) {
		options.mode = mode;
		options.budget_s = 150;
	}
	if (counts[0] > 0)
		bench_scenarios(&b, counts[0], seed, wanted, n);
	print_bars(&b);
	if (b.runs > 0)
		bar("searches a second, simulator and scoring included", "8400",
		    b.runs / (seconds_now() - from), true, 2000);
	if (counts[2] > 0 && mode == BUDGET_STANDARD)
		bar("forced confirmation of equal settings, worst P(change)", ".038",
		    figure_forced(counts[2], seed), false, .05);
	if (counts[2] > 0)
		bench_figures(counts[0], seed);
	if (counts[1] > 0)
		bench_random(counts[1], seed);
}

static int
usage(void)
{
	fputs("usage: bench_search [-aqv] [-n repeats] [-r random_paths] [-f forced_repeats] "
	    "[-s hex_seed] [-b budget_s] [scenario ..]\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	size_t counts[] = {200, 0, 0}; /* repeats, random paths, forced confirmations */
	enum budget_mode mode = BUDGET_STANDARD;
	bool all = false;
	uint64_t seed = 1;
	int c;

	options.policy = POLICY_BALANCED;
	while ((c = getopt(argc, argv, "an:s:b:r:f:qv")) != -1) {
		switch (c) {
		case 'a':
			all = true;
			counts[0] = 2000;
			counts[1] = 6000;
			counts[2] = 4000;
			break;
		case 'n':
			counts[0] = strtoul(optarg, NULL, 10);
			break;
		case 'r':
			counts[1] = strtoul(optarg, NULL, 10);
			break;
		case 'f':
			counts[2] = strtoul(optarg, NULL, 10);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 16);
			break;
		case 'b':
			options.budget_s = strtod(optarg, NULL);
			break;
		case 'q':
			mode = BUDGET_QUICK;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return usage();
		}
	}
	bar("test vectors of the estimators, mismatches", "0", figure_vectors(), false, 0);
	bar("the table of 2012: anything but the defaults", "0", figure_table_2012(), false, 0);
	bench_mode(mode, counts, seed, argv + optind, (size_t)(argc - optind));
	if (all && mode == BUDGET_STANDARD)
		bench_mode(BUDGET_QUICK, counts, seed, argv + optind, (size_t)(argc - optind));
	return print_table() ? 0 : 1;
}
