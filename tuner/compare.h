/*
 * compare: one run after another, before and after something that cannot be interleaved: another
 * NIC, a reboot, a new kernel.  The verdict has an interval, and says what it does not cover.
 *
 * A round is what was measured at one time (a block of measure --repeat).  Transfers of one round
 * share the path's state of that time; how that state changes between rounds is drift.  Where both
 * runs have COMPARE_ROUNDS rounds over COMPARE_SPREAD_S, rounds are what is compared; drift is in
 * the interval.  Else it is not, and a difference counts only beyond COMPARE_DRIFT: what the same
 * path has been seen to do by itself between two hours.
 */
#ifndef PATHTUNE_COMPARE_H
#define PATHTUNE_COMPARE_H

#include "model.h"

#define COMPARE_ROUNDS 5
#define COMPARE_SPREAD_S 1800.0
#define COMPARE_DRIFT_SD 0.24  /* of log goodput between hours: a table of 2012 (docs/import.md) */
#define COMPARE_DRIFT 1.94     /* exp(1.96 * sqrt(2) * COMPARE_DRIFT_SD) */
#define COMPARE_WORTH 1.05     /* a factor below this is no difference that matters */

enum compare_verdict {
	COMPARE_NONE,
	COMPARE_BETTER,   /* the second run */
	COMPARE_WORSE,
	COMPARE_SAME,     /* a difference of 5 % is ruled out */
	COMPARE_UNDECIDED,
};
extern const char *const compare_verdict_names[];

struct compare_side {
	double goodput_bps;   /* medians */
	double rtt_ms;        /* under load */
	double retransmits;
	double transfers, rounds;
	double spread_s;      /* from the first to the last */
};

struct compare_direction {
	enum direction direction;
	enum compare_verdict verdict;
	struct compare_side before, after;
	struct effect effect; /* pairs: transfers or rounds of the smaller side */
	bool drift;           /* is in the interval */
	double repeats;       /* rounds that would decide, each run; NAN: it is decided */
	double every_s;       /* apart */
	const char *words;
};

struct comparison {
	const char *before, *after; /* when they were started */
	enum compare_verdict verdict; /* undecided if any direction is, else the worst */
	struct compare_direction *directions;
	size_t n_directions;
	const char **differences; /* of host, path and settings, beside what is compared */
	size_t n_differences;
};
extern const struct record comparison_record;

/*
 * Of a run of measure all good trials count, of tune those of the settings that were there before.
 * ERR_USAGE where the two cannot be compared: another peer, another system, other streams, the same
 * run twice, no direction in common, no good trial.
 */
bool compare_runs(struct arena *a, const struct run *before, const struct run *after,
    struct comparison *out, struct err *e);

#endif
