/* search_figures: bars of the search beyond its list of scenarios. */
#ifndef PATHTUNE_BENCH_SEARCH_FIGURES_H
#define PATHTUNE_BENCH_SEARCH_FIGURES_H

#include "scenarios.h"

/* Two equal settings and nothing to choose from: the worst P(change) of five noises, three budgets. */
double figure_forced(size_t repeats, uint64_t seed);

/* A control is far faster and sends this share again: how often it is taken. */
double figure_exception(const struct run_options *o, double again, size_t repeats, uint64_t seed);

/*
 * Nothing to gain in either direction: how often either is changed, on the worse of two paths.
 */
double figure_two_directions(const struct run_options *o, size_t repeats, uint64_t seed);

double figure_vectors(void);    /* of the estimators: mismatches */
double figure_table_2012(void); /* 0: the defaults are kept, 1: not */

#endif
