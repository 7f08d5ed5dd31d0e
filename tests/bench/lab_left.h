/*
 * lab_left: what tune left on a path, read from its run file, and where the benches keep what.
 */
#ifndef PATHTUNE_BENCH_LAB_LEFT_H
#define PATHTUNE_BENCH_LAB_LEFT_H

#include "lab_sheet.h"

#define CELL_START "start"

struct tune_left {
	struct run run;
	const struct direction_decision *d;
	bool changed;     /* else the rest is the start's */
	const char *cc;
	double max_bytes; /* third field of tcp_wmem */
};

bool tune_left_load(struct arena *a, const char *file, struct tune_left *l, struct err *e);

/* Of run 1, 2, .. on a path. */
struct tune_files {
	const char *run, *log, *pairs;
};

struct tune_files tune_files(struct arena *a, const char *dir, const struct lab_path *p,
    unsigned run);
const char *bars_oracle_file(struct arena *a, const char *dir, const struct lab_path *p);
const char *bars_peers_file(struct arena *a, const char *dir, const struct lab_path *p);
bool bars_make_dirs(struct arena *a, const char *dir, struct err *e);

/* The cell of the grid that is the start. */
const struct cell *oracle_start(const struct sheet *s);

#endif
