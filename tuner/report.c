#include "report.h"
#include "limiter.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define WRAP 92

struct page {
	struct text t;
	bool color;
};

static void
wrapped(struct page *p, const char *indent, const char *words)
{
	size_t at = 0, left = strlen(indent);

	for (const char *w = words; *w != '\0';) {
		size_t n = strcspn(w, " ");

		if (at == 0 || left + at + 1 + n > WRAP) {
			text_add(&p->t, "%s%s%.*s", at == 0 ? "" : "\n", indent, (int)n, w);
			at = n;
		} else {
			text_add(&p->t, " %.*s", (int)n, w);
			at += 1 + n;
		}
		w += n;
		w += strspn(w, " ");
	}
	text_add(&p->t, "\n");
}

static void
bold(struct page *p, const char *words)
{
	text_add(&p->t, p->color ? "\033[1m%s\033[0m" : "%s", words);
}

static void
host_lines(struct arena *a, struct page *p, const struct facts *f)
{
	text_add(&p->t, "%s %s, %s, %s RAM, %s%s%s%s to %s\n", f->os == NULL ? "?" : f->os,
	    f->release == NULL ? "" : f->release,
	    f->hypervisor == NULL ? "hypervisor unknown" : f->hypervisor,
	    units_say_bytes(a, f->ram_bytes),
	    f->interface == NULL ? "interface unknown" : f->interface,
	    f->driver == NULL ? "" : " (", f->driver == NULL ? "" : f->driver,
	    f->driver == NULL ? "" : ")", f->peer == NULL ? "no peer" : f->peer);
	if (!isnan(f->rtt_ms))
		text_add(&p->t, "idle RTT %s", units_say_time(a, f->rtt_ms / 1e3));
	if (!isnan(f->link_bps))
		text_add(&p->t, ", link %s", units_say_rate(a, f->link_bps));
	text_add(&p->t, "\n");
}

static void
side_line(struct arena *a, struct page *p, const char *when, const struct side *s)
{
	if (isnan(s->goodput_bps))
		return;
	text_add(&p->t, "  %-7s %14s   RTT under load %5.0f ms   retransmits %s", when,
	    units_say_rate(a, s->goodput_bps), s->rtt_ms, units_say_percent(a, s->retransmits, 2));
	text_add(&p->t, "   %s%swindow %s\n", s->setting.cc == NULL ? "" : s->setting.cc,
	    s->setting.cc == NULL ? "" : ", ", units_say_bytes(a, s->setting.window_bytes));
}

static void
limit_line(struct page *p, const char *when, const struct limit *l)
{
	if (l->evidence != NULL)
		text_add(&p->t, "  %-7s limited by %s: %s\n", when, limiter_names[l->limiter],
		    l->evidence);
}

static void
direction_lines(struct arena *a, struct page *p, const struct direction_decision *d)
{
	text_add(&p->t, "\n");
	bold(p, d->direction == DIR_SEND ? "Sending" : "Receiving");
	text_add(&p->t, "\n");
	wrapped(p, "  ", d->words == NULL ? "" : d->words);
	side_line(a, p, "before", &d->before);
	if (!setting_same(&d->before.setting, &d->after.setting))
		side_line(a, p, d->verdict == VERDICT_CHANGE ? "after" : "tried", &d->after);
	limit_line(p, "before", &d->limit_before);
	if (!setting_same(&d->before.setting, &d->after.setting))
		limit_line(p, d->verdict == VERDICT_CHANGE ? "after" : "tried", &d->limit_after);
}

static void
trial_lines(struct arena *a, struct page *p, const struct run *run)
{
	size_t bad = 0, drifting = 0;
	double bytes = 0;

	for (size_t i = 0; i < run->n_trials; i++) {
		bad += run->trials[i].status != TRIAL_OK;
		drifting += run->trials[i].status == TRIAL_OK && !run->trials[i].steady;
		bytes += isnan(run->trials[i].bytes) ? 0 : run->trials[i].bytes;
	}
	if (run->n_trials == 0)
		return;
	text_add(&p->t, "\n%zu trials, %s moved", run->n_trials, units_say_bytes(a, bytes));
	if (bad != 0)
		text_add(&p->t, ", %zu failed", bad);
	if (drifting != 0)
		text_add(&p->t, ", %zu not steady after the warm-up", drifting);
	text_add(&p->t, "\n");
}

static void
file_lines(struct page *p, const struct run *run)
{
	for (size_t i = 0; i < run->n_files; i++) {
		text_add(&p->t, "\n");
		bold(p, run->files[i].path);
		text_add(&p->t, "\n");
		for (const char *s = run->files[i].text; *s != '\0';) {
			size_t n = strcspn(s, "\n");

			text_add(&p->t, "  %.*s\n", (int)n, s);
			s += n + (s[n] == '\n');
		}
	}
}

char *
report_run(struct arena *a, const struct run *run, bool color)
{
	struct page p = { { .arena = a }, color };

	host_lines(a, &p, &run->facts);
	for (size_t i = 0; i < run->plan.n_notes; i++)
		wrapped(&p, "note: ", run->plan.notes[i]);
	for (size_t i = 0; i < run->decision.n_directions; i++)
		direction_lines(a, &p, &run->decision.directions[i]);
	trial_lines(a, &p, run);
	file_lines(&p, run);
	return p.t.s;
}
