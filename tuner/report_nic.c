#include "report_nic.h"

#include "words.h"

#include <math.h>
#include <string.h>

#define INDENT "  "
#define DEEPER "      "

static const char *
command_line(struct arena *a, const struct nic_action *x)
{
	struct text t = { .arena = a };

	for (size_t i = 0; i < x->n_argv; i++) {
		if (i != 0)
			text_bytes(&t, " ", 1);
		words_quote(&t, x->argv[i]);
	}
	return t.s;
}

static void
action(struct page *p, const struct nic_action *x)
{
	if (x->n_argv != 0)
		page_say(p, INDENT INDENT "%s\n", command_line(p->t.arena, x));
	if (x->line != NULL) {
		page_wrapped(p, INDENT INDENT, arena_printf(p->t.arena, "in %s:", x->file));
		page_say(p, DEEPER "%s\n", x->line);
	}
	if (x->words != NULL)
		page_wrapped(p, x->n_argv == 0 && x->line == NULL ? INDENT INDENT : DEEPER,
		    x->words);
}

static void
actions(struct page *p, const char *head, const struct nic_action *x, size_t n)
{
	if (n == 0)
		return;
	page_wrapped(p, INDENT, head);
	for (size_t i = 0; i < n; i++)
		action(p, &x[i]);
}

static const char *
place_words(struct arena *a, const struct nic_place *x)
{
	static const struct {
		const char *status, *words;
	} all[] = { { "both", "gets a line or a copy for the new name below" },
		{ "swap", "names one interface only: changed last, below" },
		{ "stays", "stays as it is" }, { "look", "to be changed by hand" } };

	for (size_t i = 0; i < NELEM(all) && x->status != NULL; i++) {
		if (strcmp(x->status, all[i].status) == 0)
			return x->words == NULL ? all[i].words : arena_printf(a, "%s; %s",
			    all[i].words, x->words);
	}
	return "";
}

static void
places(struct page *p, const struct nic_plan *x)
{
	struct arena *a = p->t.arena;

	if (x->n_places == 0)
		return;
	page_wrapped(p, INDENT, arena_printf(a, "Files that name %s:", x->old_name));
	for (size_t i = 0; i < x->n_places; i++) {
		const struct nic_place *y = &x->places[i];

		page_say(p, INDENT INDENT "%s", y->file);
		if (!isnan(y->line))
			page_say(p, ":%.0f: %s..", y->line, y->text == NULL ? "" : y->text);
		page_say(p, "\n");
		/* Lines of one file that share their fate are said once. */
		if (i + 1 == x->n_places || strcmp(y->file, y[1].file) != 0 ||
		    strcmp(place_words(a, y), place_words(a, &y[1])) != 0)
			page_wrapped(p, DEEPER, place_words(a, y));
	}
}

static void
ways(struct page *p, const struct nic_plan *x)
{
	struct arena *a = p->t.arena;

	page_wrapped(p, INDENT, "3. On the hypervisor, whichever of these it is. Words in "
	    "capitals stand for what only it knows.");
	for (size_t i = 0; i < x->n_ways; i++) {
		const struct nic_way *w = &x->ways[i];

		actions(p, arena_printf(a, "%s: %s. %s.", w->name, w->seen, w->keeps), w->change,
		    w->n_change);
	}
}

/* What differs from the way there: the line or command that names the model. */
static const char *
back_line(struct arena *a, const struct nic_action *there, const struct nic_action *back)
{
	const char *was = there->line != NULL ? there->line : command_line(a, there);
	const char *is = back->line != NULL ? back->line : command_line(a, back);

	return was == NULL || is == NULL || strcmp(was, is) == 0 ? NULL : is;
}

static void
way_back(struct page *p, const struct nic_plan *x)
{
	actions(p, "Way back, from the console, when the network does not come up:", x->back,
	    x->n_back);
	for (size_t i = 0; i < x->n_ways; i++) {
		const struct nic_way *w = &x->ways[i];

		for (size_t j = 0; j < w->n_back && j < w->n_change; j++) {
			const char *line = back_line(p->t.arena, &w->change[j], &w->back[j]);

			if (line != NULL)
				page_say(p, DEEPER "%s\n", line);
		}
	}
}

static void
plan(struct page *p, const struct nic_plan *x)
{
	struct arena *a = p->t.arena;
	bool renames = strcmp(x->old_name, x->new_name) != 0;

	page_say(p, "\n");
	page_bold(p, arena_printf(a, "Plan: %s instead of %s", x->to, x->from));
	page_wrapped(p, INDENT, renames ? arena_printf(a, "The interface %s becomes %s (driver "
	    "%s).", x->old_name, x->new_name, x->driver) : arena_printf(a, "The interface keeps "
	    "its name, %s (driver %s), while MAC and PCI address stay.", x->old_name, x->driver));
	for (size_t i = 0; i < x->n_notes; i++)
		page_wrapped(p, INDENT "note: ", x->notes[i]);
	actions(p, "1. On this machine, before:", x->before, x->n_before);
	places(p, x);
	actions(p, "Once, so that both names work:", x->prepare, x->n_prepare);
	actions(p, "2. Last, on this machine:", x->last, x->n_last);
	ways(p, x);
	actions(p, "4. On this machine, after:", x->after, x->n_after);
	page_wrapped(p, INDENT, "What the other model brings and takes:");
	for (size_t i = 0; i < x->n_effects; i++)
		page_wrapped(p, INDENT INDENT, x->effects[i]);
	way_back(p, x);
}

void
report_nic(struct page *p, const struct run *run)
{
	const struct nic_advice *n = &run->nic;
	struct arena *a = p->t.arena;
	bool silent = n->verdict == NIC_KEEP && run->n_trials == 0 && !n->asked;

	if (n->verdict == NIC_NONE || n->words == NULL || silent)
		return;
	page_say(p, "\n");
	page_bold(p, n->verdict == NIC_SWITCH ? arena_printf(a, "NIC: switch from %s to %s",
	    n->plan.from, n->plan.to) : n->verdict == NIC_KEEP ? "NIC: keep the model" :
	    arena_printf(a, "NIC: %s instead of %s would be an experiment", n->plan.to,
	    n->plan.from));
	page_wrapped(p, INDENT, n->words);
	if (n->verdict == NIC_KEEP)
		return;
	if (n->verdict == NIC_SWITCH || n->asked)
		plan(p, &n->plan);
	else
		page_wrapped(p, INDENT, arena_printf(a, "pathtune advise --nic %s prints the plan "
		    "for it: how to measure before and after, and how to keep the network.",
		    n->plan.to));
}

const char *
report_nic_text(struct arena *a, const struct run *run, bool unbroken)
{
	struct page p = { .t.arena = a, .unbroken = unbroken };

	report_nic(&p, run);
	return p.t.len == 0 ? NULL : p.t.s + strspn(p.t.s, "\n");
}
