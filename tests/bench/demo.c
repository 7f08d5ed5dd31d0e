/*
 * demo: does a whole run find what there is to find on the five paths of the lab?
 *
 * usage: demo [RUNS [PATH ..]]   3 runs of each path by default, about two minutes a run; needs what
 * a lab needs.  Prints a line a run, then a line a path with its bar.
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

#define RUNS_MAX 20

struct path_case {
	const char *name;
	const char *flags[9];
	enum verdict verdict;   /* NONE: by its goodput alone */
	const char *cc;         /* that it must end with; NULL: any */
	double each_bps, median_bps;
	bool exception;         /* more retransmits are accepted, and the verdict must name that */
};

static const struct path_case paths[] = {
	{ "long", { "--rate", "600M", "--rtt", "209ms", "--queue", ".25bdp" }, VERDICT_CHANGE, NULL,
	    430e6, 480e6, false },
	{ "lossy", { "--rate", "100M", "--rtt", "100ms", "--loss", "0.5%" }, VERDICT_CHANGE, "bbr",
	    85e6, 85e6, false },
	{ "short", { "--rate", "500M", "--rtt", "1ms" }, VERDICT_KEEP, NULL, 0, 0,
	    false },
	{ "full", { "--rate", "300M", "--rtt", "80ms", "--queue", "1bdp" }, VERDICT_NONE, NULL, 275e6,
	    275e6, false },
	{ "shallow", { "--rate", "300M", "--rtt", "80ms", "--queue", ".1bdp" }, VERDICT_CHANGE, NULL,
	    240e6, 240e6, true },
};

struct outcome {
	bool ended;
	enum verdict verdict;
	enum decision_class class;
	struct side side; /* what the host ends with: before, or after a change */
	double before_bps, seconds;
	bool exception; /* named */
};

static double
clock_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* pathtune demo with the path's flags; what it says goes nowhere, the run file tells. */
static int
run_demo(const struct path_case *p, const char *file)
{
	const char *argv[24] = { PATHTUNE, "demo", "--start", "linux-6.18", "--quick", "-q", "--save",
		file };
	int status, n = 8, null = open("/dev/null", O_WRONLY);
	pid_t pid;

	for (int i = 0; p->flags[i] != NULL; i++)
		argv[n++] = p->flags[i];
	pid = fork();
	if (pid == 0) {
		dup2(null, STDOUT_FILENO);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(null);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static struct outcome
one_run(const struct path_case *p, const char *file)
{
	struct outcome o = { .ended = false, .side.goodput_bps = NAN, .before_bps = NAN };
	struct arena *a = arena_new();
	struct err e = { ERR_NONE, "" };
	double began = clock_s();
	struct run run;

	if (run_demo(p, file) == 0 && cmd_run_load(a, file, &run, &e) &&
	    run.decision.n_directions == 1) {
		const struct direction_decision *d = &run.decision.directions[0];

		o.ended = true;
		o.verdict = d->verdict;
		o.class = d->class;
		o.side = d->verdict == VERDICT_CHANGE ? d->after : d->before;
		/* The name lives in the arena; only whether it is bbr is asked later. */
		o.side.setting.cc = o.side.setting.cc != NULL &&
		    strcmp(o.side.setting.cc, "bbr") == 0 ? "bbr" : "other";
		o.before_bps = d->before.goodput_bps;
		o.exception = d->words != NULL &&
		    strstr(d->words, "retransmit exception") != NULL;
	}
	o.seconds = clock_s() - began;
	unlink(file);
	arena_free(a);
	return o;
}

static bool
as_wanted(const struct path_case *p, const struct outcome *o)
{
	return o->ended && (p->verdict == VERDICT_NONE || o->verdict == p->verdict) &&
	    (p->cc == NULL || strcmp(o->side.setting.cc, p->cc) == 0) &&
	    (p->each_bps == 0 || o->side.goodput_bps >= p->each_bps) &&
	    o->exception == p->exception;
}

static void
print_run(const struct path_case *p, int run, const struct outcome *o)
{
	if (!o->ended)
		printf("%-8s %3d  failed\n", p->name, run + 1);
	else
		printf("%-8s %3d  %-6s %-30s %6.0f -> %4.0f Mbit/s  %4.0f ms  %5.2f %%%s  %4.0f s\n", p->name,
		    run + 1, verdict_names[o->verdict], decision_class_names[o->class],
		    o->before_bps / 1e6, o->side.goodput_bps / 1e6, o->side.rtt_ms,
		    o->side.retransmits * 100,
		    o->exception ? " excepted" : "         ", o->seconds);
	fflush(stdout);
}

static bool
one_path(const struct path_case *p, int runs, const char *file)
{
	double after[RUNS_MAX] = { 0 }, median;
	bool reached = true;

	for (int i = 0; i < runs; i++) {
		struct outcome o = one_run(p, file);

		print_run(p, i, &o);
		reached &= as_wanted(p, &o);
		after[i] = isnan(o.side.goodput_bps) ? 0 : o.side.goodput_bps;
	}
	median = stats_median(after, (size_t)runs);
	reached &= p->median_bps == 0 || median >= p->median_bps;
	printf("%-8s      each at least %.0f, median %.0f of at least %.0f Mbit/s%s%s%s: %s\n", p->name,
	    p->each_bps / 1e6, median / 1e6, p->median_bps / 1e6,
	    p->verdict == VERDICT_NONE ? "" : ", verdict ",
	    p->verdict == VERDICT_NONE ? "" : verdict_names[p->verdict],
	    p->exception ? ", retransmit exception named" : "",
	    reached ? "reached" : "falls short");
	return reached;
}

static bool
wanted(const char *name, int argc, char **argv)
{
	bool found = argc <= 2;

	for (int i = 2; i < argc; i++)
		found |= strcmp(argv[i], name) == 0;
	return found;
}

int
main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 3;
	char dir[] = "/tmp/pathtune-bench-XXXXXX", file[64];
	bool reached = true;

	if (runs < 1 || runs > RUNS_MAX || mkdtemp(dir) == NULL) {
		fprintf(stderr, "usage: demo [RUNS [PATH ..]], at most %d runs\n", RUNS_MAX);
		return 2;
	}
	snprintf(file, sizeof(file), "%s/run.json", dir);
	puts("path     run  verdict                               before -> after       RTT    retr.           time");
	for (size_t i = 0; i < NELEM(paths); i++) {
		if (wanted(paths[i].name, argc, argv))
			reached &= one_path(&paths[i], runs, file);
	}
	rmdir(dir);
	return reached ? 0 : 1;
}
