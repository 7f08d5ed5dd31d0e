#include "fragment_keep.h"
#include "offloads.h"
#include "profile.h"
#include "settings_apply.h"

#include <math.h>
#include <string.h>

#define REASON "kept: this file set it already"

struct keeping {
	struct arena *arena;
	const struct profile *p;
	const struct run *run;
	struct change_line *lines;
	size_t n;
};

static void
add(struct keeping *k, struct change_line line)
{
	*(struct change_line *)arena_push(k->arena, &k->lines, &k->n, sizeof(line)) = line;
}

/* The last line of the file that sets the knob: what the file says. */
static const struct source_line *
line_in_file(const struct keeping *k, const char *knob)
{
	const struct facts *f = &k->run->facts;
	const char *path = k->p->persist.settings.path;
	const struct source_line *last = NULL;

	for (size_t i = 0; path != NULL && i < f->n_sources; i++) {
		const struct source_line *l = &f->sources[i];

		if (strcmp(l->file, path) == 0 && strcmp(l->name, knob) == 0 &&
		    (last == NULL || !(l->line < last->line)))
			last = l;
	}
	return last;
}

static bool
usable(const struct knob *k, const char *text)
{
	double v;

	if (text == NULL || *text == '\0')
		return false;
	if (strcmp(k->unit, "name") == 0)
		return true;
	v = settings_field(text, k->field);
	return v >= k->min && v <= k->max;
}

/* NULL: neither value is one to keep. */
static const char *
value_to_keep(const struct knob *k, const char *runs, const char *says)
{
	bool size = strcmp(k->unit, "bytes") == 0 || strcmp(k->unit, "count") == 0;

	if (!usable(k, runs))
		return usable(k, says) ? says : NULL;
	if (size && usable(k, says) &&
	    settings_field(says, k->field) > settings_field(runs, k->field))
		return says;
	return runs;
}

/* A default control or stack that is a module is there at boot only when that is loaded. */
static void
keep_module(struct keeping *k, const struct knob *knob, const char *name)
{
	const struct substitution s[] = { { "name", name }, { NULL, NULL } };
	const struct facts *f = &k->run->facts;

	if (knob->role == ROLE_CONGESTION && k->p->congestion.module != NULL &&
	    (strings_have(f->cc_modules, f->n_cc_modules, name) ||
		strings_have(f->cc_loadable, f->n_cc_loadable, name)))
		add(k,
		    (struct change_line){ "module", NULL,
			profile_expand(k->arena, k->p->congestion.module, s),
			"kept: this congestion control is a module", true });
	if (knob->role == ROLE_STACK && k->p->stacks.module != NULL &&
	    strings_have(k->p->stacks.candidates, k->p->stacks.n_candidates, name))
		add(k,
		    (struct change_line){ "module", NULL,
			profile_expand(k->arena, k->p->stacks.module, s),
			"kept: this TCP stack is a module", true });
}

static bool
is_extra(const struct profile *p, const char *knob)
{
	for (size_t i = 0; i < p->n_extras; i++) {
		for (size_t j = 0; j < p->extras[i].n_sets; j++) {
			const char *set = p->extras[i].sets[j].knob;

			if (set != NULL && strcmp(set, knob) == 0)
				return true;
		}
	}
	return false;
}

/* Whether pathtune may have set it: what else stands in a file of others is their business. */
static bool
may_be_ours(const struct profile *p, const struct knob *knob)
{
	if (knob->role == ROLE_FLUSH)
		return false;
	if (knob->role != ROLE_WATCH || p->persist.settings.style == STYLE_OWN)
		return true;
	for (size_t i = 0; i < p->n_requires; i++) {
		if (strcmp(p->requires[i].knob, knob->name) == 0)
			return true;
	}
	return is_extra(p, knob->name);
}

static void
keep(struct keeping *k, const struct knob *knob)
{
	const struct facts *f = &k->run->facts;
	const struct source_line *l = line_in_file(k, knob->name);
	const struct knob_fact *fact = facts_knob(f, knob->name);
	const char *runs = fact == NULL ? NULL : fact->text, *value;

	/* What this kernel does not have is not worth a line that fails. */
	if (l == NULL || !may_be_ours(k->p, knob) ||
	    !profile_in_range(&knob->range, f->release, f->arch) ||
	    (knob->optional && fact != NULL && runs == NULL))
		return;
	value = value_to_keep(knob, runs, l->value);
	if (value == NULL)
		return;
	add(k, (struct change_line){ knob->name, NULL, value, REASON, true });
	keep_module(k, knob, value);
}

static bool
is_decided(const struct keeping *k, const char *knob)
{
	const struct decision *d = &k->run->decision;

	for (size_t i = 0; i < d->n_settings; i++) {
		if (strcmp(d->settings[i].name, knob) == 0)
			return true;
	}
	return false;
}

/* Of the profile's knobs from *at to the one before this name; all where it is none of theirs. */
static void
keep_before(struct keeping *k, const char *name, size_t *at)
{
	size_t end = *at;

	while (end < k->p->n_knobs && strcmp(k->p->knobs[end].name, name) != 0)
		end++;
	/* Not ahead: a module, or a line that is out of order. */
	if (end == k->p->n_knobs && *name != '\0')
		return;
	for (; *at < end; (*at)++) {
		if (!is_decided(k, k->p->knobs[*at].name))
			keep(k, &k->p->knobs[*at]);
	}
}

/* An interface's offloads are in a file of their own, which says nothing of the settings. */
static bool
any_setting(const struct profile *p, const struct decision *d)
{
	for (size_t i = 0; i < d->n_settings; i++) {
		if (p->persist.offloads.path == NULL || !offload_is_line(d->settings[i].name))
			return true;
	}
	return false;
}

struct change_line *
fragment_lines(struct arena *a, const struct profile *p, const struct run *run, size_t *n)
{
	struct keeping k = { .arena = a, .p = p, .run = run };
	const struct decision *d = &run->decision;
	bool any = any_setting(p, d);
	size_t at = 0;

	for (size_t i = 0; i < d->n_settings; i++) {
		if (any)
			keep_before(&k, d->settings[i].name, &at);
		add(&k, d->settings[i]);
	}
	if (any)
		keep_before(&k, "", &at);
	*n = k.n;
	return k.lines;
}
