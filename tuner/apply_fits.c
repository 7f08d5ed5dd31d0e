/*
 * Does a run fit a host?  Part of apply.h.
 */
#include "apply.h"
#include "hazards.h"
#include "offloads.h"
#include "profile.h"
#include "settings_apply.h"

#include <math.h>
#include <string.h>

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

/* One of another interface is left out later, with a note. */
static bool
offload_fits(const struct facts *f, const struct change_line *l, const char *file, struct err *e)
{
	const struct offload *o = offload_found(f, l->name);

	if (offload_is_line(l->name) && !offload_value_ok(l->new))
		return fail(e, ERR_FAILED, "%s: %.60s can be on or off, not %.60s", file, l->name,
		    l->new);
	return o == NULL || !o->fixed || (o->state != NULL && strcmp(o->state, l->new) == 0) ||
	    fail(e, ERR_FAILED, "%s: cannot be set: it is fixed here", l->name);
}

static bool
line_fits(struct arena *a, const struct profile *p, const struct facts *f, const struct run *run,
    const struct change_line *l, const char *file, struct err *e)
{
	const struct knob_fact *k = facts_knob(f, l->name);

	if (l->new == NULL || *l->new == '\0')
		return fail(e, ERR_FAILED, "%s: no value for %.60s", file, l->name);
	if (settings_is_of_interface(l))
		return offload_fits(f, l, file, e);
	if (settings_is_module(l))
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

struct run
apply_without_offloads(struct arena *a, const struct run *run)
{
	struct run without = *run;

	without.decision.settings = NULL;
	without.decision.n_settings = 0;
	for (size_t i = 0; i < run->decision.n_settings; i++) {
		const struct change_line *l = &run->decision.settings[i];

		if (!offload_is_line(l->name))
			*(struct change_line *)arena_push(a, &without.decision.settings,
			    &without.decision.n_settings, sizeof(*l)) = *l;
	}
	return without;
}
