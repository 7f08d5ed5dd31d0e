/*
 * scenarios: the paths that the search is judged on, what is best on each, and one run of it.
 */
#ifndef PATHTUNE_SIM_SCENARIOS_H
#define PATHTUNE_SIM_SCENARIOS_H

#include "world.h"

enum scenario_kind {
	KIND_NULL,  /* nothing helps: every change is a false one */
	KIND_CLEAR,
	KIND_HARD,
	KIND_STUCK, /* bbr would help but gets stuck now and then */
	KIND_LAB,   /* figures measured in the lab */
};

struct scenario {
	const char *name;
	enum scenario_kind kind;
	struct path path;
	double send_bytes, receive_bytes; /* default windows; 0: that direction is not searched */
	const char *cc[4];                /* the default first */
	size_t n_cc;
	const struct plan_extra *extras;
	size_t n_extras;
};

extern const struct scenario scenarios[];
extern const size_t n_scenarios;
const struct scenario *scenario_find(const char *name); /* NULL: none */

/* A random path of the same kinds; lives in *sc. */
void scenario_random(struct scenario *sc, uint64_t seed);

struct outcome {
	struct search_result result[2];
	enum direction direction[2];
	size_t n;           /* directions searched */
	double elapsed_s, bytes;
	double slow[2];     /* the session's own level while a direction was searched */
};

struct run_options {
	double budget_s;    /* of each direction */
	double data_cap_bytes;
	enum budget_mode mode;
	enum policy policy;
};

void scenario_run(const struct scenario *sc, const struct run_options *o, uint64_t seed,
    struct outcome *out);

/* ---- truth: the expected log goodput of a setting at the session's own slow level ------------ */

#define TRUTH_DRAWS 300
#define TRUTH_LEVELS 33 /* of the slow part: -4 to 4 standard deviations in quarters */
#define TRUTH_STEPS 48
#define TRUTH_SETS 4    /* of two extras */

struct truth {
	const struct scenario *scenario;
	enum direction direction;
	double noise[TRUTH_DRAWS], white[TRUTH_DRAWS];
	double ladder[TRUTH_STEPS];
	size_t n_ladder, n_cc, n_sets;
	bool have[TRUTH_LEVELS];
	double y[TRUTH_LEVELS][TRUTH_SETS][4][TRUTH_STEPS]; /* by extras, control, window */
	double best[TRUTH_LEVELS]; /* within the guards */
};

struct score {
	double gain;         /* of the chosen setting over the default, log */
	double regret;       /* of the best within the guards over the chosen one, log */
	double best_gain;    /* of the best over the default */
	double window_ratio; /* chosen over the smallest sufficient one; NAN: window not changed */
	bool changed, cc_changed;
	bool cc_needless;    /* the default control would have done */
};

void truth_start(struct truth *t, const struct scenario *sc, enum direction direction);
struct score truth_score(struct truth *t, const struct search_result *r, double slow);

#endif
