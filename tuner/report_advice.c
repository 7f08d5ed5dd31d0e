#include "report_advice.h"

#include "report_hazards.h"
#include "report_nic.h"
#include "report_page.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define ARROW " -> "

/* "label: " before the first line, as many blanks before the rest. */
static void
labelled(struct page *p, const char *label, const char *words)
{
	struct arena *a = p->t.arena;
	struct text t = { .arena = a };
	size_t n = strlen(label);

	text_wrap(&t, arena_printf(a, "%*s", (int)n, ""), PAGE_COLUMNS, words);
	page_say(p, "%s%s", label, t.len < n ? "\n" : t.s + n);
}

static void
host_line(struct page *p, const struct facts *f)
{
	page_say(p, "%s %s%s%s%s%s\n", f->os == NULL ? "?" : f->os,
	    f->release == NULL ? "?" : f->release,
	    f->arch == NULL ? "" : ", ", f->arch == NULL ? "" : f->arch,
	    isnan(f->ram_bytes) ? "" : ", RAM ",
	    isnan(f->ram_bytes) ? "" : units_say_bytes(p->t.arena, f->ram_bytes));
}

static void
path_lines(struct page *p, const struct advice *v)
{
	struct arena *a = p->t.arena;

	for (size_t i = 0; i < v->n_paths; i++) {
		double bdp = v->paths[i].rate_bps * v->paths[i].rtt_ms / 8e3;

		page_say(p, "path %s, RTT %s: holds %s (%.0f bytes)\n",
		    units_say_rate(a, v->paths[i].rate_bps),
		    units_say_time(a, v->paths[i].rtt_ms / 1e3), units_say_bytes(a, bdp), bdp);
	}
}

/* "now -> after", or only one of them where nothing changes. */
static void
change_line(struct page *p, const char *label, const char *now, const char *after)
{
	if (strcmp(now, after) == 0)
		page_say(p, "  %-20s %s\n", label, now);
	else
		page_say(p, "  %-20s %s" ARROW "%s\n", label, now, after);
}

static const char *
say_growth(struct arena *a, double s)
{
	return isnan(s) ? "no growth" : s > 0 ? units_say_time(a, s) : "at once";
}

/* Of a receiver of which neither is known growth is not modelled. */
static void
growth_line(struct page *p, const struct advice_direction *d)
{
	struct arena *a = p->t.arena;
	const char *label = "until it is there";

	if (!isnan(d->now_growth_s) || !isnan(d->after_growth_s))
		change_line(p, label, say_growth(a, d->now_growth_s),
		    say_growth(a, d->after_growth_s));
	else if (d->direction == DIR_SEND)
		change_line(p, label, "with every ACK", "with every ACK");
}

static void
direction_lines(struct page *p, const struct advice_direction *d,
    const struct direction_decision *v)
{
	struct arena *a = p->t.arena;

	page_say(p, "\n");
	page_bold(p, arena_printf(a, "%s: %s", d->direction == DIR_SEND ? "Sending" : "Receiving",
	    v->verdict == VERDICT_CHANGE ? "change" : "keep"));
	page_wrapped(p, "  ", d->words == NULL ? "" : d->words);
	change_line(p, "usable window", units_say_bytes(a, d->now_bytes),
	    units_say_bytes(a, d->after_bytes));
	change_line(p, "one connection gets", units_say_rate(a, d->now_bps),
	    units_say_rate(a, d->after_bps));
	growth_line(p, d);
	if (!isnan(d->now_scale) && !isnan(d->after_scale))
		change_line(p, "window scale", arena_printf(a, "%.0f", d->now_scale),
		    arena_printf(a, "%.0f", d->after_scale));
}

static void
memory_line(struct page *p, const struct advice *v)
{
	struct arena *a = p->t.arena;

	page_say(p, "\nmemory at worst %s for %.0f connection%s",
	    units_say_bytes(a, v->memory_bytes), v->connections, v->connections == 1 ? "" : "s");
	if (!isnan(v->bound_bytes))
		page_say(p, ", of %s that they may take%s", units_say_bytes(a, v->bound_bytes),
		    v->bounded ? ": that bounds the advice" : "");
	page_say(p, "\n");
}

char *
report_advice(struct arena *a, const struct run *run, bool color)
{
	struct page p = { .t.arena = a, .color = color };
	const struct decision *d = &run->decision;

	host_line(&p, &run->facts);
	path_lines(&p, &run->advice);
	for (size_t i = 0; i < run->advice.n_directions && i < d->n_directions; i++)
		direction_lines(&p, &run->advice.directions[i], &d->directions[i]);
	memory_line(&p, &run->advice);
	if (run->n_hazards != 0)
		page_say(&p, "%s\n", report_hazards(a, run->hazards, run->n_hazards));
	for (size_t i = 0; i < run->advice.n_notes; i++)
		labelled(&p, "note: ", run->advice.notes[i]);
	report_nic(&p, run);
	page_files(&p, run);
	return p.t.s;
}
