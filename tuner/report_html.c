#include "report_html.h"

#include "limiter.h"
#include "plot.h"
#include "report_plots.h"
#include "report_try.h"
#include "report_nic.h"
#include "report_words.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define RAW_TRIALS 400 /* rows of the table of trials: a page of 300 KB holds no more */

/*
 * On a narrow screen a row of a table is a paragraph: its cells say themselves what they are, by
 * data-l, or in the long table of trials by their place.
 */
static const char style[] =
    ":root{color-scheme:light dark;--text:#1c2128;--page:#fff;--soft:#59636e;--line:#d5dae0;"
    "--card:#f5f7f9;--was:#8a5a00;--now:#0a5fb4;--other:#848d97}"
    "@media(prefers-color-scheme:dark){:root{--text:#e4e8ed;--page:#14181d;--soft:#9aa5b1;"
    "--line:#333b45;--card:#1d232a;--was:#e0a445;--now:#62aef5;--other:#76818d}}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:60rem;padding:1rem;background:var(--page);color:var(--text);"
    "font:16px/1.5 system-ui,sans-serif;overflow-wrap:break-word}"
    "h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0}"
    "h2{font-size:1.15rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:1.2rem 0 .3rem}"
    ".soft{color:var(--soft)}"
    ".verdict{background:var(--card);border-left:4px solid var(--now);padding:.7rem 1rem;"
    "border-radius:0 6px 6px 0}.keep{border-color:var(--other)}"
    ".wide{overflow-x:auto}"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);"
    "vertical-align:top}th{font-weight:600}td.say{min-width:15rem;overflow-wrap:anywhere}"
    "td.set{min-width:8rem}"
    "td.n,th.n{text-align:right;white-space:nowrap}.trials{font-size:.9rem}"
    "pre{background:var(--card);padding:.8rem;border-radius:6px;font-size:.85rem;"
    "white-space:pre-wrap;overflow-wrap:anywhere}"
    ".plan{background:var(--card);padding:.8rem;border-radius:6px;font:.85rem/1.5 monospace}"
    ".plan p{margin:0;min-height:.7em;padding-left:4ch;text-indent:-2ch;overflow-wrap:anywhere}"
    ".plan .i0{font-weight:bold;padding-left:2ch}.plan .i2{padding-left:6ch}"
    ".plan .i3{padding-left:8ch}"
    "code{font-size:.92em;overflow-wrap:anywhere}.rows code{white-space:nowrap}"
    ".figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));"
    "gap:0 1.5rem}"
    "figure{margin:.3rem 0}svg{width:100%;height:auto;display:block;font:22px system-ui,sans-serif}"
    "svg text{fill:var(--text)}svg path{fill:none;vector-effect:non-scaling-stroke}"
    ".axis{stroke:var(--soft)}.grid{stroke:var(--line)}"
    ".line{stroke-width:1.2;opacity:.6}.line.curve{stroke-width:1.6;opacity:1}"
    ".level{stroke-dasharray:5 4}"
    "path.was{stroke:var(--was)}path.now{stroke:var(--now)}path.other{stroke:var(--other)}"
    "circle.was{fill:var(--was)}circle.now{fill:var(--now)}circle.other{fill:var(--other)}"
    ".band{opacity:.2}.band.now{fill:var(--now)}"
    ".key span{display:inline-block;margin-right:1.2em}.key b{display:inline-block;width:.8em;"
    "height:.8em;border-radius:50%;margin-right:.4em;vertical-align:-.05em;"
    "print-color-adjust:exact}"
    "details{margin:2rem 0}summary{cursor:pointer;font-weight:600}"
    "@media(max-width:40rem){body{font-size:15px;padding:.7rem}"
    ".rows tr:first-child{display:none}"
    ".rows tr{display:block;padding:.4rem 0;border-bottom:1px solid var(--line)}"
    ".rows th,.rows td,.rows td.n{display:block;text-align:left;white-space:normal;border:0;"
    "padding:.05rem 0;min-width:0}.rows td:empty{display:none}"
    ".rows code{white-space:normal}"
    ".rows td[data-l]::before{content:attr(data-l) \": \";color:var(--soft)}"
    ".rows.trials td{display:inline-block;margin-right:.6em}"
    ".trials td:nth-child(6)::before{content:\"RTT \"}"
    ".trials td:nth-child(7)::after{content:\" sent again\"}}"
    "@media print{:root{--text:#000;--page:#fff;--soft:#444;--line:#bbb;--card:#f3f3f3;"
    "--was:#8a5a00;--now:#0a5fb4;--other:#777}body{max-width:none;font-size:10pt;padding:0}"
    "figure,tr,.verdict,.figures div{break-inside:avoid}h2,h3{break-after:avoid}}";

struct html {
	struct text t;
	struct arena *a;
	const struct run *run;
};

/* ---- one direction -------------------------------------------------------------------------- */

static void
side_row(struct html *h, const char *when, const struct side *s, const struct limit *l)
{
	struct arena *a = h->a;

	text_add(&h->t, "<tr><th>%s</th><td class=\"set\">%s</td>"
	    "<td class=\"n\" data-l=\"goodput\">%s</td>"
	    "<td class=\"n\" data-l=\"RTT under load\">%s</td>"
	    "<td class=\"n\" data-l=\"sent again\">%s</td>"
	    "<td class=\"say\" data-l=\"limited by\">%s</td></tr>\n", when,
	    html_text(a, report_setting(a, &s->setting)), units_say_rate(a, s->goodput_bps),
	    report_ms(a, s->rtt_ms), units_say_percent(a, s->retransmits, 2),
	    html_text(a, l->evidence == NULL ? "" :
	    arena_printf(a, "%s: %s", limiter_names[l->limiter], l->evidence)));
}

static void
key(struct html *h, const struct direction_decision *d)
{
	struct arena *a = h->a;

	text_add(&h->t, "<p class=\"key soft\"><span><b style=\"background:var(--was)\"></b>"
	    "before: %s</span>", html_text(a, report_setting(a, &d->before.setting)));
	if (report_has_after(d))
		text_add(&h->t, "<span><b style=\"background:var(--now)\"></b>%s: %s</span>",
		    report_side(d), html_text(a, report_setting(a, &d->after.setting)));
	text_add(&h->t, "<span><b style=\"background:var(--other)\"></b>other trials</span></p>\n");
}

typedef void draw_figure(struct text *, const struct run *, const struct direction_decision *);

/* Only what something was measured for. */
static void
figures(struct html *h, const struct direction_decision *d)
{
	static const struct {
		const char *heading;
		draw_figure *draw;
	} all[] = { { "Pairs of the confirmation", report_plot_pairs },
		{ "Goodput over the window", report_plot_windows },
		{ "RTT under load over the window", report_plot_rtt },
		{ "Goodput over time", report_plot_time } };
	size_t n = 0;

	for (size_t i = 0; i < NELEM(all); i++) {
		struct text t = { .arena = h->a };

		all[i].draw(&t, h->run, d);
		if (t.len == 0)
			continue;
		if (n++ == 0) {
			key(h, d);
			text_add(&h->t, "<div class=\"figures\">\n");
		}
		text_add(&h->t, "<div><h3>%s</h3>\n%s</div>\n", all[i].heading, t.s);
	}
	if (n != 0)
		text_add(&h->t, "</div>\n");
}

static void
try_row(struct html *h, const struct direction_decision *d, size_t i)
{
	const struct try_result *r = &d->tries[i];
	struct arena *a = h->a;

	text_add(&h->t, "<tr><th>%s</th><td class=\"n\" data-l=\"goodput\">%s</td>"
	    "<td class=\"n\" data-l=\"RTT under load\">%s</td>"
	    "<td class=\"n\" data-l=\"sent again\">%s</td>"
	    "<td class=\"n\" data-l=\"effect\">%s</td><td data-l=\"verdict\">%s</td>"
	    "<td class=\"say\" data-l=\"sets\">%s</td></tr>\n", html_text(a, r->name),
	    units_say_rate(a, r->side.goodput_bps), report_ms(a, r->side.rtt_ms),
	    units_say_percent(a, r->side.retransmits, 2),
	    report_try_effect(a, &r->effect), report_try_verdict(r),
	    html_text(a, report_try_details(a, d, i)));
}

static void
try_windows(struct html *h, const struct direction_decision *d)
{
	struct arena *a = h->a;

	text_add(&h->t, "<h3>Goodput by socket window</h3>\n<div class=\"wide\"><table><tr>"
	    "<th></th>");
	for (size_t k = 0; k < d->tries[0].n_strata; k++)
		text_add(&h->t, "<th class=\"n\">%s</th>",
		    units_say_bytes(a, d->tries[0].strata[k].pin_bytes));
	text_add(&h->t, "</tr>\n");
	for (size_t i = 0; i < d->n_tries; i++) {
		text_add(&h->t, "<tr><th>%s</th>", html_text(a, d->tries[i].name));
		for (size_t k = 0; k < d->tries[i].n_strata; k++)
			text_add(&h->t, "<td class=\"n\">%s</td>",
			    units_say_rate(a, d->tries[i].strata[k].goodput_bps));
		text_add(&h->t, "</tr>\n");
	}
	text_add(&h->t, "</table></div>\n");
}

/* In place of the figures, which tell of windows: named knobs have none that is known. */
static void
tries(struct html *h, const struct direction_decision *d)
{
	text_add(&h->t, "<div class=\"wide\"><table class=\"rows\"><tr><th>setting</th>"
	    "<th class=\"n\">goodput</th><th class=\"n\">RTT under load</th>"
	    "<th class=\"n\">sent again</th><th class=\"n\">effect</th><th>verdict</th>"
	    "<th>what it sets</th></tr>\n");
	for (size_t i = 0; i < d->n_tries; i++)
		try_row(h, d, i);
	text_add(&h->t, "</table></div>\n<p class=\"soft\">%s</p>\n",
	    html_text(h->a, report_try_legend(h->a, d)));
	if (report_try_pinned(d))
		try_windows(h, d);
}

static void
direction(struct html *h, const struct direction_decision *d)
{
	const char *extras = report_extras(h->a, h->run, d);
	const char *others = report_other_traffic(h->a, h->run, d);

	text_add(&h->t, "<h2>%s</h2>\n<p class=\"verdict%s\">%s</p>\n", report_direction(d),
	    d->verdict == VERDICT_CHANGE ? "" : " keep", html_text(h->a, d->words));
	if (d->n_tries != 0) {
		tries(h, d);
		return;
	}
	if (!isnan(d->before.goodput_bps)) {
		text_add(&h->t, "<div class=\"wide\"><table class=\"rows\"><tr><th></th>"
		    "<th>setting</th><th class=\"n\">goodput</th>"
		    "<th class=\"n\">RTT under load</th><th class=\"n\">sent again</th>"
		    "<th>limited by</th></tr>\n");
		side_row(h, "before", &d->before, &d->limit_before);
		if (report_has_after(d))
			side_row(h, report_side(d), &d->after, &d->limit_after);
		text_add(&h->t, "</table></div>\n");
	}
	if (extras != NULL)
		text_add(&h->t, "<p>%s</p>\n", html_text(h->a, extras));
	if (others != NULL)
		text_add(&h->t, "<p class=\"soft\">%s</p>\n", others);
	figures(h, d);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static void
traffic(struct html *h)
{
	const char *scp = report_scp(h->a, h->run);

	if (h->run->n_trials != 0)
		text_add(&h->t, "<p>%s.%s%s</p>\n", report_traffic(h->a, h->run),
		    scp == NULL ? "" : " ", scp == NULL ? "" : scp);
}

static void
settings(struct html *h)
{
	const struct decision *d = &h->run->decision;
	struct arena *a = h->a;

	if (d->n_settings == 0)
		return;
	text_add(&h->t, "<h2>Settings</h2>\n<div class=\"wide\"><table class=\"rows\"><tr>"
	    "<th>name</th><th>was</th><th>becomes</th><th>why</th></tr>\n");
	for (size_t i = 0; i < d->n_settings; i++) {
		const struct change_line *l = &d->settings[i];

		text_add(&h->t, "<tr><td><code>%s</code></td><td data-l=\"was\">%s</td>"
		    "<td data-l=\"becomes\">%s</td>"
		    "<td class=\"say\" data-l=\"why\">%s%s</td></tr>\n",
		    html_text(a, l->name), html_text(a, l->old), html_text(a, l->new),
		    html_text(a, l->reason), l->verified ? "" : " (not verified on this host)");
	}
	text_add(&h->t, "</table></div>\n");
}

/* The lines of the text, each with its indent: a narrow page breaks them and keeps that. */
static void
nic(struct html *h)
{
	const char *words = report_nic_text(h->a, h->run, true);

	if (words == NULL)
		return;
	text_add(&h->t, "<h2>Virtual NIC</h2>\n<div class=\"plan\">\n");
	for (size_t n; *words != '\0'; words += n + (words[n] == '\n')) {
		size_t indent = strspn(words, " ");

		n = strcspn(words, "\n");
		text_add(&h->t, "<p class=\"i%zu\">%s</p>\n", indent / 2,
		    html_text(h->a, arena_strndup(h->a, words + indent, n - indent)));
	}
	text_add(&h->t, "</div>\n");
}

static void
files(struct html *h)
{
	for (size_t i = 0; i < h->run->n_files; i++)
		text_add(&h->t, "<h3><code>%s</code></h3>\n<pre>%s</pre>\n",
		    html_text(h->a, h->run->files[i].path), html_text(h->a, h->run->files[i].text));
}

static void
notes(struct html *h)
{
	const struct run *run = h->run;

	if (run->plan.n_notes + run->n_hazards == 0)
		return;
	text_add(&h->t, "<h2>Notes</h2>\n<ul>\n");
	for (size_t i = 0; i < run->plan.n_notes; i++)
		text_add(&h->t, "<li>%s</li>\n", html_text(h->a, run->plan.notes[i]));
	for (size_t i = 0; i < run->n_hazards; i++)
		text_add(&h->t, "<li>%s: <code>%s</code> %s</li>\n",
		    html_text(h->a, run->hazards[i].id), html_text(h->a, run->hazards[i].subject),
		    html_text(h->a, run->hazards[i].words));
	text_add(&h->t, "</ul>\n");
}

static void
trial_row(struct html *h, size_t i)
{
	const struct trial *t = &h->run->trials[i];
	struct arena *a = h->a;

	text_add(&h->t, "<tr><td class=\"n\">%zu</td><td>%s</td><td>%s</td><td>%s</td>"
	    "<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td>"
	    "<td>%s%s%s</td></tr>\n",
	    i + 1, direction_names[t->direction], trial_phase_names[t->phase],
	    html_text(a, t->try == NULL ? report_setting(a, &t->setting) : isnan(t->pin_bytes) ?
	    t->try : arena_printf(a, "%s, sockets %s", t->try, units_say_bytes(a, t->pin_bytes))),
	    units_say_rate(a, t->goodput_bps), report_ms(a, t->rtt.loaded_ms),
	    units_say_percent(a, t->retransmits, 2),
	    trial_status_names[t->status], t->why == NULL ? "" : ": ", html_text(a, t->why));
}

static void
trials(struct html *h)
{
	size_t n = h->run->n_trials, shown = n < RAW_TRIALS ? n : RAW_TRIALS;

	if (n == 0)
		return;
	text_add(&h->t, "<details open><summary>All %zu trials%s</summary><div class=\"wide\">"
	    "<table class=\"rows trials\"><tr><th class=\"n\">no.</th>"
	    "<th>direction</th><th>phase</th><th>setting</th>"
	    "<th class=\"n\">goodput</th><th class=\"n\">RTT under load</th>"
	    "<th class=\"n\">sent again</th><th>status</th></tr>\n", n,
	    shown == n ? "" : arena_printf(h->a, ", the first %zu shown", shown));
	for (size_t i = 0; i < shown; i++)
		trial_row(h, i);
	text_add(&h->t, "</table></div></details>\n");
}

char *
report_html(struct arena *a, const struct run *run)
{
	struct html h = { { .arena = a }, a, run };

	text_add(&h.t, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
	    "<title>%s</title><style>%s</style></head><body>\n", report_title(run), style);
	text_add(&h.t, "<h1>%s</h1>\n<p class=\"soft\">%s; %s; %s, pathtune %s</p>\n",
	    report_title(run), html_text(a, report_host(a, &run->facts)),
	    html_text(a, report_path(a, run)), html_text(a, run->started),
	    html_text(a, run->version));
	for (size_t i = 0; i < run->decision.n_directions; i++)
		direction(&h, &run->decision.directions[i]);
	traffic(&h);
	settings(&h);
	files(&h);
	nic(&h);
	notes(&h);
	trials(&h);
	text_add(&h.t, "</body></html>\n");
	return h.t.s;
}
