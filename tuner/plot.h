/*
 * plot: a figure as SVG within an HTML page.  Colours come from the page's style sheet by class
 * (report_html.c), so that a figure is readable on a light and on a dark page.
 */
#ifndef PATHTUNE_PLOT_H
#define PATHTUNE_PLOT_H

#include "base.h"

/* from < to; a logarithmic axis begins above 0. */
struct plot_axis {
	double from, to;
	bool logarithmic;
	const char *words;  /* what it shows, with its unit */
	const char *(*say)(struct arena *a, double v); /* a tick */
};

struct plot {
	struct text *out;
	struct plot_axis x, y;
	double words_at; /* of the level drawn last; NAN: none was */
};

/* Frame, ticks and titles; title is what a screen reader says. */
void plot_open(struct plot *p, struct text *out, const char *title, struct plot_axis x,
    struct plot_axis y);
void plot_close(struct plot *p);

/* class: of the style sheet.  What is not finite is left out. */
void plot_line(struct plot *p, const char *class, const double *x, const double *y, size_t n);
void plot_dot(struct plot *p, const char *class, double x, double y);
void plot_level(struct plot *p, const char *class, double y, const char *words);
void plot_band(struct plot *p, const char *class, double y_from, double y_to);

/* Text for a place in HTML, escaped and disarmed; NULL is "". */
const char *html_text(struct arena *a, const char *s);

#endif
