/*
 * profile_check_nic: what must hold of a profile's interfaces and the files that name them.
 */
#include "profile_check.h"

#include "profile.h"

#include <math.h>
#include <string.h>

static bool
check_group(const struct check *c, const char *key, const char *pattern)
{
	struct err why = { 0 };

	return pattern == NULL || profile_pattern_check(pattern, "", &why) ||
	    check_wrong(c, key, why.text);
}

static bool
check_driver(const struct check *c, const struct nic_system *s, size_t i)
{
	const struct nic_driver *d = &s->drivers[i];

	if (d->interface == NULL && s->stays == NULL)
		return check_wrong(c, "interface", "is missing, and no stays says that names stay");
	for (size_t j = 0; j < i; j++) {
		if (strcmp(s->drivers[j].model, d->model) == 0 &&
		    strcmp(s->drivers[j].driver, d->driver) == 0)
			return check_wrong(c, "driver", "this model has it already");
	}
	return check_argv(c, "check", d->check, d->n_check, "");
}

static bool
check_place(const struct check *c, const struct nic_file *f)
{
	static const char known[] = "old new file renamed";

	if (f->n_both == 0 && f->n_swap == 0 && f->words == NULL)
		return check_wrong(c, "words", "is missing, and neither both nor swap is given");
	if (f->n_both != 0 && f->n_swap != 0)
		return check_wrong(c, "swap", "cannot be given together with both");
	if ((f->n_swap == 0) != (f->n_undo == 0))
		return check_wrong(c, "undo", "belongs to swap, and swap needs it");
	return check_file(c, "path", f->path, "old") && check_group(c, "pattern", f->pattern) &&
	    check_argv(c, "both", f->both, f->n_both, known) &&
	    check_argv(c, "swap", f->swap, f->n_swap, known) &&
	    check_argv(c, "undo", f->undo, f->n_undo, known);
}

static bool
check_elements(const struct check *c, const struct nic_system *s)
{
	struct check at = *c;
	const struct node *list = check_child(c->map, "drivers");

	at.map = list == NULL ? NULL : list->child;
	for (size_t i = 0; i < s->n_drivers && at.map != NULL; i++, at.map = at.map->next) {
		if (!check_driver(&at, s, i))
			return false;
	}
	list = check_child(c->map, "places");
	at.map = list == NULL ? NULL : list->child;
	for (size_t i = 0; i < s->n_places && at.map != NULL; i++, at.map = at.map->next) {
		if (!check_place(&at, &s->places[i]))
			return false;
	}
	return true;
}

bool
check_nic(struct check *c, const struct node *root, const struct nic_system *s)
{
	c->map = check_child(root, "nic");
	if (c->map == NULL)
		return true;
	if ((s->n_interfaces == 0) != (s->names == NULL))
		return check_wrong(c, "names", "and interfaces belong together");
	if ((s->n_rename == 0) != (s->n_unrename == 0))
		return check_wrong(c, "unrename", "and rename belong together");
	if (isfinite(s->slot_base) && s->slot_base != 10 && s->slot_base != 16)
		return check_wrong(c, "slot_base", "must be 10 or 16");
	return check_group(c, "names", s->names) && check_group(c, "slot", s->slot) &&
	    check_argv(c, "interfaces", s->interfaces, s->n_interfaces, "") &&
	    check_argv(c, "lines", s->lines, s->n_lines, "") &&
	    check_argv(c, "files", s->files, s->n_files, "") &&
	    check_argv(c, "rename", s->rename, s->n_rename, "old new") &&
	    check_argv(c, "unrename", s->unrename, s->n_unrename, "old new") &&
	    check_argv(c, "off", s->off, s->n_off, "") && check_elements(c, s);
}
