#include "settings_apply.h"

#include "profile.h"
#include "settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *
settings_with_field(struct arena *a, const char *text, double field, double value)
{
	struct text t = { .arena = a };
	char *copy = arena_strdup(a, text), *save = NULL;
	unsigned at = 1;

	if (isnan(field))
		return arena_printf(a, "%.0f", value);
	for (char *w = strtok_r(copy, " \t", &save); w != NULL;
	     w = strtok_r(NULL, " \t", &save), at++) {
		if (t.len != 0)
			text_bytes(&t, " ", 1);
		if (at == (unsigned)field)
			text_add(&t, "%.0f", value);
		else
			text_bytes(&t, w, strlen(w));
	}
	return t.s;
}

double
settings_field(const char *text, double field)
{
	char *end;
	double v;

	for (unsigned at = 1; !isnan(field) && at < (unsigned)field; at++) {
		text += strspn(text, " \t");
		text += strcspn(text, " \t");
	}
	v = strtod(text, &end);
	return end == text || (*end != '\0' && *end != ' ' && *end != '\t') ? NAN : v;
}

bool
settings_settable(const struct facts *f, const struct knob *k)
{
	const struct knob_fact *fact = facts_knob(f, k->name);

	return fact != NULL && fact->writable && !isnan(fact->now) &&
	    (isnan(k->field) ||
		(fact->text != NULL && settings_field(fact->text, k->field) == fact->now));
}

const struct knob *
settings_role(const struct profile *p, const struct facts *f, enum knob_role role)
{
	for (size_t i = 0; i < p->n_knobs; i++) {
		if (p->knobs[i].role == role &&
		    profile_in_range(&p->knobs[i].range, f->release, f->arch))
			return &p->knobs[i];
	}
	return NULL;
}

const struct knob *
settings_knob(const struct profile *p, const struct facts *f, const char *name)
{
	for (size_t i = 0; i < p->n_knobs; i++) {
		if (strcmp(p->knobs[i].name, name) == 0 &&
		    profile_in_range(&p->knobs[i].range, f->release, f->arch))
			return &p->knobs[i];
	}
	return NULL;
}

void
settings_apply(struct arena *a, const struct profile *p, struct facts *f,
    const struct change_line *l)
{
	const struct knob *k = settings_knob(p, f, l->name);
	struct knob_fact *fact = NULL;

	if (k == NULL)
		return;
	for (size_t i = 0; i < f->n_knobs; i++) {
		if (strcmp(f->knobs[i].name, l->name) == 0)
			fact = &f->knobs[i];
	}
	if (fact == NULL) {
		fact = arena_push(a, &f->knobs, &f->n_knobs, sizeof(*fact));
		*fact = (struct knob_fact){ l->name, NULL, NAN, k->min, k->max, true, NULL };
	}
	fact->text = l->new;
	fact->now = settings_field(l->new, k->field);
}

struct facts
settings_copy(struct arena *a, const struct facts *f)
{
	struct facts out = *f;

	out.knobs = NULL;
	out.n_knobs = 0;
	for (size_t i = 0; i < f->n_knobs; i++)
		*(struct knob_fact *)arena_push(a, &out.knobs, &out.n_knobs,
		    sizeof(*out.knobs)) = f->knobs[i];
	return out;
}

struct facts
settings_applied(struct arena *a, const struct profile *p, const struct facts *f,
    const struct change_line *lines, size_t n)
{
	struct facts out = settings_copy(a, f);

	for (size_t i = 0; i < n; i++)
		settings_apply(a, p, &out, &lines[i]);
	return out;
}

bool
settings_is_module(const struct change_line *l)
{
	return strcmp(l->name, "module") == 0;
}

bool
settings_is_of_interface(const struct change_line *l)
{
	return strchr(l->name, ' ') != NULL;
}
