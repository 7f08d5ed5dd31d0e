/*
 * The profile's own rules: all conditions must hold, and what is not known holds none.
 */
#include "hazards.h"
#include "profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a condition is about; text NULL: not known, number NAN: none. */
struct subject {
	const char *text;
	size_t len;
	double number;
};

static struct subject
of_text(const char *s)
{
	struct subject out = { s, s == NULL ? 0 : strlen(s), NAN };
	char *end = NULL;
	double v = s == NULL || *s == '\0' ? NAN : strtod(s, &end);

	if (end != NULL && *end == '\0')
		out.number = v;
	return out;
}

static struct subject
of_fact(const struct facts *f, const char *name)
{
	const struct field *d = facts_record.fields;
	const char *at;

	while (d->name != NULL && strcmp(d->name, name) != 0)
		d++;
	at = (const char *)f + d->offset;
	if (d->name != NULL && d->type == FIELD_STRING)
		return of_text(*(const char *const *)at);
	if (d->name != NULL && d->type == FIELD_BOOL)
		return of_text(*(const bool *)at ? "true" : "false");
	if (d->name != NULL && d->type == FIELD_NUMBER)
		return (struct subject){ NULL, 0, *(const double *)at };
	return of_text(NULL);
}

/* The knob's field, as text and as the number that was read. */
static struct subject
of_knob(const struct profile *p, const struct facts *f, const char *name)
{
	const struct knob_fact *fact = facts_knob(f, name);
	struct subject s = of_text(fact == NULL ? NULL : fact->text);

	for (size_t i = 0; s.text != NULL && i < p->n_knobs; i++) {
		if (strcmp(p->knobs[i].name, name) != 0 || isnan(p->knobs[i].field))
			continue;
		for (double field = 1; field < p->knobs[i].field; field++) {
			s.text += strcspn(s.text, " ");
			s.text += strspn(s.text, " ");
		}
		s.len = strcspn(s.text, " ");
	}
	if (s.text != NULL && !isnan(fact->now))
		s.number = fact->now;
	return s;
}

static struct subject
of_offload(const struct facts *f, const char *name)
{
	for (size_t i = 0; i < f->n_offloads; i++) {
		if (strcmp(f->offloads[i].name, name) == 0)
			return of_text(f->offloads[i].state);
	}
	return of_text(NULL);
}

/* The same text, or the same number: "0" is 0 however it is written. */
static bool
equals(const struct subject *s, const char *text)
{
	double number = of_text(text).number;

	if (s->text != NULL && s->len == strlen(text) && memcmp(s->text, text, s->len) == 0)
		return true;
	return !isnan(number) && s->number == number;
}

static bool
test_holds(const struct condition *c, const struct subject *s)
{
	if (s->text == NULL && isnan(s->number))
		return false;
	if (c->is != NULL)
		return equals(s, c->is);
	if (c->is_not != NULL)
		return !equals(s, c->is_not);
	if (isfinite(c->below))
		return s->number < c->below;
	return s->number > c->above;
}

static bool
key_holds(const struct facts *f, const struct condition *c)
{
	bool any = c->is == NULL && c->is_not == NULL && isnan(c->below) && isnan(c->above);

	for (size_t i = 0; i < f->n_sources; i++) {
		struct subject s = of_text(f->sources[i].value);

		if (strcmp(f->sources[i].name, c->key) == 0 && (any || test_holds(c, &s)))
			return true;
	}
	return false;
}

static bool
condition_holds(const struct profile *p, const struct facts *f, const struct condition *c)
{
	struct subject s;

	if (c->key != NULL)
		return key_holds(f, c);
	s = c->fact != NULL ? of_fact(f, c->fact) :
	    c->knob != NULL ? of_knob(p, f, c->knob) : of_offload(f, c->offload);
	return test_holds(c, &s);
}

bool
hazards_rule_holds(const struct profile *p, const struct facts *f, const struct hazard_rule *r)
{
	if (!profile_in_range(&r->range, f->release, f->arch))
		return false;
	for (size_t i = 0; i < r->n_when; i++) {
		if (!condition_holds(p, f, &r->when[i]))
			return false;
	}
	return true;
}
