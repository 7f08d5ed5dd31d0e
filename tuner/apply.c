#include "apply.h"
#include "fragment.h"
#include "hazards.h"
#include "offloads.h"
#include "profile.h"
#include "settings_apply.h"

#include <math.h>
#include <string.h>

/* ---- the plan -------------------------------------------------------------------------------- */

size_t
apply_kinds(struct arena *a, const struct profile *p, const struct facts *f,
    const struct persist_file *kinds[APPLY_FILES])
{
	struct persist_file *offloads = arena_alloc(a, sizeof(*offloads));
	size_t n = 0;

	kinds[n++] = &p->persist.settings;
	if (p->persist.modules.path != NULL)
		kinds[n++] = &p->persist.modules;
	if (offload_file(a, p, f, offloads))
		kinds[n++] = offloads;
	return n;
}

static void
note(struct arena *a, struct apply_plan *plan, const char *words)
{
	*(const char **)arena_push(a, &plan->notes, &plan->n_notes, sizeof(char *)) = words;
}

/* Measured with sockets of its own, and refused as a default: docs/decisions.md, Marks. */
static bool
is_unverified(const struct run *run, const struct change_line *l)
{
	return run->advice.n_paths == 0 && !settings_is_module(l) && !l->verified;
}

/* NULL: it can be set and kept. */
static const char *
why_left_out(struct arena *a, const struct profile *p, const struct facts *f,
    const struct change_line *l)
{
	struct extra_way way;

	if (!offload_is_line(l->name) || p->persist.offloads.path == NULL)
		return "no file keeps it over a boot";
	if (offload_found(f, l->name) == NULL || offload_or_knob(f, l->name) == NULL)
		return arena_printf(a, "this host's interface is %s, and does not tell such an "
		    "offload", f->interface == NULL ? "not known" : f->interface);
	return offload_boot_line(a, p, f, l->name, l->new) != NULL &&
	    offload_way(a, p, f, offload_found(f, l->name)->name, &way) ? NULL :
	    "it cannot be set here";
}

static void
take_lines(struct arena *a, const struct profile *p, const struct facts *f,
    const struct run *run, const bool *held, struct apply_plan *plan)
{
	for (size_t i = 0; i < run->decision.n_settings; i++) {
		const struct change_line *l = &run->decision.settings[i];
		const char *why = settings_is_of_interface(l) ? why_left_out(a, p, f, l) : NULL;

		if (held != NULL && !held[i])
			continue;
		if (why != NULL)
			note(a, plan, arena_printf(a, "%s = %s is left out: %s", l->name, l->new,
			    why));
		else if (is_unverified(run, l))
			note(a, plan, arena_printf(a, "%s = %s is left out: the kernel refused it "
			    "where it was measured", l->name, l->new));
		else
			*(struct change_line *)arena_push(a, &plan->lines, &plan->n_lines,
			    sizeof(*l)) = *l;
	}
}

static void
take_values(struct arena *a, const struct facts *f, struct apply_plan *plan)
{
	for (size_t i = 0; i < plan->n_lines; i++) {
		const struct change_line *l = &plan->lines[i];
		const char *now = offload_or_knob(f, l->name);

		if (now != NULL && !hazards_same_value(now, l->new))
			*(struct undo_value *)arena_push(a, &plan->values, &plan->n_values,
			    sizeof(*plan->values)) =
			    (struct undo_value){ l->name, now, l->new };
	}
}

static bool
put_file(struct arena *a, struct apply_file *f, const struct file_text *made, struct err *e)
{
	char *text;

	f->block = fragment_is_block(made->text);
	f->wanted = (struct diff_text){ made->text, strlen(made->text) };
	if (f->block) {
		if (!fragment_merge(a, made->path, f->now.text == NULL ? "" : f->now.text,
			f->now.len, made->text, &text, e))
			return false;
		f->wanted = (struct diff_text){ text, strlen(text) };
	}
	f->changes = f->now.text == NULL || f->now.len != f->wanted.len ||
	    memcmp(f->now.text, f->wanted.text, f->now.len) != 0;
	return true;
}

/* The plan's lines, and what else the file of offloads says already, if it is to be replaced. */
static void
put_lines(struct arena *a, const struct profile *p, const struct facts *f,
    const struct apply_plan *plan, struct decision *d)
{
	const struct diff_text *now = &plan->files[plan->n_files - 1].now;
	struct change_line *kept;
	bool any = false;
	size_t n;

	d->settings = NULL;
	d->n_settings = 0;
	for (size_t i = 0; i < plan->n_lines; i++) {
		*(struct change_line *)arena_push(a, &d->settings, &d->n_settings,
		    sizeof(*d->settings)) = plan->lines[i];
		any = any || offload_is_line(plan->lines[i].name);
	}
	if (!any)
		return;
	kept = offload_kept(a, p, f, plan->lines, plan->n_lines, now->text, now->len, &n);
	for (size_t i = 0; i < n; i++)
		*(struct change_line *)arena_push(a, &d->settings, &d->n_settings,
		    sizeof(*d->settings)) = kept[i];
}

/* What fragment_make() says of these lines on this host. */
static struct run
run_here(struct arena *a, const struct profile *p, const struct run *run, const struct facts *f,
    const struct apply_plan *plan)
{
	struct run here = *run;

	here.facts = *f;
	here.facts.peer = run->facts.peer;
	here.facts.rtt_ms = run->facts.rtt_ms;
	put_lines(a, p, f, plan, &here.decision);
	here.files = NULL;
	here.n_files = 0;
	return here;
}

bool
apply_make(struct arena *a, const struct profile *p, const struct facts *f, const struct run *run,
    const struct diff_text *now, const bool *held, struct apply_plan *out, struct err *e)
{
	struct apply_plan plan = { .lines = NULL };
	const struct persist_file *kinds[APPLY_FILES];
	struct run here;

	take_lines(a, p, f, run, held, &plan);
	if (run->decision.n_settings == 0)
		note(a, &plan, "this run keeps what is there: it sets nothing");
	if (facts_why_unknown(f, "sources") != NULL)
		note(a, &plan, arena_printf(a, "what other files set at boot is not known (%s): "
		    "one of them may have the last word", facts_why_unknown(f, "sources")));
	take_values(a, f, &plan);
	plan.n_files = apply_kinds(a, p, f, kinds);
	for (size_t i = 0; i < plan.n_files; i++)
		plan.files[i] = (struct apply_file){ kinds[i], now[i], now[i], false, false };
	here = run_here(a, p, run, f, &plan);
	fragment_make(a, p, &here);
	for (size_t i = 0; i < plan.n_files; i++) {
		for (size_t j = 0; j < here.n_files; j++) {
			if (strcmp(here.files[j].path, kinds[i]->path) == 0 &&
			    !put_file(a, &plan.files[i], &here.files[j], e))
				return false;
		}
	}
	plan.conflicts = apply_conflicts(a, p, f, &plan.files[0].wanted, &plan.n_conflicts);
	*out = plan;
	return true;
}

bool
apply_pending(const struct apply_plan *plan)
{
	bool pending = plan->n_values != 0;

	for (size_t i = 0; i < plan->n_files; i++)
		pending = pending || plan->files[i].changes;
	return pending;
}

/* ---- who else sets it ------------------------------------------------------------------------ */

static bool
is_ours(const struct source_line *l, const char *path, double begin, double end)
{
	return strcmp(l->file, path) == 0 && l->line >= begin && l->line <= end;
}

/* The lines of a text as lines of the file. */
static void
add_lines(struct arena *a, const struct persist_file *kind, const struct diff_text *text,
    struct facts *f)
{
	size_t n;
	struct fragment_setting *s = fragment_read(a, kind, text->text, text->len, &n);

	for (size_t i = 0; i < n; i++)
		*(struct source_line *)arena_push(a, &f->sources, &f->n_sources,
		    sizeof(*f->sources)) =
		    (struct source_line){ kind->path, s[i].line, s[i].name, s[i].value };
}

static double
lines_before(const char *text, size_t len)
{
	double n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

/* The facts as they would be with our text in place. */
static struct facts
facts_with(struct arena *a, const struct profile *p, const struct facts *f,
    const struct diff_text *text)
{
	const struct persist_file *kind = &p->persist.settings;
	struct facts with = *f;
	bool done = false;

	with.sources = NULL;
	with.n_sources = 0;
	for (size_t i = 0; i < f->n_sources; i++) {
		const struct source_line *l = &f->sources[i];

		if (strcmp(l->file, kind->path) != 0) {
			*(struct source_line *)arena_push(a, &with.sources, &with.n_sources,
			    sizeof(*l)) = *l;
		} else if (!done) {
			add_lines(a, kind, text, &with); /* at its place in the order */
			done = true;
		}
	}
	if (!done)
		add_lines(a, kind, text, &with);
	return with;
}

static void
find_conflicts(struct arena *a, const struct profile *p, const struct facts *with,
    const struct source_line *mine, double begin, double end, struct apply_conflict **all,
    size_t *n)
{
	const struct source_line *last = hazards_effective(p, with, mine->name);

	for (size_t i = 0; i < with->n_sources; i++) {
		const struct source_line *l = &with->sources[i];

		if (strcmp(l->name, mine->name) != 0 || l->value == NULL || mine->value == NULL ||
		    is_ours(l, mine->file, begin, end) ||
		    hazards_same_value(l->value, mine->value))
			continue;
		*(struct apply_conflict *)arena_push(a, all, n, sizeof(**all)) =
		    (struct apply_conflict){ l->name,
			arena_printf(a, "%s:%.0f", l->file, l->line), l->value, l == last };
	}
}

struct apply_conflict *
apply_conflicts(struct arena *a, const struct profile *p, const struct facts *f,
    const struct diff_text *settings, size_t *n)
{
	struct facts with = facts_with(a, p, f, settings);
	struct apply_conflict *all = NULL;
	struct err e = { ERR_NONE, "" };
	const char *path = p->persist.settings.path;
	double first = 1, last = INFINITY;
	size_t begin, end;

	*n = 0;
	if (settings->text == NULL)
		return NULL;
	if (fragment_block(path, settings->text, settings->len, &begin, &end, &e) && end != 0) {
		first = lines_before(settings->text, begin) + 1;
		last = lines_before(settings->text, end);
	}
	for (size_t i = 0; i < with.n_sources; i++) {
		if (is_ours(&with.sources[i], path, first, last))
			find_conflicts(a, p, &with, &with.sources[i], first, last, &all, n);
	}
	return all;
}

/* ---- in words -------------------------------------------------------------------------------- */

char *
apply_diff(struct arena *a, const struct apply_plan *plan)
{
	struct text t = { .arena = a };

	text_bytes(&t, "", 0);
	for (size_t i = 0; i < plan->n_files; i++) {
		const struct apply_file *f = &plan->files[i];

		if (f->changes)
			text_add(&t, "%s", diff_unified(a, f->kind->path, f->now, f->wanted));
	}
	return t.s;
}

char *
apply_words(struct arena *a, const struct apply_plan *plan)
{
	struct text t = { .arena = a };

	text_bytes(&t, "", 0);
	for (size_t i = 0; i < plan->n_values; i++)
		text_add(&t, "to set %s: %s -> %s\n", plan->values[i].name, plan->values[i].old,
		    plan->values[i].new);
	for (size_t i = 0; i < plan->n_conflicts; i++) {
		const struct apply_conflict *c = &plan->conflicts[i];

		text_add(&t, c->wins ? "%s sets %s to %s as well and is read later: at boot it "
		    "wins, remove it\n" : "%s sets %s to %s as well; it is read earlier and has "
		    "no effect\n", c->where, c->name, c->value);
	}
	for (size_t i = 0; i < plan->n_notes; i++)
		text_add(&t, "%s\n", plan->notes[i]);
	text_disarm(t.s);
	return t.s;
}
