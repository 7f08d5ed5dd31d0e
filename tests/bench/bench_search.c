/*
 * bench_search: the search against simulated paths, as a table of the bars it has to clear.
 * usage: bench_search [-n repeats] [-s seed] [-b budget_s] [-q] [-r random_paths] [scenario ..]
 */
#include "scenarios.h"

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
	double pairs;
	double by_cc_bbr;
	double lowest, goodput, confirmed;
};

static struct run_options options = {.budget_s = 600};

static bool verbose;

static void print_miss(const struct scenario *, const struct outcome *, size_t, const struct score *);

static void
count(struct tally *t, const struct outcome *o, struct truth *truth)
{
	bool close = true, changed = false, needless = false, cc = false;

	for (size_t i = 0; i < o->n; i++) {
		struct score s = truth_score(&truth[i], &o->result[i], o->slow);

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

/* -v: the sessions that missed, one line each. */
static void
print_miss(const struct scenario *sc, const struct outcome *o, size_t i, const struct score *s)
{
	const struct search_result *r = &o->result[i];

	printf("  %s slow %+.3f %s %s/%.0f KiB gain %+.3f regret %+.3f best %+.3f effect %+.1f pairs %.0f "
	    "%.0f s stuck %.0f/%.0f\n", sc->name, o->slow, decision_class_names[r->class],
	    r->chosen.cc != NULL ? r->chosen.cc : "-", r->chosen.window_bytes / 1024, s->gain, s->regret,
	    s->best_gain, r->effect.estimate, r->effect.pairs, o->elapsed_s, r->stuck, r->connections);
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

int
main(int argc, char **argv)
{
	size_t repeats = 200;
	uint64_t seed = 1;
	int c;

	while ((c = getopt(argc, argv, "n:s:b:qv")) != -1) {
		switch (c) {
		case 'n':
			repeats = strtoul(optarg, NULL, 10);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 16);
			break;
		case 'b':
			options.budget_s = strtod(optarg, NULL);
			break;
		case 'q':
			options.mode = BUDGET_QUICK;
			options.budget_s = 150;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return 2;
		}
	}
	options.policy = POLICY_BALANCED;
	printf("%-16s %5s  %6s  %6s  %6s  %6s  %6s  %5s  %5s\n", "scenario", "runs", "change",
	    "near", "cc", "mean s", "max s", "ratio", "pairs");
	double from = seconds_now();
	size_t runs = 0;
	for (size_t i = 0; i < n_scenarios; i++) {
		bool wanted = optind == argc;

		for (int k = optind; k < argc; k++)
			wanted = wanted || strstr(scenarios[i].name, argv[k]) != NULL;
		if (!wanted)
			continue;
		struct tally t = run_scenario(&scenarios[i], repeats, seed);
		print_tally(scenarios[i].name, &t);
		runs += t.n;
	}
	printf("%.0f searches/s\n", (double)runs / (seconds_now() - from));
	return 0;
}
