#include "plot.h"

#include <math.h>
#include <string.h>

/*
 * Room for words of 22 units (svg in the style sheet): that is 11 px where the page is 390 px wide
 * and 14 px where two figures stand side by side.
 */
#define LEFT 100.0
#define RIGHT 602.0
#define TOP 44.0
#define BOTTOM 262.0
#define WIDTH 700
#define HEIGHT 336
#define LINE 22.0 /* from one line of words to the next */
#define TICKS_X 5
#define TICKS_Y 5

static double
share(const struct plot_axis *a, double v)
{
	return a->logarithmic ? log(v / a->from) / log(a->to / a->from) :
	    (v - a->from) / (a->to - a->from);
}

static double
across(const struct plot *p, double v)
{
	return LEFT + share(&p->x, v) * (RIGHT - LEFT);
}

static double
up(const struct plot *p, double v)
{
	return BOTTOM - share(&p->y, v) * (BOTTOM - TOP);
}

/* Values outside of the frame end at it: a burst must not be drawn over the words. */
static double
within(const struct plot_axis *a, double v)
{
	return fmin(fmax(v, a->from), a->to);
}

const char *
html_text(struct arena *a, const char *s)
{
	static const struct { char c; const char *as; } odd[] = { { '<', "&lt;" }, { '>', "&gt;" },
		{ '&', "&amp;" }, { '"', "&quot;" }, { '\'', "&#39;" } };
	struct text t = { .arena = a };
	char *copy = arena_strdup(a, s == NULL ? "" : s);
	size_t i;

	text_disarm(copy);
	text_bytes(&t, "", 0);
	for (; *copy != '\0'; copy++) {
		for (i = 0; i < NELEM(odd) && odd[i].c != *copy; i++)
			;
		if (i < NELEM(odd))
			text_add(&t, "%s", odd[i].as);
		else
			text_bytes(&t, copy, 1);
	}
	return t.s;
}

/* 1, 2 or 5 times a power of ten: at most about n steps over the axis. */
static double
step_of(const struct plot_axis *a, double n)
{
	static const double nice[] = { 1, 2, 5, 10 };
	double rough = (a->to - a->from) / n, unit = pow(10, floor(log10(rough)));

	for (size_t i = 0; i < NELEM(nice); i++) {
		if (nice[i] * unit >= rough)
			return nice[i] * unit;
	}
	return 10 * unit;
}

/* A logarithmic axis has a tick every so many doublings. */
static double
next_tick(const struct plot_axis *a, double v, double n)
{
	double doublings = log2(a->to / a->from);

	if (!a->logarithmic)
		return v + step_of(a, n);
	return v * exp2(fmax(1, ceil(doublings / n)));
}

static double
first_tick(const struct plot_axis *a, double n)
{
	double step = step_of(a, n);

	/* Plus nothing: "-0" is no tick. */
	return a->logarithmic ? exp2(ceil(log2(a->from))) : ceil(a->from / step) * step + 0.;
}

static void
ticks(struct plot *p)
{
	struct text *t = p->out;

	for (double v = first_tick(&p->x, TICKS_X); v <= p->x.to * (1 + 1e-9);
	     v = next_tick(&p->x, v, TICKS_X))
		text_add(t, "<path class=\"axis\" d=\"M%.1f %gv4\"/><text x=\"%.1f\" y=\"%g\" "
		    "text-anchor=\"middle\">%s</text>\n", across(p, v), BOTTOM, across(p, v),
		    BOTTOM + LINE + 5, p->x.say(t->arena, v));
	for (double v = first_tick(&p->y, TICKS_Y); v <= p->y.to * (1 + 1e-9);
	     v = next_tick(&p->y, v, TICKS_Y))
		text_add(t, "<path class=\"grid\" d=\"M%g %.1fH%g\"/><text x=\"%g\" y=\"%.1f\" "
		    "text-anchor=\"end\">%s</text>\n", LEFT, up(p, v), RIGHT, LEFT - 8,
		    up(p, v) + 7, p->y.say(t->arena, v));
}

void
plot_open(struct plot *p, struct text *out, const char *title, struct plot_axis x,
    struct plot_axis y)
{
	*p = (struct plot){ out, x, y, NAN };
	text_add(out, "<figure><svg role=\"img\" viewBox=\"0 0 %d %d\"><title>%s</title>\n", WIDTH,
	    HEIGHT, html_text(out->arena, title));
	ticks(p);
	text_add(out, "<path class=\"axis\" d=\"M%g %gV%gH%g\"/>\n", LEFT, TOP, BOTTOM, RIGHT);
	text_add(out, "<text x=\"%g\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
	    (LEFT + RIGHT) / 2, HEIGHT - 12, html_text(out->arena, x.words));
	text_add(out, "<text x=\"4\" y=\"%g\">%s</text>\n", TOP - LINE,
	    html_text(out->arena, y.words));
}

void
plot_close(struct plot *p)
{
	text_add(p->out, "</svg></figure>\n");
}

void
plot_line(struct plot *p, const char *class, const double *x, const double *y, size_t n)
{
	bool pen = false;

	text_add(p->out, "<path class=\"line %s\" d=\"", class);
	for (size_t i = 0; i < n; i++) {
		bool there = isfinite(x[i]) && isfinite(y[i]);

		if (there)
			text_add(p->out, "%c%.1f %.1f", pen ? 'L' : 'M',
			    across(p, within(&p->x, x[i])), up(p, within(&p->y, y[i])));
		pen = there;
	}
	text_add(p->out, "\"/>\n");
}

void
plot_dot(struct plot *p, const char *class, double x, double y)
{
	if (isfinite(x) && isfinite(y))
		text_add(p->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>\n",
		    class, across(p, within(&p->x, x)), up(p, within(&p->y, y)));
}

/* Words of two levels that are close to each other stand one above the other. */
static double
beside(struct plot *p, double at)
{
	if (fabs(at - p->words_at) < LINE)
		at = p->words_at + (at < p->words_at ? -LINE : LINE);
	p->words_at = at;
	return at;
}

void
plot_level(struct plot *p, const char *class, double y, const char *words)
{
	double at;

	if (!isfinite(y))
		return;
	at = up(p, within(&p->y, y));
	text_add(p->out, "<path class=\"level %s\" d=\"M%g %.1fH%g\"/><text x=\"%g\" y=\"%.1f\">%s"
	    "</text>\n", class, LEFT, at, RIGHT, RIGHT + 6, beside(p, at) + 7,
	    html_text(p->out->arena, words));
}

void
plot_band(struct plot *p, const char *class, double y_from, double y_to)
{
	double top, bottom;

	if (!isfinite(y_from) || !isfinite(y_to))
		return;
	top = up(p, within(&p->y, y_to));
	bottom = up(p, within(&p->y, y_from));
	text_add(p->out, "<rect class=\"band %s\" x=\"%g\" y=\"%.1f\" width=\"%g\" "
	    "height=\"%.1f\"/>\n", class, LEFT, top, RIGHT - LEFT, fmax(bottom - top, 1));
}
