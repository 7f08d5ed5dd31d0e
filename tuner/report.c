#include "report.h"
#include "limiter.h"
#include "report_hazards.h"
#include "report_nic.h"
#include "report_page.h"
#include "report_try.h"
#include "report_words.h"
#include "units.h"

#include <math.h>
#include <string.h>

static void
host_lines(struct arena *a, struct page *p, const struct run *run)
{
	const struct facts *f = &run->facts;

	if (run->options.host != NULL && strcmp(run->options.host, "local") != 0)
		page_say(p, "measured on %s\n", run->options.host);
	page_say(p, "%s %s, %s, %s RAM, %s%s%s%s to %s\n", f->os == NULL ? "?" : f->os,
	    f->release == NULL ? "" : f->release,
	    f->hypervisor == NULL ? "hypervisor unknown" : f->hypervisor,
	    units_say_bytes(a, f->ram_bytes),
	    f->interface == NULL ? "interface unknown" : f->interface,
	    f->driver == NULL ? "" : " (", f->driver == NULL ? "" : f->driver,
	    f->driver == NULL ? "" : ")", f->peer == NULL ? "no peer" : f->peer);
	page_say(p, "idle RTT %s%s%s\n", units_say_time(a, f->rtt_ms / 1e3),
	    isnan(f->link_bps) ? "" : ", link ",
	    isnan(f->link_bps) ? "" : units_say_rate(a, f->link_bps));
}

static void
side_line(struct arena *a, struct page *p, const char *when, const struct side *s)
{
	if (isnan(s->goodput_bps))
		return;
	page_say(p, "  %-7s %14s   RTT under load %8s   retransmits %s", when,
	    units_say_rate(a, s->goodput_bps),
	    isnan(s->rtt_ms) ? "unknown" :
	    arena_printf(a, s->rtt_ms < 9.95 ? "%.1f ms" : "%.0f ms", s->rtt_ms),
	    units_say_percent(a, s->retransmits, 2));
	page_say(p, "   %s%swindow %s", s->setting.cc == NULL ? "" : s->setting.cc,
	    s->setting.cc == NULL ? "" : ", ", units_say_bytes(a, s->setting.window_bytes));
	for (size_t i = 0; i < s->setting.n_extras; i++)
		page_say(p, ", %s", s->setting.extras[i]);
	page_say(p, "\n");
}

static void
limit_line(struct page *p, const char *when, const struct limit *l)
{
	static const char indent[] = "          ";
	struct text t = { .arena = p->t.arena };

	if (l->evidence == NULL)
		return;
	text_wrap(&t, indent, PAGE_COLUMNS, arena_printf(t.arena, "limited by %s: %s",
	    limiter_names[l->limiter], l->evidence));
	page_say(p, "  %-7s %s", when, t.s + sizeof(indent) - 1);
}

static void
direction_lines(struct arena *a, struct page *p, const struct run *run,
    const struct direction_decision *d)
{
	page_say(p, "\n");
	page_bold(p, d->direction == DIR_SEND ? "Sending" : "Receiving");
	page_wrapped(p, "  ", d->words == NULL ? "" : d->words);
	if (d->n_tries != 0) {
		report_tries(p, d);
		return;
	}
	side_line(a, p, "before", &d->before);
	if (!setting_same(&d->before.setting, &d->after.setting))
		side_line(a, p, d->verdict == VERDICT_CHANGE ? "after" : "tried", &d->after);
	limit_line(p, "before", &d->limit_before);
	if (!setting_same(&d->before.setting, &d->after.setting))
		limit_line(p, d->verdict == VERDICT_CHANGE ? "after" : "tried", &d->limit_after);
	if (report_extras(a, run, d) != NULL)
		page_wrapped(p, "  ", report_extras(a, run, d));
}

char *
report_run(struct arena *a, const struct run *run, bool color)
{
	struct page p = { .t.arena = a, .color = color };

	host_lines(a, &p, run);
	if (run->n_hazards != 0)
		page_say(&p, "%s\n", report_hazards(a, run->hazards, run->n_hazards));
	for (size_t i = 0; i < run->plan.n_notes; i++)
		page_wrapped(&p, "note: ", run->plan.notes[i]);
	for (size_t i = 0; i < run->decision.n_directions; i++)
		direction_lines(a, &p, run, &run->decision.directions[i]);
	if (run->decision.verdict == VERDICT_NONE)
		page_say(&p, "\nNo decision: the run ended before one.\n");
	if (report_scp(a, run) != NULL)
		page_wrapped(&p, "", report_scp(a, run));
	if (run->n_trials != 0)
		page_say(&p, "\n%s\n", report_traffic(a, run));
	report_nic(&p, run);
	page_files(&p, run);
	return p.t.s;
}
