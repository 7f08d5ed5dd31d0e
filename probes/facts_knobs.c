/*
 * facts_knobs: the values of the profile's knobs, and whether they can be set.
 */
#include "facts_ask.h"

#include "facts_answer.h"

#include <math.h>
#include <string.h>

/* Knobs of other releases are not there; reading one that flushes means nothing. */
static bool
is_here(const struct probe *p, const struct knob *k)
{
	return k->role != ROLE_FLUSH &&
	    profile_in_range(&k->range, p->facts->release, p->facts->arch);
}

/* argv that reads a knob; NULL: its file does. */
static const char **
read_argv(const struct probe *p, const struct knob *k)
{
	const struct substitution of[] = { { "name", k->name }, { NULL, NULL } };

	return k->file != NULL ? NULL :
	    profile_argv(p->arena, p->profile->knob_read, p->profile->n_knob_read, of);
}

/* argv that tries whether a knob can be written; NULL: there is none. */
static const char **
writable_argv(const struct probe *p, const struct knob *k)
{
	const struct substitution of[] = { { "file", k->file }, { NULL, NULL } };

	return p->profile->n_writable == 0 || k->file == NULL ? NULL :
	    profile_argv(p->arena, p->profile->writable, p->profile->n_writable, of);
}

void
facts_ask_knobs(struct probe *p)
{
	/* Ahead the release is not known yet, and to wait for it would cost a round. */
	bool all = p->ahead && p->facts->release == NULL;
	size_t i;

	for (i = 0; i < p->profile->n_knobs; i++) {
		const struct knob *k = &p->profile->knobs[i];

		if (k->role == ROLE_FLUSH || !(all || is_here(p, k)))
			continue;
		facts_ask(p, read_argv(p, k), k->file);
		facts_ask(p, writable_argv(p, k), NULL);
	}
}

/* May knobs of this scope be set from where we are? */
static bool
in_scope(const struct facts *f, enum knob_scope scope)
{
	if (f->writable_scopes == NULL || strcmp(f->writable_scopes, "all") == 0)
		return true;
	return scope == SCOPE_NAMESPACE && strcmp(f->writable_scopes, "namespace") == 0;
}

static void
take_writable(const struct probe *p, const struct knob *k, struct knob_fact *f)
{
	const struct output *o = facts_said(p, writable_argv(p, k), NULL);
	bool allowed = o != NULL ? o->status == 0 : in_scope(p->facts, k->scope);

	f->writable = k->scope != SCOPE_LOADER && allowed && (o != NULL || p->facts->privileged);
	if (f->writable)
		return;
	if (k->scope == SCOPE_LOADER)
		f->why = "fixed at boot";
	else if (!p->facts->privileged)
		f->why = "needs root";
	else if (o != NULL && o->status < 0)
		f->why = o->why;
	else
		f->why = "read-only here (container or namespace)";
}

/*
 * Some kernels lack it: the question was answered, with an error, or with nothing where sysctl(8)
 * calls an unknown name no failure.
 */
static bool
is_absent(const struct knob *k, const struct output *o)
{
	return k->optional && (o->status > 0 || (o->status == 0 && o->len == 0));
}

static void
take_knob(struct probe *p, const struct knob *k, const struct output *o)
{
	struct knob_fact *f =
	    arena_push(p->arena, &p->facts->knobs, &p->facts->n_knobs, sizeof(*f));
	const char *why;

	f->name = k->name;
	f->now = NAN;
	f->min = k->min;
	f->max = k->max;
	if (is_absent(k, o)) {
		f->why = "this kernel does not have it";
	} else if (answer_knob(p->arena, k, o, f, &why)) {
		take_writable(p, k, f);
	} else {
		f->why = why;
		facts_unknown(p->arena, p->facts, k->name, why);
	}
}

void
facts_take_knobs(struct probe *p)
{
	const struct output *o;
	size_t i;

	for (i = 0; i < p->profile->n_knobs; i++) {
		const struct knob *k = &p->profile->knobs[i];

		o = is_here(p, k) ? facts_said(p, read_argv(p, k), k->file) : NULL;
		if (o != NULL)
			take_knob(p, k, o);
	}
}
