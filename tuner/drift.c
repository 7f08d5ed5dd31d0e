#include "drift.h"
#include "apply.h"
#include "fragment.h"
#include "hazards.h"
#include "offloads.h"
#include "settings_apply.h"

#include <string.h>

struct finder {
	struct arena *arena;
	const struct profile *p;
	const struct facts *f;
	const struct undo_level *level;
	const struct undo_now *offloads;
	struct hazard *found;
	size_t n;
};

static void
add(struct finder *d, const char *id, const char *subject, const char *where, const char *words)
{
	*(struct hazard *)arena_push(d->arena, &d->found, &d->n, sizeof(*d->found)) =
	    (struct hazard){ id, subject, where, words };
}

static void
find_value(struct finder *d, const struct undo_value *v)
{
	const char *now = offload_or_knob(d->f, v->name);

	if (now == NULL)
		add(d, "value-drift", v->name, NULL, "was applied, and cannot be read any more");
	else if (!hazards_same_value(now, v->new))
		add(d, "value-drift", v->name, NULL, arena_printf(d->arena,
		    "is %s, %s was applied; somebody else set it, or a file that is read at boot "
		    "did", now, v->new));
}

/* The first line that is not what we left; 0: only the end differs. */
static unsigned
first_line(const char *a, size_t n, const char *b, size_t m)
{
	unsigned line = 1;

	for (size_t i = 0; i < n && i < m && a[i] == b[i]; i++)
		line += a[i] == '\n';
	return line;
}

/* The part of a text that is ours. */
static bool
ours(const char *path, const char *text, size_t len, struct diff_text *out, unsigned *line)
{
	struct err e = { ERR_NONE, "" };
	size_t begin, end;

	if (!fragment_block(path, text, len, &begin, &end, &e) || end == 0)
		return false;
	*out = (struct diff_text){ text + begin, end - begin };
	*line = 0;
	for (size_t i = 0; i < begin; i++)
		*line += text[i] == '\n';
	return true;
}

static void
find_file(struct finder *d, const struct undo_file *f, const struct undo_now *now)
{
	struct diff_text left = { NULL, 0 }, there = { now->text, now->len };
	unsigned above = 0, ignored;

	left.text = undo_decode(d->arena, f->new, &left.len);
	if (now->text == NULL) {
		add(d, "file-drift", f->path, NULL, "is gone: the next boot will not set what was "
		    "applied");
		return;
	}
	if (f->block && (!ours(f->path, left.text, left.len, &left, &ignored) ||
		!ours(f->path, now->text, now->len, &there, &above))) {
		add(d, "file-drift", f->path, NULL, "pathtune's block is gone or damaged: the next "
		    "boot will not set what was applied");
		return;
	}
	if (left.len != there.len || memcmp(left.text, there.text, left.len) != 0)
		add(d, "file-drift", f->path, arena_printf(d->arena, "%s:%u", f->path,
		    above + first_line(left.text, left.len, there.text, there.len)),
		    "was edited since it was applied");
}

static bool
is_said(const struct finder *d, const char *subject)
{
	for (size_t i = 0; i < d->n; i++) {
		if (strcmp(d->found[i].subject, subject) == 0)
			return true;
	}
	return false;
}

/* Of those who say otherwise only he who is heard at boot is worth a finding. */
static void
find_boot(struct finder *d, const struct undo_value *v)
{
	const struct source_line *last = hazards_effective(d->p, d->f, v->name);

	if (offload_is_line(v->name)) {
		if (d->offloads == NULL || !offload_boots(d->arena, d->p, d->f, v->name, v->new,
			d->offloads->text, d->offloads->len))
			add(d, "not-persisted", v->name, NULL, "no file sets it at boot");
	} else if (last == NULL) {
		add(d, "not-persisted", v->name, NULL, "no file sets it at boot");
	} else if (last->value != NULL && !hazards_same_value(last->value, v->new)) {
		add(d, "boot-conflict", v->name, arena_printf(d->arena, "%s:%.0f", last->file,
		    last->line), arena_printf(d->arena, "sets it to %s at boot, %s was applied",
		    last->value, v->new));
	}
}

/* Of what is of an interface, offloads of ours can be kept. */
static bool
is_kept(const struct profile *p, const struct facts *f, const struct change_line *c)
{
	return !settings_is_of_interface(c) ||
	    (p->persist.offloads.path != NULL && offload_found(f, c->name) != NULL);
}

struct undo_level
drift_of_run(struct arena *a, const struct profile *p, const struct facts *f,
    const struct run *run)
{
	struct undo_level l = { .state = UNDO_APPLIED };

	for (size_t i = 0; i < run->decision.n_settings; i++) {
		const struct change_line *c = &run->decision.settings[i];

		if (!settings_is_module(c) && is_kept(p, f, c) && c->new != NULL &&
		    (c->verified || run->advice.n_paths != 0))
			*(struct undo_value *)arena_push(a, &l.values, &l.n_values,
			    sizeof(*l.values)) = (struct undo_value){ c->name, "", c->new };
	}
	return l;
}

struct hazard *
drift_find(struct arena *a, const struct profile *p, const struct facts *f,
    const struct undo_level *level, const struct undo_now *now, const struct undo_now *offloads,
    size_t *n)
{
	struct finder d = { .arena = a, .p = p, .f = f, .level = level, .offloads = offloads };
	const char *unread = facts_why_unknown(f, "sources");
	struct hazard *known;
	size_t n_known;

	for (size_t i = 0; level != NULL && i < level->n_values; i++)
		find_value(&d, &level->values[i]);
	for (size_t i = 0; level != NULL && i < level->n_files; i++)
		find_file(&d, &level->files[i], &now[i]);
	if (level != NULL && level->n_values != 0 && unread != NULL)
		add(&d, "boot-unknown", "files", NULL, arena_printf(a, "what is set at boot is not "
		    "known: %s", unread));
	for (size_t i = 0; level != NULL && i < level->n_values && unread == NULL; i++)
		find_boot(&d, &level->values[i]);
	hazards_find(a, p, f, &known, &n_known);
	for (size_t i = 0; i < n_known; i++) {
		bool twice = strcmp(known[i].id, "drift") == 0 ||
		    strcmp(known[i].id, "overridden") == 0;

		if (!twice || known[i].subject == NULL || !is_said(&d, known[i].subject))
			add(&d, known[i].id, known[i].subject, known[i].where, known[i].words);
	}
	*n = d.n;
	return d.found;
}
