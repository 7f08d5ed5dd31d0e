#include "refuse.h"

#include "advise_memory.h"
#include "hazards.h"
#include "settings.h"
#include "settings_apply.h"
#include "units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

struct change {
	struct arena *arena;
	const struct profile *p;
	const struct facts *f;
	const struct change_line *lines;
	size_t n;
	const bool *measured;
};

/* The next field of a value, its length and what number it is; NULL: there is none. */
static const char *
next_field(const char **s, size_t *len, double *number)
{
	const char *field = *s + strspn(*s, BLANKS);
	char *end;

	*len = strcspn(field, BLANKS);
	*s = field + *len;
	if (*len == 0)
		return NULL;
	*number = strspn(field + (*field == '-'), "0123456789") + (*field == '-') == *len ?
	    strtod(field, &end) : NAN;
	return field;
}

static size_t
n_fields(const char *s)
{
	size_t n = 0, len;
	double number;

	while (next_field(&s, &len, &number) != NULL)
		n++;
	return n;
}

static bool
printable(const struct change_line *l, struct err *e)
{
	const char *s = l->new == NULL ? "" : l->new;
	bool any = false;

	for (; *s != '\0'; s++) {
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return fail(e, ERR_FAILED, "%s: unprintable: the value has a control "
			    "character", l->name);
		any = any || strchr(BLANKS, *s) == NULL;
	}
	return any || fail(e, ERR_FAILED, "%s: unprintable: there is no value", l->name);
}

/* ---- one line ------------------------------------------------------------------------------- */

static bool
fail_range(const struct change_line *l, const struct knob *k, const char *field, size_t len,
    struct err *e)
{
	bool wraps = k->beyond == BEYOND_WRAPPED || k->beyond == BEYOND_ACCEPTED;

	return fail(e, ERR_FAILED, "%s: %s: %.*s is outside of %.0f to %.0f%s", l->name,
	    wraps ? "wraps" : "range", (int)len, field, k->min, k->max,
	    !wraps ? "" : ": this kernel would take it without an error, and keep another number "
	    "or an absurd one");
}

/*
 * Every field is a number and not above the most; the one that is tuned is in the range.  Fewer
 * fields than there are would change the first ones only.
 */
static bool
in_range(const struct change_line *l, const struct knob *k, const struct knob_fact *fact,
    struct err *e)
{
	const char *s = l->new, *field;
	double number, place = 1;
	size_t len, wanted = fact == NULL || fact->text == NULL ? 0 : n_fields(fact->text);

	if (isnan(k->min) || isnan(k->max))
		return true;
	if (n_fields(l->new) != (wanted != 0 ? wanted : isnan(k->field) ? 1 : n_fields(l->new)))
		return fail(e, ERR_FAILED, "%s: range: \"%s\" has not as many numbers as \"%s\"",
		    l->name, l->new, wanted != 0 ? fact->text : "0");
	for (; (field = next_field(&s, &len, &number)) != NULL; place++) {
		if (isnan(number))
			return fail(e, ERR_FAILED, "%s: range: \"%.*s\" is not a number", l->name,
			    (int)len, field);
		if (number > k->max || number < (isnan(k->field) || place == k->field ? k->min : 0))
			return fail_range(l, k, field, len, e);
	}
	return true;
}

/* Sizes alone: a switch that is turned off is no lowering. */
static bool
not_lowered(const struct change *c, const struct change_line *l, const struct knob *k,
    const struct knob_fact *fact, struct err *e)
{
	const char *s = l->new, *runs = fact == NULL ? NULL : fact->text, *field, *other;
	size_t i = (size_t)(l - c->lines), len, other_len;
	double wanted, now, place = 1;

	if (runs == NULL || (c->measured != NULL && c->measured[i]) || k->role < ROLE_LIMIT ||
	    k->role > ROLE_RECEIVE_INCREMENT)
		return true;
	for (; (field = next_field(&s, &len, &wanted)) != NULL &&
	     (other = next_field(&runs, &other_len, &now)) != NULL; place++) {
		bool tuned = isnan(k->field) || place == k->field;

		/* What is illegal now was never meant. */
		if (wanted < now && now <= k->max && !(tuned && now < k->min))
			return fail(e, ERR_FAILED, "%s: lowered: %.*s is less than the %.*s that "
			    "runs, and no gain was measured with it", l->name, (int)len, field,
			    (int)other_len, other);
	}
	return true;
}

static bool
judge_line(const struct change *c, const struct change_line *l, struct err *e)
{
	const struct knob *k = settings_knob(c->p, c->f, l->name);
	const struct knob_fact *fact = facts_knob(c->f, l->name);

	if (!printable(l, e))
		return false;
	return k == NULL || (in_range(l, k, fact, e) && not_lowered(c, l, k, fact, e));
}

/* ---- all of them ---------------------------------------------------------------------------- */

static const struct hazard *
find(const struct hazard *h, size_t n, const char *id, const char *subject)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(h[i].id, id) == 0 && strcmp(h[i].subject, subject) == 0)
			return &h[i];
	}
	return NULL;
}

static bool
sets(const struct change *c, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(c->lines[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Harm with this id that the first n lines do: there was none before, or they set the knob. */
static bool
harmless(const struct change *c, const char *id, size_t n, struct err *e)
{
	struct facts after = settings_applied(c->arena, c->p, c->f, c->lines, n);
	struct hazard *was, *is;
	size_t n_was, n_is;

	hazards_find(c->arena, c->p, c->f, &was, &n_was);
	hazards_find(c->arena, c->p, &after, &is, &n_is);
	for (size_t i = 0; i < n_is; i++) {
		if (strcmp(is[i].id, id) == 0 && (sets(c, n, is[i].subject) ||
		    find(was, n_was, id, is[i].subject) == NULL))
			return fail(e, ERR_FAILED, "%s: %s: %s", is[i].subject, id, is[i].words);
	}
	return true;
}

static bool
fits_memory(const struct change *c, double connections, struct err *e)
{
	struct facts after = settings_applied(c->arena, c->p, c->f, c->lines, c->n);
	double many = isnan(connections) ? 1 : connections, bound = advise_bound_bytes(c->f);
	double takes = many * advise_buffer_bytes(c->p, &after, DIR_BOTH);
	double took = many * advise_buffer_bytes(c->p, c->f, DIR_BOTH);

	if (!(takes > bound) || takes <= took)
		return true;
	return fail(e, ERR_FAILED, "%s: memory: with these values %.0f connection%s may take %s, "
	    "more than the %s that buffers should", c->lines[0].name, many, many == 1 ? "" : "s",
	    units_say_bytes(c->arena, takes), units_say_bytes(c->arena, bound));
}

bool
refuse_lines(struct arena *a, const struct profile *p, const struct facts *f,
    const struct change_line *lines, size_t n, const bool *measured, double connections,
    struct err *e)
{
	const struct change c = { a, p, f, lines, n, measured };

	for (size_t i = 0; i < n; i++) {
		if (!judge_line(&c, &lines[i], e))
			return false;
	}
	for (size_t i = 1; i <= n; i++) { /* no socket can be had in between either */
		if (!harmless(&c, "lethal", i, e))
			return false;
	}
	return n == 0 || (harmless(&c, "limit-useless", n, e) &&
	    harmless(&c, "limit-freezes", n, e) && fits_memory(&c, connections, e));
}

bool
refuse_lethal(struct arena *a, const struct profile *p, const struct facts *f,
    const struct change_line *lines, size_t n, struct err *e)
{
	const struct change c = { a, p, f, lines, n, NULL };

	return harmless(&c, "lethal", n, e);
}
