/*
 * bench_commands: how long "pathtune probe" takes, and what "pathtune demo" reaches on five paths,
 * started from linux-6.18, as a table with the bars.
 *
 *   bench_commands [-n RUNS] [-b BUDGET] [PATH ..]   3 runs, --quick, all paths
 */
#include "tuner/cmd.h"
#include "tuner/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROBES 20
#define PROBE_BAR_MS 100.0
#define RUNS_MAX 32
#define WORDS_MAX 24

struct demo_case {
	const char *name;
	const char *flags[8];
	enum verdict verdict;
	const char *cc;                /* after; NULL: any */
	const char *words;             /* that the verdict must hold; NULL: any */
	double each_mbps, median_mbps; /* at least; 0: no bar */
};

static const struct demo_case cases[] = {
	{ "long", { "--rate", "600M", "--rtt", "209ms", "--queue", ".25bdp" }, VERDICT_CHANGE, NULL,
	    NULL, 430, 480 },
	{ "lossy", { "--rate", "100M", "--rtt", "100ms", "--loss", "0.5%" }, VERDICT_CHANGE, "bbr",
	    NULL, 85, 0 },
	{ "short", { "--rate", "500M", "--rtt", "1ms" }, VERDICT_KEEP, NULL, NULL, 0, 0 },
	{ "full", { "--rate", "300M", "--rtt", "80ms", "--queue", "1bdp" }, VERDICT_CHANGE, NULL,
	    NULL, 275, 0 },
	{ "shallow", { "--rate", "300M", "--rtt", "80ms", "--queue", ".1bdp" }, VERDICT_CHANGE,
	    NULL, "retransmit exception", 240, 0 },
};

static void
die(const char *what)
{
	fprintf(stderr, "bench_commands: %s\n", what);
	exit(1);
}

static const char *
judge(bool reached)
{
	return reached ? "reached" : "falls short";
}

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* How long it took; its report is not shown, its errors are. */
static double
run_program(const char *const *argv)
{
	double began = now_s();
	int status, null;
	pid_t pid = fork();

	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die("the program failed");
	return now_s() - began;
}

static void
bench_probe(void)
{
	static const char *const argv[] = { PATHTUNE, "probe", NULL };
	double ms[PROBES], median;

	for (size_t i = 0; i < PROBES; i++)
		ms[i] = run_program(argv) * 1e3;
	median = stats_median(ms, PROBES);
	printf("probe, no peer: median of %d %.0f ms, slowest %.0f, bar %.0f ms: %s\n\n", PROBES,
	    median, stats_quantile(ms, PROBES, 1), PROBE_BAR_MS, judge(median < PROBE_BAR_MS));
}

static struct run
demo(struct arena *a, const struct demo_case *c, const char *budget, const char *file,
    double *seconds)
{
	const char *argv[WORDS_MAX] = { PATHTUNE, "demo", "-q", "--start", "linux-6.18", "--save",
		file };
	size_t n = 7;
	struct err e = { 0 };
	struct run run;

	for (size_t i = 0; i < NELEM(c->flags) && c->flags[i] != NULL; i++)
		argv[n++] = c->flags[i];
	argv[n++] = budget == NULL ? "--quick" : "--budget";
	argv[n] = budget;
	*seconds = run_program(argv);
	if (!cmd_run_load(a, file, &run, &e))
		die(e.text);
	if (run.decision.n_directions != 1)
		die("the run file holds no decision");
	return run;
}

/* What the host gets from now on. */
static const struct side *
outcome(const struct direction_decision *d)
{
	return d->verdict == VERDICT_CHANGE ? &d->after : &d->before;
}

static bool
reached(const struct demo_case *c, const struct direction_decision *d)
{
	const struct side *s = outcome(d);

	return d->verdict == c->verdict &&
	    (c->cc == NULL || (s->setting.cc != NULL && strcmp(s->setting.cc, c->cc) == 0)) &&
	    (c->words == NULL || strstr(d->words, c->words) != NULL) &&
	    (c->each_mbps == 0 || s->goodput_bps >= c->each_mbps * 1e6);
}

static void
print_bar(const struct demo_case *c)
{
	printf("%s", verdict_names[c->verdict]);
	if (c->cc != NULL)
		printf(", %s", c->cc);
	if (c->each_mbps != 0)
		printf(", %.0f", c->each_mbps);
	if (c->words != NULL)
		printf(", says \"%s\"", c->words);
}

static void
bench_demo(const struct demo_case *c, size_t runs, const char *budget, const char *file)
{
	double mbps[RUNS_MAX], seconds, median;

	for (size_t i = 0; i < runs; i++) {
		struct arena *a = arena_new();
		struct run run = demo(a, c, budget, file, &seconds);
		const struct direction_decision *d = &run.decision.directions[0];
		const struct side *s = outcome(d);

		mbps[i] = s->goodput_bps / 1e6;
		printf("%-8s %3zu  %6.0f  %6.0f  %6.0f  %6.0f  %7.2f %%  %5.0f s  %-30s %-11s (",
		    c->name, i + 1, d->before.goodput_bps / 1e6, mbps[i], d->before.rtt_ms,
		    s->rtt_ms, s->retransmits * 100, seconds, decision_class_names[d->class],
		    judge(reached(c, d)));
		print_bar(c);
		puts(")");
		fflush(stdout);
		arena_free(a);
	}
	median = stats_median(mbps, runs);
	if (c->median_mbps != 0)
		printf("%-8s median of %zu: %.0f, bar %.0f: %s\n", c->name, runs, median,
		    c->median_mbps, judge(median >= c->median_mbps));
}

static bool
wanted(const char *name, char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return n == 0;
}

int
main(int argc, char **argv)
{
	char dir[] = "/tmp/bench-commands-XXXXXX", file[64];
	const char *budget = NULL;
	size_t runs = 3;
	int c;

	while ((c = getopt(argc, argv, "n:b:")) != -1) {
		if (c == 'n')
			runs = strtoul(optarg, NULL, 10);
		else if (c == 'b')
			budget = optarg;
		else
			return 2;
	}
	if (runs < 1 || runs > RUNS_MAX)
		die("-n: 1 to 32 runs");
	if (mkdtemp(dir) == NULL)
		die(strerror(errno));
	snprintf(file, sizeof(file), "%s/run.json", dir);
	bench_probe();
	printf("%-8s %3s  %6s  %6s  %6s  %6s  %9s  %7s  %-30s %s\n", "demo", "run", "before",
	    "after", "RTT ms", "after", "sent again", "took", "class", "bar (Mbit/s after)");
	for (size_t i = 0; i < NELEM(cases); i++)
		if (wanted(cases[i].name, argv + optind, argc - optind))
			bench_demo(&cases[i], runs, budget, file);
	unlink(file);
	rmdir(dir);
	return 0;
}
