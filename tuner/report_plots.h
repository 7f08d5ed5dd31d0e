/*
 * report_plots: the figures of one direction of a run; those for which nothing was measured are
 * left out.
 */
#ifndef PATHTUNE_REPORT_PLOTS_H
#define PATHTUNE_REPORT_PLOTS_H

#include "model.h"

/* Goodput over time, one line a trial. */
void report_plot_time(struct text *t, const struct run *run, const struct direction_decision *d);

/* The gain of each pair of the confirmation, with the interval. */
void report_plot_pairs(struct text *t, const struct run *run, const struct direction_decision *d);

/* Goodput, and RTT under load, over the window. */
void report_plot_windows(struct text *t, const struct run *run,
    const struct direction_decision *d);
void report_plot_rtt(struct text *t, const struct run *run, const struct direction_decision *d);

#endif
