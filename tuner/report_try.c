#include "report_try.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define NAME_WIDTH_MIN 8

const char *
report_try_verdict(const struct try_result *r)
{
	static const char *const words[] = {
		[TRY_NONE] = "",
		[TRY_BETTER] = "better",
		[TRY_WORSE] = "worse",
		[TRY_NO_GAIN] = "no gain",
		[TRY_INCONCLUSIVE] = "inconclusive",
		[TRY_GUARD] = "too costly",
		[TRY_UNSTEADY] = "unsteady",
		[TRY_FAILED] = "failed",
	};

	if (r->class == TRY_NO_GAIN && r->effect.low <= 0 && r->effect.high >= 0)
		return "no significant difference";
	return words[r->class];
}

static int
name_width(const struct direction_decision *d)
{
	size_t most = NAME_WIDTH_MIN;

	for (size_t i = 0; i < d->n_tries; i++)
		if (strlen(d->tries[i].name) > most)
			most = strlen(d->tries[i].name);
	return (int)(most > 40 ? 40 : most);
}

const char *
report_try_effect(struct arena *a, const struct effect *x)
{
	return isnan(x->estimate) ? "" : units_say_change(a, x->estimate, x->low, x->high);
}

static void
row(struct page *p, const struct try_result *r, int width)
{
	struct arena *a = p->t.arena;
	const struct side *s = &r->side;

	page_say(p, "  %-*.*s %11s %8s %8s  %-20s  %s\n", width, width, r->name,
	    units_say_rate(a, s->goodput_bps),
	    isnan(s->rtt_ms) ? "unknown"
			     : arena_printf(a, s->rtt_ms < 9.95 ? "%.1f ms" : "%.0f ms", s->rtt_ms),
	    units_say_percent(a, s->retransmits, 2), report_try_effect(a, &r->effect),
	    report_try_verdict(r));
}

const char *
report_try_details(struct arena *a, const struct direction_decision *d, size_t i)
{
	const struct try_result *r = &d->tries[i];
	struct text t = { .arena = a };

	text_bytes(&t, "", 0);
	for (size_t k = 0; k < r->n_settings; k++)
		text_add(&t, "%s%s = %s", t.len == 0 ? "" : ", ", r->settings[k].name,
		    r->settings[k].new);
	if (r->class != TRY_NONE && r->side.setting.cc != NULL)
		text_add(
		    &t, "%scongestion control %s", t.len == 0 ? "" : ", ", r->side.setting.cc);
	if (r->streams != d->tries[0].streams)
		text_add(&t, "%s%.0f connections", t.len == 0 ? "" : ", ", r->streams);
	if (r->words != NULL)
		text_add(&t, "%s%s", t.len == 0 ? "" : "; ", r->words);
	return t.s;
}

bool
report_try_pinned(const struct direction_decision *d)
{
	return d->n_tries != 0 && d->tries[0].n_strata != 0 &&
	    !isnan(d->tries[0].strata[0].pin_bytes);
}

const char *
report_try_legend(struct arena *a, const struct direction_decision *d)
{
	double blocks = 0;

	for (size_t i = 0; i < d->n_tries; i++)
		blocks = fmax(blocks, d->tries[i].effect.pairs);
	return arena_printf(a, "Medians; RTT under load. Effects against %s in the same block, "
	    "with their intervals (95 %% where there are six blocks or more), in at most %.0f "
	    "blocks of random order. \"better\" is said by the test that allows one false "
	    "\"better\" in twenty such runs.", d->tries[0].name, blocks);
}

static void
by_window(struct page *p, const struct try_result *r)
{
	struct arena *a = p->t.arena;
	struct text t = { .arena = a };

	for (size_t i = 0; i < r->n_strata; i++)
		text_add(&t, "%s %s %s", i == 0 ? "" : ",",
		    units_say_bytes(a, r->strata[i].pin_bytes),
		    units_say_rate(a, r->strata[i].goodput_bps));
	if (t.len != 0)
		page_wrapped(p, "  ", arena_printf(a, "%s:%s", r->name, t.s));
}

void
report_tries(struct page *p, const struct direction_decision *d)
{
	int width = name_width(d);

	if (d->n_tries == 0)
		return;
	page_say(p, "\n  %-*s %11s %8s %8s  %-20s\n", width, "setting", "goodput", "RTT", "retr.",
	    "effect");
	for (size_t i = 0; i < d->n_tries; i++)
		row(p, &d->tries[i], width);
	page_say(p, "\n");
	page_wrapped(p, "  ", report_try_legend(p->t.arena, d));
	for (size_t i = 0; i < d->n_tries; i++) {
		const char *details = report_try_details(p->t.arena, d, i);

		if (details[0] != '\0')
			page_wrapped(p, "  ", arena_printf(p->t.arena, "%s: %s", d->tries[i].name,
			    details));
	}
	if (!report_try_pinned(d))
		return;
	page_say(p, "\n");
	page_bold(p, "  By socket window");
	for (size_t i = 0; i < d->n_tries; i++)
		by_window(p, &d->tries[i]);
}
