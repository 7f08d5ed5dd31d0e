#include "report_markdown.h"

#include "limiter.h"
#include "report_try.h"
#include "report_nic.h"
#include "report_words.h"
#include "units.h"

#include <math.h>
#include <string.h>

/* Of what could begin something: tables, tags, code, links, emphasis, mentions. */
static const char *
plain(struct arena *a, const char *s)
{
	struct text t = { .arena = a };
	char *copy = arena_strdup(a, s == NULL ? "" : s);

	text_disarm(copy);
	text_bytes(&t, "", 0);
	for (; *copy != '\0'; copy++) {
		if (*copy == '<' || *copy == '&' || *copy == '@')
			text_add(&t, "&#%d;", *copy);
		else if (strchr("|`[]*_\\#", *copy) != NULL)
			text_add(&t, "\\%c", *copy);
		else
			text_bytes(&t, *copy == '\n' ? " " : copy, 1);
	}
	return t.s;
}

static void
side_row(struct text *t, const char *when, const struct side *s, const struct limit *l)
{
	struct arena *a = t->arena;

	text_add(t, "| %s | %s | %s | %s | %s | %s |\n", when,
	    plain(a, report_setting(a, &s->setting)), units_say_rate(a, s->goodput_bps),
	    report_ms(a, s->rtt_ms), units_say_percent(a, s->retransmits, 2),
	    plain(a, l->evidence == NULL ? "" :
	    arena_printf(a, "%s: %s", limiter_names[l->limiter], l->evidence)));
}

static void
try_windows(struct text *t, const struct direction_decision *d)
{
	struct arena *a = t->arena;

	text_add(t, "\n| by socket window |");
	for (size_t k = 0; k < d->tries[0].n_strata; k++)
		text_add(t, " %s |", units_say_bytes(a, d->tries[0].strata[k].pin_bytes));
	text_add(t, "\n|---|");
	for (size_t k = 0; k < d->tries[0].n_strata; k++)
		text_add(t, "---|");
	for (size_t i = 0; i < d->n_tries; i++) {
		text_add(t, "\n| %s |", plain(a, d->tries[i].name));
		for (size_t k = 0; k < d->tries[i].n_strata; k++)
			text_add(t, " %s |", units_say_rate(a, d->tries[i].strata[k].goodput_bps));
	}
	text_add(t, "\n");
}

static void
tries(struct text *t, const struct direction_decision *d)
{
	struct arena *a = t->arena;

	text_add(t, "\n| setting | goodput | RTT under load | sent again | effect | verdict | "
	    "what it sets |\n|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < d->n_tries; i++) {
		const struct try_result *r = &d->tries[i];

		text_add(t, "| %s | %s | %s | %s | %s | %s | %s |\n", plain(a, r->name),
		    units_say_rate(a, r->side.goodput_bps), report_ms(a, r->side.rtt_ms),
		    units_say_percent(a, r->side.retransmits, 2),
		    plain(a, report_try_effect(a, &r->effect)), report_try_verdict(r),
		    plain(a, report_try_details(a, d, i)));
	}
	text_add(t, "\n%s\n", plain(a, report_try_legend(a, d)));
	if (report_try_pinned(d))
		try_windows(t, d);
}

static void
direction(struct text *t, const struct run *run, const struct direction_decision *d)
{
	const char *extras = report_extras(t->arena, run, d);

	text_add(t, "\n### %s\n\n%s\n", report_direction(d), plain(t->arena, d->words));
	if (d->n_tries != 0)
		tries(t, d);
	if (d->n_tries != 0 || isnan(d->before.goodput_bps))
		return;
	text_add(t, "\n| | setting | goodput | RTT under load | sent again | limited by |\n"
	    "|---|---|---|---|---|---|\n");
	side_row(t, "before", &d->before, &d->limit_before);
	if (report_has_after(d))
		side_row(t, report_side(d), &d->after, &d->limit_after);
	if (extras != NULL)
		text_add(t, "\n%s\n", plain(t->arena, extras));
}

static void
settings(struct text *t, const struct decision *d)
{
	struct arena *a = t->arena;

	if (d->n_settings == 0)
		return;
	text_add(t, "\n### Settings\n\n| name | was | becomes | why |\n|---|---|---|---|\n");
	for (size_t i = 0; i < d->n_settings; i++) {
		const struct change_line *l = &d->settings[i];

		text_add(t, "| %s | %s | %s | %s%s |\n", plain(a, l->name), plain(a, l->old),
		    plain(a, l->new), plain(a, l->reason),
		    l->verified ? "" : " (not verified on this host)");
	}
}

/* Indented, not fenced: a fence could be closed by what is in the file. */
static void
file(struct text *t, const struct file_text *f)
{
	char *copy = arena_strdup(t->arena, f->text);

	text_disarm(copy);
	text_add(t, "\n%s:\n\n", plain(t->arena, f->path));
	for (const char *s = copy; *s != '\0';) {
		size_t n = strcspn(s, "\n");

		text_add(t, "    %.*s\n", (int)n, s);
		s += n + (s[n] == '\n');
	}
}

char *
report_markdown(struct arena *a, const struct run *run)
{
	struct text t = { .arena = a };
	const struct file_text nic = { "Virtual NIC", report_nic_text(a, run, false) };

	text_add(&t, "## %s\n\n%s; %s; %s, pathtune %s\n", report_title(run),
	    plain(a, report_host(a, &run->facts)), plain(a, report_path(a, run)),
	    plain(a, run->started), plain(a, run->version));
	for (size_t i = 0; i < run->decision.n_directions; i++)
		direction(&t, run, &run->decision.directions[i]);
	settings(&t, &run->decision);
	for (size_t i = 0; i < run->n_files; i++)
		file(&t, &run->files[i]);
	if (nic.text != NULL)
		file(&t, &nic);
	for (size_t i = 0; i < run->plan.n_notes; i++)
		text_add(&t, "%s- %s\n", i == 0 ? "\n" : "", plain(a, run->plan.notes[i]));
	return t.s;
}
