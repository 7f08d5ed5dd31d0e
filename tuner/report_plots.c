#include "report_plots.h"

#include "limiter.h"
#include "plot.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define LINES 60   /* trials drawn over time */
#define POINTS 60  /* of each: more would only make the page heavy */
#define PAIRS 256

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
	size_t drawn = 0;
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
	/* The last ones: they hold the confirmation. */
	for (size_t i = run->n_trials; i-- > 0 && drawn < LINES;) {
		if (counts(&run->trials[i], d)) {
			draw_trial(&p, &run->trials[i], class_of(&run->trials[i], d), unit.bps);
			drawn++;
		}
	}
	plot_close(&p);
}

/* ---- pairs ---------------------------------------------------------------------------------- */

/* Per cent that the candidate of this pair was faster by; NAN: not both were measured. */
static double
gain_of(const struct run *run, const struct direction_decision *d, double block)
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
	return 100 * (now / was - 1);
}

void
report_plot_pairs(struct text *t, const struct run *run, const struct direction_decision *d)
{
	double gain[PAIRS], low = fmin(0, d->effect.low), high = fmax(0, d->effect.high), room;
	size_t n = 0;
	struct plot p;

	if (!isfinite(d->effect.estimate))
		return;
	for (double block = 0; block < PAIRS; block++) {
		double g = gain_of(run, d, block);

		if (isfinite(g)) {
			gain[n++] = g;
			low = fmin(low, g);
			high = fmax(high, g);
		}
	}
	if (n == 0)
		return;
	room = fmax(1, (high - low) * .08);
	plot_open(&p, t, "What each pair of the confirmation gained",
	    (struct plot_axis){ 0, (double)n + 1, false, "pair", say_number },
	    (struct plot_axis){ low - room, high + room, false, "gain", say_per_cent });
	plot_band(&p, "now", d->effect.low, d->effect.high);
	plot_level(&p, "was", 0, "no gain");
	plot_level(&p, "now", d->effect.estimate,
	    arena_printf(t->arena, "%+.0f %%", d->effect.estimate));
	for (size_t i = 0; i < n; i++)
		plot_dot(&p, "now", (double)i + 1, gain[i]);
	plot_close(&p);
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

void
report_plot_windows(struct text *t, const struct run *run, const struct direction_decision *d)
{
	double most_bps = largest_goodput(run, d);
	struct rate_unit unit = rate_unit(most_bps);
	struct plot_axis x;
	struct plot p;

	if (!window_axis(run, d, &x))
		return;
	plot_open(&p, t, "Goodput over the window, one dot a trial", x,
	    (struct plot_axis){ 0, 1.08 * most_bps / unit.bps, false, unit.words, say_number });
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
