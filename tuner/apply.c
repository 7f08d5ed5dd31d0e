#include "apply.h"
#include "fragment.h"
#include "hazards.h"
#include "profile.h"

#include <math.h>
#include <string.h>

/* ---- does the run fit? ----------------------------------------------------------------------- */

static bool
alike(const struct range *r, const char *was, const char *is, const char *arch)
{
	return profile_in_range(r, was, arch) == profile_in_range(r, is, arch);
}

/* What the profile says of one release it says of the other. */
static bool
same_family(const struct profile *p, const char *was, const char *is, const char *arch)
{
	bool same = true;

	for (size_t i = 0; i < p->n_knobs; i++) {
		const struct knob *k = &p->knobs[i];

		same = same && alike(&k->range, was, is, arch);
		for (size_t j = 0; j < k->n_defaults; j++)
			same = same && alike(&k->defaults[j].range, was, is, arch);
	}
	for (size_t i = 0; i < p->n_windows; i++)
		same = same && alike(&p->windows[i].range, was, is, arch);
	for (size_t i = 0; i < p->n_scales; i++)
		same = same && alike(&p->scales[i].range, was, is, arch);
	for (size_t i = 0; i < p->n_requires; i++)
		same = same && alike(&p->requires[i].range, was, is, arch);
	return same;
}

static const struct knob *
knob_of(const struct profile *p, const struct facts *f, const char *name)
{
	for (size_t i = 0; i < p->n_knobs; i++) {
		if (strcmp(p->knobs[i].name, name) == 0 && p->knobs[i].role != ROLE_FLUSH &&
		    profile_in_range(&p->knobs[i].range, f->release, f->arch))
			return &p->knobs[i];
	}
	return NULL;
}

static bool
is_module(const struct change_line *l)
{
	return strcmp(l->name, "module") == 0;
}

/* An offload or a queue of an interface (extras.h), which no file of settings holds. */
static bool
is_of_interface(const struct change_line *l)
{
	return strchr(l->name, ' ') != NULL;
}

/* A run file is only a text: the module that it names is to be the one of what it sets. */
static bool
module_fits(struct arena *a, const struct profile *p, const struct run *run,
    const struct change_line *module)
{
	const struct knob *cc = profile_knob(p, ROLE_CONGESTION);

	for (size_t i = 0; cc != NULL && i < run->decision.n_settings; i++) {
		const struct change_line *l = &run->decision.settings[i];
		const struct substitution s[] = { { "name", l->new }, { NULL, NULL } };

		if (strcmp(l->name, cc->name) == 0 && p->congestion.module != NULL &&
		    strcmp(profile_expand(a, p->congestion.module, s), module->new) == 0)
			return true;
	}
	return false;
}

/* It becomes a part of a module's name, which some loaders take for a path. */
static bool
is_plain_name(const char *s)
{
	static const char plain[] = "0123456789_-abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return *s != '-' && strspn(s, plain) == strlen(s);
}

static bool
line_fits(struct arena *a, const struct profile *p, const struct facts *f, const struct run *run,
    const struct change_line *l, const char *file, struct err *e)
{
	const struct knob_fact *k = facts_knob(f, l->name);

	if (l->new == NULL || *l->new == '\0')
		return fail(e, ERR_FAILED, "%s: no value for %.60s", file, l->name);
	if (is_of_interface(l))
		return true;
	if (is_module(l))
		return module_fits(a, p, run, l) || fail(e, ERR_FAILED,
		    "%s: the module %.60s is not that of a congestion control it sets", file,
		    l->new);
	if (knob_of(p, f, l->name) == NULL)
		return fail(e, ERR_FAILED, "%s: sets %.60s, which is no knob of %s %s", file,
		    l->name, p->sysname, f->release == NULL ? "" : f->release);
	if (knob_of(p, f, l->name)->role == ROLE_CONGESTION && !is_plain_name(l->new))
		return fail(e, ERR_FAILED, "%s: %.60s is not the name of a congestion control",
		    file, l->new);
	if (k == NULL || k->text == NULL)
		return fail(e, ERR_FAILED, "%s: sets %.60s, which this host does not have%s%s",
		    file, l->name, k == NULL || k->why == NULL ? "" : ": ",
		    k == NULL || k->why == NULL ? "" : k->why);
	if (!k->writable && !hazards_same_value(k->text, l->new))
		return fail(e, ERR_FAILED, "%s: cannot be set: %s", l->name,
		    k->why == NULL ? "read-only" : k->why);
	return true;
}

/* Of two values of one knob only one could hold. */
static bool
check_twice(const struct run *run, size_t i, const char *file, struct err *e)
{
	const struct change_line *l = run->decision.settings;

	for (size_t j = 0; j < i; j++) {
		if (strcmp(l[i].name, l[j].name) == 0 && strcmp(l[i].new, l[j].new) != 0)
			return fail(e, ERR_FAILED, "%s: sets %.60s twice", file, l[i].name);
	}
	return true;
}

bool
apply_fits(struct arena *a, const struct profile *p, const struct facts *f, const struct run *run,
    const char *file, struct err *e)
{
	const char *was = run->facts.release;

	if (run->facts.os == NULL || f->os == NULL || strcmp(run->facts.os, f->os) != 0)
		return fail(e, ERR_USAGE, "%s: is a run of %s%s%s, this host runs %s", file,
		    run->facts.os == NULL ? "an unknown system" : run->facts.os,
		    was == NULL ? "" : " ", was == NULL ? "" : was,
		    f->os == NULL ? "an unknown system" : f->os);
	if (was != NULL && f->release != NULL && !same_family(p, was, f->release, f->arch))
		return fail(e, ERR_USAGE, "%s: is a run of %s %s; %s has other defaults or knobs: "
		    "run pathtune again", file, f->os, was, f->release);
	if (run->decision.verdict == VERDICT_NONE)
		return fail(e, ERR_FAILED, "%s: holds no decision: its run was not finished", file);
	for (size_t i = 0; i < run->decision.n_settings; i++) {
		if (!line_fits(a, p, f, run, &run->decision.settings[i], file, e) ||
		    !check_twice(run, i, file, e))
			return false;
	}
	return true;
}

/* ---- the plan -------------------------------------------------------------------------------- */

size_t
apply_kinds(const struct profile *p, const struct persist_file *kinds[2])
{
	kinds[0] = &p->persist.settings;
	kinds[1] = &p->persist.modules;
	return p->persist.modules.path == NULL ? 1 : 2;
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
	return run->advice.n_paths == 0 && !is_module(l) && !l->verified;
}

static void
take_lines(struct arena *a, const struct run *run, const bool *held, struct apply_plan *plan)
{
	for (size_t i = 0; i < run->decision.n_settings; i++) {
		const struct change_line *l = &run->decision.settings[i];

		if (held != NULL && !held[i])
			continue;
		if (is_of_interface(l))
			note(a, plan, arena_printf(a, "%s = %s is left out: apply sets nothing of "
			    "interfaces", l->name, l->new));
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
		const struct knob_fact *k = facts_knob(f, l->name);

		if (k != NULL && k->text != NULL && !hazards_same_value(k->text, l->new))
			*(struct undo_value *)arena_push(a, &plan->values, &plan->n_values,
			    sizeof(*plan->values)) =
			    (struct undo_value){ l->name, k->text, l->new };
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

/* What fragment_make() says of these lines on this host. */
static struct run
run_here(const struct run *run, const struct facts *f, const struct apply_plan *plan)
{
	struct run here = *run;

	here.facts = *f;
	here.facts.peer = run->facts.peer;
	here.facts.rtt_ms = run->facts.rtt_ms;
	here.decision.settings = plan->lines;
	here.decision.n_settings = plan->n_lines;
	here.files = NULL;
	here.n_files = 0;
	return here;
}

bool
apply_make(struct arena *a, const struct profile *p, const struct facts *f, const struct run *run,
    const struct diff_text *now, const bool *held, struct apply_plan *out, struct err *e)
{
	struct apply_plan plan = { .lines = NULL };
	const struct persist_file *kinds[2];
	struct run here;

	take_lines(a, run, held, &plan);
	if (run->decision.n_settings == 0)
		note(a, &plan, "this run keeps what is there: it sets nothing");
	if (facts_why_unknown(f, "sources") != NULL)
		note(a, &plan, arena_printf(a, "what other files set at boot is not known (%s): "
		    "one of them may have the last word", facts_why_unknown(f, "sources")));
	take_values(a, f, &plan);
	here = run_here(run, f, &plan);
	fragment_make(a, p, &here);
	plan.n_files = apply_kinds(p, kinds);
	for (size_t i = 0; i < plan.n_files; i++) {
		plan.files[i] = (struct apply_file){ kinds[i], now[i], now[i], false, false };
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
