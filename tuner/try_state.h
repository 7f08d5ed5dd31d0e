/*
 * try_state: what try.c (blocks) and try_judge.c (what they say) share; nobody else includes this.
 */
#ifndef PATHTUNE_TRY_STATE_H
#define PATHTUNE_TRY_STATE_H

#include "search_state.h"
#include "try.h"

#define TRY_LOST_BLOCKS 4 /* in a row: give up */

struct candidate {
	bool live;
	enum try_class class;
	struct bets for_it, against_it;
	size_t n;
	double d[STATS_MAX];              /* y - y of the present setting */
	struct sample side[2][STATS_MAX]; /* present, candidate */
	size_t stratum[STATS_MAX];
	unsigned voids; /* in a row */
	bool guard_rtt;
	char why[128];
};

struct place {
	size_t setting;
	struct sample got;
	bool lost;
};

struct
try {
	struct try_config config;
	struct candidate *candidate[TRY_SETTINGS_MAX]; /* 0: unused */
	struct place places[TRY_SETTINGS_MAX];
	size_t n, asked, told; /* of the block */
	bool cut;
	size_t order[TRY_STRATA_MAX]; /* of this round */
	size_t at;                    /* in it */
	double rounds, blocks, began; /* blocks: finished; began: whatever became of them */
	unsigned lost_in_row;
	double warmup_s, duration_s;
	double elapsed_s, bytes, rtt0_s, fastest_bps, overhead_s, asked_s;
	bool over;
	const char *why;
};

/* try_judge.c: what the blocks so far say of a candidate: its class, and whether it stays. */
void try_judge(const struct try *t, struct candidate *c);
void try_drop(struct candidate *c, enum try_class class);
double try_block_cost_s(const struct try *t, size_t n);

#endif
