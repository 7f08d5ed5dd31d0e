/*
 * lab_sheet: settings side by side on one path: rounds in which each is tried once, in fresh random
 * order, kept in a file after every round so that an interrupted bench goes on where it stopped.
 */
#ifndef PATHTUNE_BENCH_LAB_SHEET_H
#define PATHTUNE_BENCH_LAB_SHEET_H

#include "lab_path.h"
#include "tuner/record.h"
#include "tuner/stats.h"

#define SHEET_SCHEMA "pathtune-bars/1"

struct sheet_trial {
	double round, slot;
	enum trial_status status;
	const char *why;
	double goodput_bps, rtt_ms, retransmits, inflight_bytes;
	double rwnd_limited, sndbuf_limited;
};

struct cell {
	const char *name;
	const char *cc;
	const char *wmem, *rmem, *notsent; /* NULL: as the lab starts */
	double max_bytes;                  /* third field of tcp_wmem */
	struct sheet_trial *trials;
	size_t n_trials;
};

struct sheet {
	const char *schema;
	const char *kind;      /* oracle, pairs, peers */
	const char *path;
	const char *about;     /* what the cells were taken from */
	double idle_rtt_ms;
	double tune_s;         /* pairs: how long tune took */
	double rounds;         /* done */
	double late_us;        /* mean lateness of the path's deliveries, of the last part measured */
	const char **warnings; /* the machine was late */
	size_t n_warnings;
	struct cell *cells;
	size_t n_cells;
};

struct sheet sheet_new(const char *kind, const struct lab_path *p);
struct cell *sheet_cell(struct arena *a, struct sheet *s, const char *name, const char *cc,
    double max_bytes);
const struct cell *sheet_find(const struct sheet *s, const char *name); /* or NULL */

bool sheet_load(struct arena *a, const char *file, struct sheet *s, struct err *e);
bool sheet_save(struct arena *a, const char *file, const struct sheet *s, struct err *e);

/* The file's trials when it has the same cells; whether it has. */
bool sheet_resume(struct arena *a, const char *file, struct sheet *s);

/*
 * The rounds that are missing, each saved; a prober must be there.  Says on stderr how far it is:
 * a live line on a terminal when alone, else a line a round.
 */
bool sheet_measure(struct path_lab *l, struct sheet *s, double rounds, const char *file, bool alone,
    struct err *e);

double cell_goodput_bps(const struct cell *c); /* medians; NAN: never measured */
double cell_rtt_ms(const struct cell *c);
double cell_retransmits(const struct cell *c);
double cell_inflight_bytes(const struct cell *c);
size_t cell_failed(const struct cell *c);      /* trials that were not OK */

/*
 * x over y by the rounds that have both: Hodges-Lehmann and its 95 % signed-rank interval (or what
 * so few rounds give), as ratios.
 */
struct interval cells_ratio(const struct cell *x, const struct cell *y);

/*
 * Within the side effects that tune itself allows under the balanced policy (tuner/search.h),
 * start being the cell that a change would replace.
 */
bool cell_within_guard(const struct sheet *s, const struct cell *c, const struct cell *start);

/* The fastest within the guard; cc NULL: of any. */
const struct cell *sheet_best(const struct sheet *s, const struct cell *start, const char *cc);

/*
 * The smallest of this control within 3 % of its fastest, both within the guard.  Steps of the
 * search's ladder that the grid leaves out are not held against tune: only what was measured counts.
 */
const struct cell *sheet_smallest(const struct sheet *s, const struct cell *start, const char *cc);

/* No cell is worth a change, by tune's own measure of 5 %. */
bool sheet_nothing_helps(const struct sheet *s, const struct cell *start);

#endif
