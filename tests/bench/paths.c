/*
 * paths: is what tune finds as good as the best there is, on emulated paths?
 *
 * usage: paths [-d DIR] [-j JOBS] oracle [PATH ..]
 *        paths [-d DIR] [-j JOBS] [-r RUNS] judge [PATH ..] [-- FLAG ..]
 *
 * oracle: 6 windows x {cubic, bbr}, 3 rounds in random order, into DIR/oracle/PATH.json.
 * judge: pathtune tune (standard mode, or with the flags after --) RUNS times a path, each followed
 * by 8 fresh rounds of what it left, of the oracle's best cell within the guard and of the start;
 * into DIR/judge.  Prints a line a bar and run, then a table; 1 when any falls short.
 *
 * Both go on where they were interrupted; remove the files to measure anew.  JOBS paths are
 * measured at a time, each in a lab of its own: more than one a core, and the machine is what is
 * measured.  DIR is ./bars unless given.
 */
#include "lab_left.h"

#include "tuner/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ORACLE_ROUNDS 3.0
#define PAIRS 8.0
#define RUNS_MAX 20
#define START CELL_START
#define OURS "ours"
#define ORACLE "oracle"

#define ENOUGH_OF_ORACLE .97
#define ENOUGH_OF_START .98
#define WINDOW_MOST 2.0
#define PROBING_S 15.0      /* around the search: facts, plan, the last check */

struct bench {
	const char *dir;
	unsigned jobs, runs;
	const char **flags; /* of tune; NULL-terminated */
	const struct lab_path **paths;
	size_t n_paths;
};

/* ---- the oracle ------------------------------------------------------------------------------ */

static bool
oracle_cells(struct arena *a, const struct lab_path *p, struct sheet *s, struct err *e)
{
	static const char *const ccs[] = { "cubic", "bbr" };

	for (size_t c = 0; c < NELEM(ccs); c++) {
		for (size_t i = 0; i < PATH_WINDOWS; i++) {
			double bytes = PATH_START_MAX_BYTES;
			bool start = isnan(p->windows[i]);

			if (!start && !path_max_bytes(a, p->windows[i], &bytes, e))
				return false;
			sheet_cell(a, s, arena_printf(a, "%s, %s", ccs[c], start ? START :
			    units_say_bytes(a, p->windows[i])), ccs[c], bytes);
		}
	}
	return true;
}

static void
print_oracle(const struct lab_path *p, const struct sheet *s)
{
	const struct cell *start = oracle_start(s), *best = sheet_best(s, start, NULL);

	printf("\n%s: %s, idle RTT %.1f ms, %.0f rounds, deliveries late by %.0f us\n", p->name, p->words,
	    s->idle_rtt_ms, s->rounds, s->late_us);
	for (size_t i = 0; i < s->n_cells; i++) {
		const struct cell *c = &s->cells[i];

		printf("  %-16s tcp_wmem %6.1f MB  %6.1f Mbit/s  %6.1f ms  %5.2f %%  in flight %5.1f MB%s%s%s\n",
		    c->name, c->max_bytes / 1e6, cell_goodput_bps(c) / 1e6, cell_rtt_ms(c),
		    cell_retransmits(c) * 100, cell_inflight_bytes(c) / 1e6,
		    cell_within_guard(s, c, start) ? "" : "  beyond the guard",
		    cell_failed(c) != 0 ? "  trials failed" : "", c == best ? "  BEST" : "");
	}
	for (size_t i = 0; i < s->n_warnings; i++)
		printf("  LATE: %s\n", s->warnings[i]);
	fflush(stdout);
}

static bool
measure_sheet(struct arena *a, const struct lab_path *p, struct sheet *s, double rounds,
    const char *file, bool alone, struct err *e)
{
	struct path_lab lab;
	bool ok;

	if (!path_lab_up(a, p, &lab, e))
		return false;
	ok = path_prober_start(&lab, e) && sheet_measure(&lab, s, rounds, file, alone, e);
	path_lab_down(&lab);
	return ok;
}

static bool
oracle_path(const struct lab_path *p, void *arg)
{
	const struct bench *b = arg;
	struct arena *a = arena_new();
	struct sheet s = sheet_new("oracle", p);
	struct err e = { ERR_NONE, "" };
	const char *file = bars_oracle_file(a, b->dir, p);
	bool ok = oracle_cells(a, p, &s, &e);

	if (ok) {
		sheet_resume(a, file, &s);
		ok = s.rounds >= ORACLE_ROUNDS ||
		    measure_sheet(a, p, &s, ORACLE_ROUNDS, file, b->jobs == 1, &e);
	}
	if (ok)
		print_oracle(p, &s);
	else
		fprintf(stderr, "%s: %s\n", p->name, e.text);
	arena_free(a);
	return ok;
}

/* ---- judging --------------------------------------------------------------------------------- */

struct verdict_line {
	bool short_of; /* any bar */
	struct text text;
};

static void
bar(struct verdict_line *v, const char *path, unsigned run, bool reached, const char *words)
{
	v->short_of |= !reached;
	text_add(&v->text, "%-8s run %u  %-12s %s\n", path, run, reached ? "pass" : "FALLS SHORT",
	    words);
}

static const char *
say_ratio(struct arena *a, struct interval r)
{
	return arena_printf(a, "%.3f [%.3f, %.3f]", r.estimate, r.low, r.high);
}

static void
bar_goodput(struct arena *a, struct verdict_line *v, const struct sheet *s, const char *path,
    unsigned run)
{
	const struct cell *start = sheet_find(s, START), *ours = sheet_find(s, OURS);
	const struct cell *oracle = sheet_find(s, ORACLE);
	struct interval r;

	ours = ours == NULL ? start : ours;
	if (oracle == NULL) {
		bar(v, path, run, true, "what tune left is the oracle's best cell");
	} else {
		r = cells_ratio(ours, oracle);
		bar(v, path, run, r.high >= ENOUGH_OF_ORACLE, arena_printf(a,
		    "%.1f of the oracle's %.1f Mbit/s: %s reaches %.2f", cell_goodput_bps(ours) / 1e6,
		    cell_goodput_bps(oracle) / 1e6, say_ratio(a, r), ENOUGH_OF_ORACLE));
	}
	if (ours == start) {
		bar(v, path, run, true, "against the start: it was kept");
		return;
	}
	r = cells_ratio(ours, start);
	bar(v, path, run, r.low > ENOUGH_OF_START, arena_printf(a,
	    "%.1f of the start's %.1f Mbit/s: %s is above %.2f", cell_goodput_bps(ours) / 1e6,
	    cell_goodput_bps(start) / 1e6, say_ratio(a, r), ENOUGH_OF_START));
}

static void
bar_window(struct arena *a, struct verdict_line *v, const struct sheet *oracle,
    const struct tune_left *l, const char *path, unsigned run)
{
	const struct cell *enough = sheet_smallest(oracle, oracle_start(oracle), l->cc);
	double ratio = enough == NULL ? NAN : l->max_bytes / enough->max_bytes;

	if (l->max_bytes <= PATH_START_MAX_BYTES)
		bar(v, path, run, true, "window: not raised");
	else if (enough == NULL)
		bar(v, path, run, false, "window: raised, and none of this control is within the guard");
	else
		bar(v, path, run, ratio <= WINDOW_MOST, arena_printf(a,
		    "window: tcp_wmem %.1f MB is %.2f times the smallest sufficient one (%.1f MB), at most %.0f",
		    l->max_bytes / 1e6, ratio, enough->max_bytes / 1e6, WINDOW_MOST));
}

static void
bar_rest(struct arena *a, struct verdict_line *v, const struct sheet *oracle,
    const struct sheet *pairs, const struct tune_left *l, const char *path, unsigned run)
{
	double budget_s = l->run.plan.expected_s;

	if (sheet_nothing_helps(oracle, oracle_start(oracle)))
		bar(v, path, run, !l->changed, l->changed ? "a change where nothing helps" :
		    "no change where nothing helps");
	if (isnan(pairs->tune_s))
		text_add(&v->text, "%-8s run %u  not judged   its time: another program ran it\n", path, run);
	else
		bar(v, path, run, pairs->tune_s <= budget_s + PROBING_S, arena_printf(a,
		    "%.0f s with probing, the budget is %.0f s", pairs->tune_s, budget_s));
	text_add(&v->text, "%-8s run %u  deliveries were late by %.0f us\n", path, run, pairs->late_us);
	for (size_t i = 0; i < pairs->n_warnings; i++)
		text_add(&v->text, "%-8s run %u  LATE         %s\n", path, run, pairs->warnings[i]);
}

static void
row(struct text *t, const struct tune_left *l, const struct sheet *s, const char *path, unsigned run)
{
	const struct cell *start = sheet_find(s, START), *ours = sheet_find(s, OURS);
	const struct cell *oracle = sheet_find(s, ORACLE);
	struct interval one = { 1, 1, 1, 1 };
	struct interval o, b;

	ours = ours == NULL ? start : ours;
	o = oracle == NULL ? one : cells_ratio(ours, oracle);
	b = ours == start ? one : cells_ratio(ours, start);
	text_add(t, "| %s | %u | %s (%s) | %s, %.1f MB | %.0f | %.3f [%.3f, %.3f] | %.2f [%.2f, %.2f] | %.0f ms | "
	    "%.2f %% | %.0f s |\n", path, run, verdict_names[l->d->verdict],
	    decision_class_names[l->d->class], l->cc, l->max_bytes / 1e6,
	    cell_goodput_bps(ours) / 1e6, o.estimate, o.low, o.high, b.estimate, b.low, b.high,
	    cell_rtt_ms(ours), cell_retransmits(ours) * 100, s->tune_s);
}

/* What tune left, the oracle's best and the start; what is the same is there once. */
static void
pair_cells(struct arena *a, const struct sheet *oracle, const struct tune_left *l, struct sheet *s)
{
	const struct cell *best = sheet_best(oracle, oracle_start(oracle), NULL);

	sheet_cell(a, s, START, PATH_START_CC, PATH_START_MAX_BYTES);
	if (l->changed)
		sheet_cell(a, s, OURS, l->cc, l->max_bytes);
	if (best != NULL && (best->max_bytes != l->max_bytes || strcmp(best->cc, l->cc) != 0))
		sheet_cell(a, s, ORACLE, best->cc, best->max_bytes);
}

/* The pairs say of which run they are: one that is newer makes them worthless. */
static bool
pairs_of(struct arena *a, const struct tune_files *f, const struct tune_left *l, struct sheet *s)
{
	struct sheet fresh = *s;

	if (!sheet_resume(a, f->pairs, s))
		return false;
	if (s->about != NULL && strcmp(s->about, l->run.started) == 0)
		return true;
	*s = fresh;
	return false;
}

static bool
judge_run(struct arena *a, const struct lab_path *p, const struct bench *b, const struct tune_files *f,
    const struct sheet *oracle, struct tune_left *l, struct sheet *s, struct err *e)
{
	struct path_lab lab;
	double seconds = NAN;
	bool up = false, ok = true;

	if (access(f->run, R_OK) != 0) {
		up = ok = path_lab_up(a, p, &lab, e);
		ok = ok && path_lab_tune(&lab, b->flags, f->run, f->log, &seconds, e);
	}
	ok = ok && tune_left_load(a, f->run, l, e);
	if (ok) {
		pair_cells(a, oracle, l, s);
		if (!pairs_of(a, f, l, s)) {
			s->about = l->run.started;
			s->tune_s = seconds;
			ok = sheet_save(a, f->pairs, s, e);
		}
	}
	if (ok && s->rounds < PAIRS) {
		up = (up || path_lab_up(a, p, &lab, e));
		ok = up && path_prober_start(&lab, e) &&
		    sheet_measure(&lab, s, PAIRS, f->pairs, b->jobs == 1, e);
	}
	if (up)
		path_lab_down(&lab);
	return ok;
}

static bool
judge_path(const struct lab_path *p, void *arg)
{
	const struct bench *b = arg;
	struct arena *a = arena_new();
	struct verdict_line v = { .text.arena = a };
	struct text table = { .arena = a };
	struct err e = { ERR_NONE, "" };
	struct sheet oracle;
	bool ok = sheet_load(a, bars_oracle_file(a, b->dir, p), &oracle, &e);

	for (unsigned run = 1; ok && run <= b->runs; run++) {
		const struct tune_files f = tune_files(a, b->dir, p, run);
		struct sheet s = sheet_new("pairs", p);
		struct tune_left l;

		ok = judge_run(a, p, b, &f, &oracle, &l, &s, &e);
		if (!ok)
			break;
		bar_goodput(a, &v, &s, p->name, run);
		bar_window(a, &v, &oracle, &l, p->name, run);
		bar_rest(a, &v, &oracle, &s, &l, p->name, run);
		row(&table, &l, &s, p->name, run);
	}
	if (table.s != NULL)
		printf("%s%s", v.text.s, table.s);
	for (size_t i = 0; ok && i < oracle.n_warnings; i++)
		printf("%-8s oracle LATE: %s\n", p->name, oracle.warnings[i]);
	if (!ok)
		fprintf(stderr, "%s: %s\n", p->name, e.text);
	arena_free(a);
	return ok && !v.short_of;
}

/* ---- main ------------------------------------------------------------------------------------ */

static int
usage(void)
{
	fputs("usage: paths [-d DIR] [-j JOBS] oracle [PATH ..]\n"
	    "       paths [-d DIR] [-j JOBS] [-r RUNS] judge [PATH ..] [-- FLAG ..]\n"
	    "paths:\n", stderr);
	for (size_t i = 0; i < PATHS; i++)
		fprintf(stderr, "  %-8s %s\n", lab_paths[i].name, lab_paths[i].words);
	return 2;
}

static void
add_path(struct arena *a, struct bench *b, const struct lab_path *p)
{
	*(const struct lab_path **)arena_push(a, &b->paths, &b->n_paths, sizeof(void *)) = p;
}

static bool
parse(struct arena *a, int argc, char **argv, struct bench *b)
{
	bool named = false;
	int c;

	/* Flags behind -- are tune's; getopt ends at the first word. */
	while ((c = getopt(argc, argv, "+d:j:r:")) != -1) {
		if (c == 'd')
			b->dir = optarg;
		else if (c == 'j')
			b->jobs = (unsigned)atoi(optarg);
		else if (c == 'r')
			b->runs = (unsigned)atoi(optarg);
		else
			return false;
	}
	for (int i = optind + 1; i < argc; i++) {
		const struct lab_path *p = path_named(argv[i]);

		if (strcmp(argv[i], "--") == 0) {
			b->flags = (const char **)(argv + i + 1);
			break;
		}
		if (p == NULL)
			return false;
		add_path(a, b, p);
		named = true;
	}
	for (size_t i = 0; !named && i < PATHS; i++)
		add_path(a, b, &lab_paths[i]);
	return optind < argc && b->jobs >= 1 && b->runs >= 1 && b->runs <= RUNS_MAX;
}

/* When nothing is there yet; a search may end earlier. */
static void
announce(const struct bench *b, bool judge)
{
	double at_most = 0;

	for (size_t i = 0; i < b->n_paths; i++)
		at_most += judge ? b->runs * (600 + PAIRS * 3 * path_trial_s(b->paths[i])) :
		    ORACLE_ROUNDS * 2 * PATH_WINDOWS * path_trial_s(b->paths[i]);
	fprintf(stderr, "%zu path%s, %u at a time: at most about %.0f min\n", b->n_paths,
	    b->n_paths == 1 ? "" : "s", b->jobs, ceil(at_most / b->jobs / 60));
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct bench b = { .dir = "bars", .jobs = 1, .runs = 3 };
	struct err e = { ERR_NONE, "" };
	bool judge, ok;

	if (!parse(a, argc, argv, &b) || (strcmp(argv[optind], "judge") != 0 &&
		strcmp(argv[optind], "oracle") != 0))
		return usage();
	judge = strcmp(argv[optind], "judge") == 0;
	if (!bars_make_dirs(a, b.dir, &e)) {
		fprintf(stderr, "paths: %s\n", e.text);
		return 2;
	}
	announce(&b, judge);
	if (judge)
		puts("| path | run | verdict | left | Mbit/s | of the oracle | of the start | loaded RTT | retransmits | "
		    "tune took |\n|---|---|---|---|---|---|---|---|---|---|");
	ok = paths_each(b.paths, b.n_paths, b.jobs, judge ? judge_path : oracle_path, &b);
	arena_free(a);
	return ok ? 0 : 1;
}
