#include "report_import.h"

#include <math.h>
#include <string.h>

#define WIDTH 92

/* A table is somebody else's text: nothing of it reaches the terminal as it is (text_disarm). */
static void
paragraph(struct text *t, const char *indent, const char *words)
{
	text_wrap(t, indent, WIDTH, words);
}

static void
list(struct text *t, const char *title, const char *const *words, size_t n)
{
	if (n != 0)
		text_add(t, "\n%s\n", title);
	for (size_t i = 0; i < n; i++)
		paragraph(t, "  ", words[i]);
}

static void
say_system(struct text *t, const struct import_system *s)
{
	if (s->os == NULL)
		text_add(t, "system     not known by these columns (--os)\n");
	else
		text_add(t, "system     %s %s%s\n", s->os,
		    s->release == NULL ? "(newest release)" : s->release,
		    s->assumed ? ", assumed by the columns (--os, --release)" : "");
}

/* Many pairs that agree make numbers of a hundred digits. */
static const char *
say_e(struct arena *a, double e)
{
	return arena_printf(a, e < 1e4 ? "%.2f" : "%.2g", e);
}

static void
say_estimate(struct text *t, const struct import_estimate *x)
{
	if (x->pairs == 0) {
		text_add(t, "  %-10s no pairs: no window and round of its own in both tests\n",
		    x->name);
		return;
	}
	text_add(t, "  %-10s %+.1f %% [%+.1f, %+.1f] (%.4g %% confidence, %.0f pairs); "
	    "e better %s, e worse %s: %s\n", x->name, x->hl_pct, x->lo_pct, x->hi_pct,
	    100 * x->conf, x->pairs, say_e(t->arena, x->e_better),
	    say_e(t->arena, x->e_worse), import_finding_names[x->finding]);
}

static const char *
verdict(struct arena *a, const struct import_result *r)
{
	if (r->verdict == IMPORT_CHANGE)
		return arena_printf(a, "Change: the settings of %s.", r->credited);
	if (r->class == IMPORT_COMPARABLE)
		return "Keep the defaults: no test is better beyond doubt.";
	return "Keep the defaults: the tests of this table cannot be compared.";
}

char *
report_import(struct arena *a, const struct import_table *t, const struct import_system *s,
    const struct import_result *r)
{
	struct text out = { .arena = a };

	text_add(&out, "table      %zu tests, %zu cells%s%s\n", t->n_tests, t->n_rows,
	    t->about.source == NULL ? "" : ", from ",
	    t->about.source == NULL ? "" : t->about.source);
	say_system(&out, s);
	text_add(&out, "\n%s\n", verdict(a, r));
	for (size_t i = 0; i < r->n_change; i++)
		text_add(&out, "  %s: %s instead of %s\n", r->change[i].name, r->change[i].new,
		    r->change[i].old);
	text_add(&out, "\nestimates (by the averages, in per cent of %s)\n", t->tests[0].name);
	for (size_t i = 0; i < r->n_estimates; i++)
		say_estimate(&out, &r->estimates[i]);
	list(&out, "why", r->reasons, r->n_reasons);
	list(&out, "what would have to be different", r->wanted, r->n_wanted);
	list(&out, "notes", r->notes, r->n_notes);
	text_disarm(out.s);
	return out.s;
}
