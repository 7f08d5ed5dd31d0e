/* Which system do the columns of a table belong to? */
#include "import.h"
#include "kernel.h"

#include <ctype.h>
#include <string.h>

#define NEWEST "9999" /* beyond any release: the rules without an end hold */
#define USUAL "freebsd" /* among equals: DragonFly and NetBSD took the names of knobs from it */

static const char *
last_part(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot == NULL ? name : dot + 1;
}

/* The whole name first, then its last part. */
static const struct knob *
knob_of(const struct profile *p, const char *column)
{
	for (size_t i = 0; i < p->n_knobs; i++) {
		if (strcmp(p->knobs[i].name, column) == 0)
			return &p->knobs[i];
	}
	for (size_t i = 0; i < p->n_knobs; i++) {
		if (strcmp(last_part(p->knobs[i].name), column) == 0)
			return &p->knobs[i];
	}
	return NULL;
}

static const struct knob **
knobs_of(struct arena *a, const struct profile *p, const struct import_table *t, size_t *known)
{
	const struct knob **knobs = arena_array(a, t->n_columns, sizeof(void *));

	*known = 0;
	for (size_t i = 0; i < t->n_columns && p != NULL; i++) {
		knobs[i] = knob_of(p, t->columns[i]);
		*known += knobs[i] != NULL;
	}
	return knobs;
}

static struct import_system
system_make(struct arena *a, const struct import_table *t, const struct profile *p,
    const char *release)
{
	struct import_system s = { .profile = p, .os = p->name, .release = release };
	size_t known;

	record_init(&facts_record, &s.facts);
	s.facts.os = p->sysname;
	s.facts.release = release == NULL ? NEWEST : release;
	s.knobs = knobs_of(a, p, t, &known);
	return s;
}

/* How many of the first test's settings are what this system starts with. */
static size_t
defaults_agree(const struct import_table *t, const struct import_system *s)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_columns; i++)
		n += kernel_default(s->knobs[i], &s->facts) == t->tests[0].values[i].number;
	return n;
}

/* Among the systems that have all columns, the one whose defaults the first test is closest to. */
static bool
guess(struct arena *a, const struct import_table *t, const char *release,
    struct import_system *out, struct err *e)
{
	const char *name, *text;
	size_t len, known, agree, most = 0;

	for (size_t i = 0; (name = profile_embedded(i, &text, &len)) != NULL; i++) {
		struct import_system s;
		struct profile *p;

		if (!profile_named(a, name, &p, e))
			return false;
		knobs_of(a, p, t, &known);
		if (known != t->n_columns)
			continue;
		s = system_make(a, t, p, release);
		agree = defaults_agree(t, &s);
		if (out->profile != NULL &&
		    (agree < most || (agree == most && strcmp(name, USUAL) != 0)))
			continue;
		most = agree;
		*out = s;
		out->assumed = true;
	}
	return true;
}

bool
import_system(struct arena *a, const struct import_table *t, const char *os, const char *release,
    struct import_system *out, struct err *e)
{
	struct err why = { ERR_NONE, "" };
	struct import_system s = { 0 };
	struct profile *p;
	size_t none;

	if (os == NULL)
		os = t->about.os;
	if (release == NULL)
		release = t->about.release;
	if (release != NULL && !isdigit((unsigned char)*release))
		return fail(e, ERR_USAGE, "release: '%.40s' is not a release; it begins with a "
		    "number", release);
	if (os != NULL) {
		if (!profile_named(a, os, &p, &why))
			return fail(e, why.code, "os: %s", why.text);
		*out = system_make(a, t, p, release);
		return true;
	}
	if (!guess(a, t, release, &s, e))
		return false;
	if (s.profile == NULL)
		s.knobs = knobs_of(a, NULL, t, &none);
	*out = s;
	return true;
}
