/* nic_places: the files that name an interface, and how each comes to serve another name. */
#include "nic_plan_state.h"

#include "match.h"
#include "profile.h"

#include <string.h>

/* Of a place: the name of the file itself, a directory above it, or the root. */
static bool
path_fits(struct making *m, const struct nic_file *f, const char *file)
{
	const struct substitution s[] = { { "old", m->plan->old_name }, { NULL, NULL } };
	const char *path = profile_expand(m->arena, f->path, s);
	size_t n = path == NULL ? 0 : strlen(path);

	if (n == 0 || strncmp(file, path, n) != 0)
		return false;
	return file[n] == '\0' || file[n] == '/' || path[n - 1] == '/';
}

static const struct nic_file *
entry_for(struct making *m, const struct nic_name *name)
{
	const struct nic_system *s = &m->profile->nic;

	for (size_t i = 0; i < s->n_places; i++) {
		const struct nic_file *f = &s->places[i];

		if (path_fits(m, f, name->file) &&
		    (f->pattern == NULL || (name->text != NULL &&
			match_first(m->arena, f->pattern, name->text, strlen(name->text)) != NULL)))
			return f;
	}
	return NULL;
}

/* A way of a pathname by which the new interface is served: the last old in it becomes new. */
static const char *
renamed(struct making *m, const char *file)
{
	const char *at = NULL, *old = m->plan->old_name;

	for (const char *s = file; (s = strstr(s, old)) != NULL; s++)
		at = s;
	if (at == NULL)
		return file;
	return arena_printf(m->arena, "%.*s%s%s", (int)(at - file), file, m->plan->new_name,
	    at + strlen(old));
}

const char **
plan_expanded(struct making *m, const char **argv, size_t n, const char *file)
{
	const struct substitution s[] = { { "old", m->plan->old_name },
		{ "new", m->plan->new_name }, { "file", file == NULL ? "" : file },
		{ "renamed", file == NULL ? "" : renamed(m, file) }, { NULL, NULL } };

	return n == 0 ? NULL : profile_argv(m->arena, argv, n, s);
}

/* The same command serves all lines of a file. */
static bool
listed(const struct nic_action *list, size_t n, const char **argv)
{
	size_t len = plan_argv_length(argv);

	for (size_t i = 0; i < n; i++) {
		size_t j = 0;

		while (j < len && j < list[i].n_argv && strcmp(list[i].argv[j], argv[j]) == 0)
			j++;
		if (j == len && j == list[i].n_argv)
			return true;
	}
	return false;
}

static void
command_once(struct making *m, struct nic_action **list, size_t *n, const char **argv,
    const char *words)
{
	if (argv != NULL && !listed(*list, *n, argv))
		plan_command(m, list, n, argv, words);
}

static const char *
status_of(const struct making *m, const struct nic_file *f)
{
	if (strcmp(m->plan->old_name, m->plan->new_name) == 0 || m->rename)
		return f != NULL && f->n_both == 0 && f->n_swap == 0 ? "look" : "stays";
	return f == NULL ? "look" : f->n_both != 0 ? "both" : f->n_swap != 0 ? "swap" : "look";
}

static void
add_place(struct making *m, const struct nic_name *name)
{
	const struct nic_file *f = entry_for(m, name);
	const char *status = status_of(m, f);
	struct nic_plan *x = m->plan;

	*(struct nic_place *)arena_push(m->arena, &x->places, &x->n_places, sizeof(*x->places)) =
	    (struct nic_place){ name->file, name->line, name->text, status,
		    f == NULL || strcmp(status, "stays") == 0 ? NULL : f->words };
	if (f == NULL)
		return;
	if (strcmp(status, "both") == 0)
		command_once(m, &x->prepare, &x->n_prepare,
		    plan_expanded(m, f->both, f->n_both, name->file), NULL);
	if (strcmp(status, "swap") == 0) {
		command_once(m, &x->last, &x->n_last,
		    plan_expanded(m, f->swap, f->n_swap, name->file), NULL);
		command_once(m, &x->back, &x->n_back,
		    plan_expanded(m, f->undo, f->n_undo, name->file), NULL);
	}
}

/* Some place cannot name both: better the new interface takes the old name, where that can be. */
static bool
wants_rename(struct making *m)
{
	const struct nic_system *s = &m->profile->nic;
	const struct facts *f = &m->run->facts;

	if (s->n_rename == 0 || strcmp(m->plan->old_name, m->plan->new_name) == 0)
		return false;
	for (size_t i = 0; i < f->n_names; i++) {
		const struct nic_file *e = entry_for(m, &f->names[i]);

		if (e == NULL || e->n_both == 0)
			return true;
	}
	return !plan_has_number(f->interface, m->from->interface);
}

void
plan_places(struct making *m)
{
	const struct nic_system *s = &m->profile->nic;
	const struct facts *f = &m->run->facts;
	struct nic_plan *x = m->plan;

	m->rename = wants_rename(m);
	for (size_t i = 0; i < f->n_names; i++)
		add_place(m, &f->names[i]);
	if (m->rename) {
		plan_command(m, &x->prepare, &x->n_prepare,
		    plan_expanded(m, s->rename, s->n_rename, NULL), arena_printf(m->arena,
		    "%s gets the name %s at boot, and every file stays as it is",
		    x->new_name, x->old_name));
		plan_command(m, &x->back, &x->n_back,
		    plan_expanded(m, s->unrename, s->n_unrename, NULL), NULL);
	}
	if (f->n_names == 0 && strcmp(x->old_name, x->new_name) != 0 && s->n_lines != 0)
		plan_note(m, arena_printf(m->arena, "No file that was looked at names %s: its "
		    "address may come from elsewhere. Look before you switch.", x->old_name));
}
