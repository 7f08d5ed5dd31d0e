#include "report_plots.h"

#include "limiter.h"
#include "plot.h"
#include "stats.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define LINES 60   /* trials drawn over time */
#define POINTS 60  /* of each: more would only make the page heavy */
#define PAIRS 256
#define TIMES 300  /* per cent: from there on the verdict says times, too */
#define STEPS 64   /* different windows of one congestion control */

/* ---- words of ticks ------------------------------------------------------------------------- */

static const char *
say_seconds(struct arena *a, double v)
{
	return arena_printf(a, "%g s", v);
}

static const char *
say_window(struct arena *a, double v)
{
	return units_say_bytes(a, v);
}

static const char *
say_number(struct arena *a, double v)
{
	return arena_printf(a, "%g", v);
}

static const char *
say_per_cent(struct arena *a, double v)
{
	return v == 0 ? "0 %" : arena_printf(a, "%+g %%", v);
}

/* Ticks are numbers alone: the unit stands with the axis. */
struct rate_unit {
	double bps;
	const char *words;
};

static struct rate_unit
rate_unit(double most_bps)
{
	if (most_bps >= 2e9)
		return (struct rate_unit){ 1e9, "goodput, Gbit/s" };
	return most_bps >= 2e6 ? (struct rate_unit){ 1e6, "goodput, Mbit/s" } :
				 (struct rate_unit){ 1e3, "goodput, kbit/s" };
}

/* ---- trials --------------------------------------------------------------------------------- */

/* Colours: as it was, as it is recommended or was tried last, anything else. */
static const char *
class_of(const struct trial *t, const struct direction_decision *d)
{
	if (setting_same(&t->setting, &d->before.setting))
		return "was";
	return setting_same(&t->setting, &d->after.setting) ? "now" : "other";
}

static bool
counts(const struct trial *t, const struct direction_decision *d)
{
	return t->direction == d->direction && t->status == TRIAL_OK && t->goodput_bps > 0;
}

static double
largest_goodput(const struct run *run, const struct direction_decision *d)
{
	double most = 0;

	for (size_t i = 0; i < run->n_trials; i++) {
		if (counts(&run->trials[i], d))
			most = fmax(most, run->trials[i].goodput_bps);
	}
	return most;
}

/* ---- over time ------------------------------------------------------------------------------ */

static void
draw_trial(struct plot *p, const struct trial *t, const char *class, double unit_bps)
{
	double x[POINTS], y[POINTS];
	size_t each = t->n_intervals_bps / POINTS + 1, n = 0;

	for (size_t from = 0; from < t->n_intervals_bps && n < POINTS; from += each) {
		size_t to = from + each < t->n_intervals_bps ? from + each : t->n_intervals_bps;
		double sum = 0;

		for (size_t i = from; i < to; i++)
			sum += t->intervals_bps[i];
		x[n] = .1 * (double)(from + to) / 2;
		y[n++] = sum / (double)(to - from) / unit_bps;
	}
	plot_line(p, class, x, y, n);
}

void
report_plot_time(struct text *t, const struct run *run, const struct direction_decision *d)
{
	double most_bps = 0, longest_s = 0;
	struct rate_unit unit;
	size_t drawn = 0, from = run->n_trials;
	struct plot p;

	for (size_t i = 0; i < run->n_trials; i++) {
		const struct trial *at = &run->trials[i];

		longest_s = counts(at, d) ? fmax(longest_s, .1 * (double)at->n_intervals_bps) :
					    longest_s;
		for (size_t j = 0; counts(at, d) && j < at->n_intervals_bps; j++)
			most_bps = fmax(most_bps, at->intervals_bps[j]);
	}
	most_bps = fmin(most_bps, 1.5 * largest_goodput(run, d));
	if (!(most_bps > 0))
		return;
	unit = rate_unit(most_bps);
	plot_open(&p, t, "Goodput over time, one line a trial",
	    (struct plot_axis){ 0, longest_s, false, "since the first byte", say_seconds },
	    (struct plot_axis){ 0, most_bps / unit.bps, false, unit.words, say_number });
	/* The last ones: they hold the confirmation.  What is compared lies above the rest. */
	for (; from > 0 && drawn < LINES; from--)
		drawn += counts(&run->trials[from - 1], d);
	for (int compared = 0; compared <= 1; compared++) {
		for (size_t i = from; i < run->n_trials; i++) {
			const char *class = class_of(&run->trials[i], d);

			if (counts(&run->trials[i], d) && (strcmp(class, "other") != 0) == compared)
				draw_trial(&p, &run->trials[i], class, unit.bps);
		}
	}
	plot_close(&p);
}

/* ---- pairs ---------------------------------------------------------------------------------- */

/* Goodput of the candidate of this pair over the other's; NAN: not both were measured. */
static double
ratio_of(const struct run *run, const struct direction_decision *d, double block)
{
	double was = NAN, now = NAN;

	for (size_t i = 0; i < run->n_trials; i++) {
		const struct trial *t = &run->trials[i];

		if (t->phase != PHASE_CONFIRM || t->block != block || !counts(t, d))
			continue;
		if (setting_same(&t->setting, &d->before.setting))
			was = t->goodput_bps;
		else if (setting_same(&t->setting, &d->after.setting))
			now = t->goodput_bps;
	}
	return now / was;
}

/* Large gains are said in times: "+1533 %" tells nobody anything. */
static double
scaled(double per_cent, bool times)
{
	return times ? 1 + per_cent / 100 : per_cent;
}

static void
pairs_axis(const struct effect *x, const double *ratio, size_t n, struct plot_axis *out)
{
	double low = fmin(0, x->low), high = fmax(0, x->high), room;

	for (size_t i = 0; i < n; i++) {
		low = fmin(low, 100 * (ratio[i] - 1));
		high = fmax(high, 100 * (ratio[i] - 1));
	}
	room = fmax(1, (high - low) * .08);
	*out = (struct plot_axis){ low - room, high + room, false, "gain", say_per_cent };
	if (x->low >= TIMES)
		*out = (struct plot_axis){ fmax(0, scaled(low - room, true)),
			scaled(high + room, true), false, "times the goodput", say_number };
}

static void
draw_pairs(struct text *t, const struct effect *x, const double *ratio, size_t n)
{
	struct plot_axis pairs = { .5, (double)n + .5, false, "pair", say_number }, gain;
	struct plot p;
	bool times;

	pairs_axis(x, ratio, n, &gain);
	times = gain.say == say_number;
	plot_open(&p, t, "What each pair of the confirmation gained", pairs, gain);
	plot_band(&p, "now", scaled(x->low, times), scaled(x->high, times));
	plot_level(&p, "was", scaled(0, times), "no gain");
	plot_level(&p, "now", scaled(x->estimate, times), times ?
	    arena_printf(t->arena, "%.3gx", scaled(x->estimate, true)) :
	    arena_printf(t->arena, "%+.0f %%", x->estimate));
	for (size_t i = 0; i < n; i++)
		plot_dot(&p, "now", (double)i + 1, scaled(100 * (ratio[i] - 1), times));
	plot_close(&p);
}

void
report_plot_pairs(struct text *t, const struct run *run, const struct direction_decision *d)
{
	double ratio[PAIRS];
	size_t n = 0;

	if (!isfinite(d->effect.estimate))
		return;
	for (double block = 0; block < PAIRS; block++) {
		double r = ratio_of(run, d, block);

		if (isfinite(r))
			ratio[n++] = r;
	}
	if (n != 0)
		draw_pairs(t, &d->effect, ratio, n);
}

/* ---- over the window ------------------------------------------------------------------------ */

static bool
window_axis(const struct run *run, const struct direction_decision *d, struct plot_axis *out)
{
	double least = INFINITY, most = 0;

	for (size_t i = 0; i < run->n_trials; i++) {
		const struct trial *t = &run->trials[i];

		if (counts(t, d) && t->setting.window_bytes > 0) {
			least = fmin(least, t->setting.window_bytes);
			most = fmax(most, t->setting.window_bytes);
		}
	}
	*out = (struct plot_axis){ least / 1.3, most * 1.3, true, "usable window", say_window };
	return most > least;
}

/* Of the trials with this control and window. */
static double
median_goodput(const struct run *run, const struct direction_decision *d, const char *cc,
    double window_bytes)
{
	double v[STATS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < run->n_trials && n < STATS_MAX; i++) {
		const struct trial *t = &run->trials[i];

		if (counts(t, d) && strings_same(t->setting.cc, cc) &&
		    t->setting.window_bytes == window_bytes)
			v[n++] = t->goodput_bps;
	}
	return stats_median(v, n);
}

/* How goodput rises with the window under one control, up to its knee. */
static void
draw_curve(struct plot *p, const struct run *run, const struct direction_decision *d,
    const char *class, const char *cc, double unit_bps)
{
	double x[STEPS], y[STEPS], last = 0;
	size_t n = 0;

	for (; n < STEPS; n++) {
		double next = INFINITY;

		for (size_t i = 0; i < run->n_trials; i++) {
			const struct trial *t = &run->trials[i];

			if (counts(t, d) && strings_same(t->setting.cc, cc) &&
			    t->setting.window_bytes > last)
				next = fmin(next, t->setting.window_bytes);
		}
		if (isinf(next))
			break;
		x[n] = last = next;
		y[n] = median_goodput(run, d, cc, next) / unit_bps;
	}
	plot_line(p, class, x, y, n);
}

void
report_plot_windows(struct text *t, const struct run *run, const struct direction_decision *d)
{
	const char *was = d->before.setting.cc, *now = d->after.setting.cc;
	double most_bps = largest_goodput(run, d);
	struct rate_unit unit = rate_unit(most_bps);
	struct plot_axis x;
	struct plot p;

	if (!window_axis(run, d, &x))
		return;
	plot_open(&p, t, "Goodput over the window, one dot a trial, lines through the medians", x,
	    (struct plot_axis){ 0, 1.08 * most_bps / unit.bps, false, unit.words, say_number });
	draw_curve(&p, run, d, strings_same(was, now) ? "curve other" : "curve was", was, unit.bps);
	if (!strings_same(was, now))
		draw_curve(&p, run, d, "curve now", now, unit.bps);
	for (size_t i = 0; i < run->n_trials; i++) {
		const struct trial *at = &run->trials[i];

		if (counts(at, d))
			plot_dot(&p, class_of(at, d), at->setting.window_bytes,
			    at->goodput_bps / unit.bps);
	}
	plot_close(&p);
}

void
report_plot_rtt(struct text *t, const struct run *run, const struct direction_decision *d)
{
	double most_ms = run->facts.rtt_ms;
	struct plot_axis x;
	struct plot p;

	for (size_t i = 0; i < run->n_trials; i++) {
		if (counts(&run->trials[i], d))
			most_ms = fmax(most_ms, run->trials[i].rtt.loaded_ms);
	}
	if (!(most_ms > 0) || !window_axis(run, d, &x))
		return;
	plot_open(&p, t, "RTT under load over the window, one dot a trial", x,
	    (struct plot_axis){ 0, 1.1 * most_ms, false, "RTT under load, ms", say_number });
	plot_level(&p, "was", run->facts.rtt_ms, "idle");
	for (size_t i = 0; i < run->n_trials; i++) {
		const struct trial *at = &run->trials[i];

		if (counts(at, d))
			plot_dot(&p, class_of(at, d), at->setting.window_bytes, at->rtt.loaded_ms);
	}
	plot_close(&p);
}
