/*
 * method_figures NAME: the figures of docs/method.md as SVG, from the simulated world and the
 * statistics of the program: "method_figures pairs > docs/method/pairs.svg", likewise e-process and
 * knee; count prints the numbers of its text.  The seeds are fixed: the same source draws the same
 * pictures.
 */
#include "tuner/stats.h"
#include "world.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LEFT 80.
#define RIGHT 620.
#define TOP 30.
#define BOTTOM 270.
#define PAIRS 40
#define MBIT 1e6

/* ---- drawing -------------------------------------------------------------------------------- */

struct axis {
	double from, to; /* at LEFT or BOTTOM, and at RIGHT or TOP */
	bool logarithmic;
};

static double
share(const struct axis *a, double v)
{
	return a->logarithmic ? log(v / a->from) / log(a->to / a->from) :
				(v - a->from) / (a->to - a->from);
}

static double
across(const struct axis *a, double v)
{
	return LEFT + share(a, v) * (RIGHT - LEFT);
}

static double
up(const struct axis *a, double v)
{
	return BOTTOM - share(a, v) * (BOTTOM - TOP);
}

static void
open_figure(const char *title)
{
	puts("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 310\" "
	     "font-family=\"sans-serif\" font-size=\"12\">");
	printf("<title>%s</title>\n", title);
	puts("<rect width=\"720\" height=\"310\" fill=\"white\"/>");
	printf("<path d=\"M%g %gV%gH%g\" fill=\"none\" stroke=\"black\"/>\n", LEFT, TOP, BOTTOM,
	    RIGHT);
}

static void
say(double x, double y, const char *anchor, const char *colour, const char *words)
{
	printf("<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n", x, y,
	    anchor, colour, words);
}

static void
ticks_x(const struct axis *a, const double *v, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("<path d=\"M%.1f %gv5\" stroke=\"black\"/>\n", across(a, v[i]), BOTTOM);
		say(across(a, v[i]), BOTTOM + 18, "middle", "black", words[i]);
	}
}

static void
ticks_y(const struct axis *a, const double *v, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("<path d=\"M%g %.1fh-5\" stroke=\"black\"/>\n", LEFT, up(a, v[i]));
		say(LEFT - 8, up(a, v[i]) + 4, "end", "black", words[i]);
	}
}

static void
level(const struct axis *y, double v, const char *colour, const char *words)
{
	printf("<path d=\"M%g %.1fH%g\" stroke=\"%s\" stroke-dasharray=\"5 4\"/>\n", LEFT,
	    up(y, v), RIGHT, colour);
	say(RIGHT + 5, up(y, v) + 4, "start", colour, words);
}

static void
upright(const struct axis *x, double v, const char *colour, double y, const char *anchor,
    const char *words)
{
	printf("<path d=\"M%.1f %gV%g\" stroke=\"%s\" stroke-dasharray=\"2 3\"/>\n", across(x, v),
	    BOTTOM, TOP, colour);
	say(across(x, v) + (*anchor == 's' ? 4 : -4), y, anchor, colour, words);
}

static void
line(const struct axis *x, const struct axis *y, const double *px, const double *py, size_t n,
    const char *colour)
{
	printf("<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"", colour);
	for (size_t i = 0; i < n; i++)
		printf("%c%.1f %.1f", i == 0 ? 'M' : 'L', across(x, px[i]), up(y, py[i]));
	puts("\"/>");
}

static void
dot(const struct axis *x, const struct axis *y, double px, double py, const char *colour)
{
	printf("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", across(x, px),
	    up(y, py), colour);
}

/* ---- what is drawn -------------------------------------------------------------------------- */

static const struct path noisy = { .capacity_bps = 210 * MBIT, .rtt_s = .0004,
	.queue_bytes = 131072, .noise = &noise_seed1 };

static double
transfer(struct world *w)
{
	struct ask ask = { .setting = { .cc = "cubic", .window_bytes = 2097152 }, .coin = NAN,
		.warmup_s = 1, .duration_s = 3 };
	struct trial t;

	world_trial(w, &ask, &t);
	return t.goodput_bps;
}

/* The same setting all the time: what two halves differ by, and what pairs do. */
static void
pairs(void)
{
	struct axis x = { 0, 2 * PAIRS * 4.3 / 60, false }, y = { 0, 500, false };
	double at[2 * PAIRS], mbit[2 * PAIRS], d[PAIRS], halves;
	struct interval i;
	struct world w;
	char words[120];

	world_start(&w, &noisy, 2012);
	for (size_t n = 0; n < 2 * PAIRS; n++) {
		mbit[n] = transfer(&w) / MBIT;
		at[n] = w.now_s / 60;
	}
	halves = 100 * (stats_mean(mbit + PAIRS, PAIRS) / stats_mean(mbit, PAIRS) - 1);
	for (size_t n = 0; n < PAIRS; n++)
		d[n] = (random_bits(&w.random) & 1 ? 1 : -1) * log(mbit[2 * n + 1] / mbit[2 * n]);
	i = stats_signed_rank(d, PAIRS, .95);
	open_figure("The same setting 80 times on a noisy path");
	ticks_x(&x, (double[]){ 0, 1, 2, 3, 4, 5 },
	    (const char *[]){ "0", "1", "2", "3", "4", "5 min" }, 6);
	ticks_y(&y, (double[]){ 0, 100, 200, 300, 400 },
	    (const char *[]){ "0", "100", "200", "300", "400 Mbit/s" }, 5);
	for (size_t n = 0; n < 2 * PAIRS; n++)
		dot(&x, &y, at[n], mbit[n], n < PAIRS ? "#1f6fb4" : "#c4571a");
	snprintf(words, sizeof(words), "second half against the first: %+.0f %%", halves);
	say(LEFT + 10, TOP + 8, "start", "black", words);
	snprintf(words, sizeof(words), "neighbours, coin-flipped: %+.0f %% [%+.0f, %+.0f]",
	    100 * expm1(i.estimate), 100 * expm1(i.low), 100 * expm1(i.high));
	say(LEFT + 10, TOP + 26, "start", "black", words);
	puts("</svg>");
}

static double
pair(struct world *w, double gain)
{
	bool first = random_bits(&w->random) & 1; /* the candidate */
	double one = transfer(w), two = transfer(w);

	return log(1 + gain) + (first ? log(one / two) : log(two / one));
}

/* After how many pairs does E reach 20? */
static size_t
pairs_to_20(double gain, uint64_t seed)
{
	struct bets b;
	struct world w;

	stats_bets_start(&b);
	world_start(&w, &noisy, seed);
	while (b.n < STATS_MAX && b.e < 20)
		stats_bet(&b, pair(&w, gain));
	return b.n;
}

/* The first run that takes as long as the median of many. */
static uint64_t
usual(double gain, size_t *n)
{
	double all[501];
	uint64_t seed = 1;

	for (size_t i = 0; i < NELEM(all); i++)
		all[i] = (double)pairs_to_20(gain, i + 1);
	*n = (size_t)stats_median(all, NELEM(all));
	while (pairs_to_20(gain, seed) != *n)
		seed++;
	return seed;
}

static void
bets(double gain, const struct axis *x, const struct axis *y, const char *colour, const char *words)
{
	double n[PAIRS + 1] = { 0 }, e[PAIRS + 1] = { 1 };
	struct bets b;
	struct world w;
	size_t k = 1, unused;

	stats_bets_start(&b);
	world_start(&w, &noisy, gain == 0 ? 1 : usual(gain, &unused));
	for (; k <= PAIRS && b.e < 20; k++) {
		stats_bet(&b, pair(&w, gain));
		n[k] = (double)k;
		e[k] = fmax(b.e, y->from);
	}
	line(x, y, n, e, k, colour);
	say(across(x, n[k - 1]) + 6, up(y, e[k - 1]) - 6, "start", colour, words);
}

static void
e_process(void)
{
	struct axis x = { 0, PAIRS, false }, y = { .01, 100, true };

	open_figure("The betting e-process on a noisy path");
	ticks_x(&x, (double[]){ 0, 10, 20, 30, 40 },
	    (const char *[]){ "0", "10", "20", "30", "40 pairs" }, 5);
	ticks_y(&y, (double[]){ .01, .1, 1, 10, 100 },
	    (const char *[]){ ".01", ".1", "1", "10", "E 100" }, 5);
	level(&y, 20, "#b00020", "20: change");
	bets(0, &x, &y, "#666666", "no effect");
	bets(.06, &x, &y, "#8a5fb4", "+6 %");
	bets(.1, &x, &y, "#1f6fb4", "+10 %");
	bets(.3, &x, &y, "#2a8a3c", "+30 %");
	puts("</svg>");
}

/* Of many runs like that: how often would halves, and how often the bets, see what is not there? */
static void
count(void)
{
	static const double gains[] = { .05, .06, .1, .15, .3, .4 };
	size_t runs = 2000, over_5 = 0, over_10 = 0, bet = 0;

	for (size_t seed = 1; seed <= runs; seed++) {
		double v[2 * PAIRS], d[PAIRS], apart, max_e;
		struct world w;

		world_start(&w, &noisy, seed);
		for (size_t n = 0; n < 2 * PAIRS; n++)
			v[n] = transfer(&w);
		for (size_t n = 0; n < PAIRS; n++)
			d[n] = (random_bits(&w.random) & 1 ? 1 : -1) * log(v[2 * n + 1] / v[2 * n]);
		apart = fabs(stats_mean(v + PAIRS, PAIRS) / stats_mean(v, PAIRS) - 1);
		stats_e_process(d, PAIRS, &max_e);
		over_5 += apart > .05;
		over_10 += apart > .1;
		bet += max_e >= 20;
	}
	printf("of %zu runs without any effect\n", runs);
	printf("  halves differ by more than 5 %%:  %zu\n", over_5);
	printf("  halves differ by more than 10 %%: %zu\n", over_10);
	printf("  the bets reach 20:               %zu\n", bet);
	for (size_t i = 0; i < NELEM(gains); i++) {
		size_t n;

		usual(gains[i], &n);
		printf("+%.0f %%: pairs to 20, median: %zu\n", 100 * gains[i], n);
	}
}

static void
knee(void)
{
	static const struct path p = { .capacity_bps = 100 * MBIT, .rtt_s = .08,
		.queue_bytes = 4e6, .noise = &noise_quiet };
	struct axis x = { 65536, 16 * 1048576., true }, y = { 0, 120, false },
		    z = { 0, 480, false };
	double window[81], mbit[81], ms[81];

	for (size_t i = 0; i < 81; i++) {
		struct answer a;

		window[i] = 65536 * exp2((double)i / 10);
		a = path_answer(&p, "cubic", window[i], p.capacity_bps);
		mbit[i] = a.goodput_bps / MBIT;
		ms[i] = a.rtt_s * 1000;
	}
	open_figure("Window, goodput and RTT under load");
	ticks_x(&x, (double[]){ 65536, 262144, 1048576, 4194304, 16777216 },
	    (const char *[]){ "64 KiB", "256 KiB", "1 MiB", "4 MiB", "16 MiB" }, 5);
	ticks_y(&y, (double[]){ 0, 50, 100 }, (const char *[]){ "0", "50", "100 Mbit/s" }, 3);
	line(&x, &y, window, mbit, 81, "#1f6fb4");
	line(&x, &z, window, ms, 81, "#c4571a");
	say(LEFT + 40, up(&y, 40), "start", "#1f6fb4", "goodput");
	say(RIGHT + 5, up(&z, ms[80]) + 4, "start", "#c4571a", "RTT 400 ms");
	upright(&x, 1e6, "black", BOTTOM - 40, "end", "BDP 1 MB");
	upright(&x, 1572864, "#2a8a3c", BOTTOM - 12, "start", "knee, taken");
	upright(&x, 8388608, "#b00020", BOTTOM - 40, "end", "as fast, RTT 5 times the idle one");
	level(&z, 130, "#b00020", "guard 130 ms");
	puts("</svg>");
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*draw)(void);
	} figures[] = { { "pairs", pairs }, { "e-process", e_process },
		{ "knee", knee }, { "count", count } };

	for (size_t i = 0; argc == 2 && i < NELEM(figures); i++) {
		if (strcmp(figures[i].name, argv[1]) == 0) {
			figures[i].draw();
			return 0;
		}
	}
	fputs("usage: method_figures pairs|e-process|knee|count\n", stderr);
	return 2;
}
