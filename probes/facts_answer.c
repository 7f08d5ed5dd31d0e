#include "facts_answer.h"

#include "../tuner/match.h"
#include "knobs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 128 /* of a fact that is a name */
#define KNOB_BYTES 256
#define KNOB_DIGITS 20 /* of an unsigned 64-bit number */
#define NAMES 64       /* of congestion controls and stacks */

void
facts_unknown(struct arena *a, struct facts *f, const char *fact, const char *why)
{
	struct unknown *u = arena_push(a, &f->unknown, &f->n_unknown, sizeof(*u));

	u->fact = fact;
	u->why = why;
}

bool
answer_is_plain(const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "._:@%+-";

	return s[0] != '\0' && s[0] != '-' && s[0] != '.' && s[strspn(s, plain)] == '\0' &&
	    strlen(s) <= NAME_BYTES;
}

static bool
is_printable(const char *s)
{
	size_t n = 0;

	for (; s[n] != '\0'; n++) {
		if (s[n] < ' ' || s[n] > '~')
			return false;
	}
	return n > 0 && n <= NAME_BYTES;
}

static char *
trimmed(struct arena *a, const char *s, size_t n)
{
	static const char blank[] = " \t\r\n";

	while (n > 0 && strchr(blank, s[n - 1]) != NULL)
		n--;
	while (n > 0 && strchr(blank, *s) != NULL) {
		s++;
		n--;
	}
	return arena_strndup(a, s, n);
}

/* Plain digits, at most 15 of them so that a double holds them exactly. */
static bool
whole_number(const char *s, size_t len, double *x)
{
	char digits[16];

	if (len == 0 || len > 15 || strspn(s, "0123456789") < len)
		return false;
	memcpy(digits, s, len);
	digits[len] = '\0';
	*x = strtod(digits, NULL);
	return true;
}

/* Milliseconds as ping(8) prints them: three digits behind the point at most matter. */
static bool
milliseconds(const char *s, double *x)
{
	size_t whole = strspn(s, "0123456789"), part = 0;

	if (whole == 0 || whole > 6)
		return false;
	if (s[whole] == '.')
		part = strspn(s + whole + 1, "0123456789");
	if (s[whole] == '.' ? part == 0 || part > 6 || s[whole + 1 + part] != '\0' :
		s[whole] != '\0')
		return false;
	*x = strtod(s, NULL);
	return true;
}

/* Whether nought means something is the field's to say, by its smallest value. */
static bool
store_number(const struct fact_rule *r, const struct field *field, const char *s, void *member)
{
	double x;

	if (strcmp(field->name, "rtt_ms") == 0 ? !milliseconds(s, &x) :
	    !whole_number(s, strlen(s), &x))
		return false;
	x *= isnan(r->scale) ? 1 : r->scale;
	if (x < field->min || (field->max != 0 && x > field->max))
		return false;
	memcpy(member, &x, sizeof(x));
	return true;
}

static bool
store(const struct fact_rule *r, const struct field *field, const char *s, struct facts *f)
{
	void *member = (char *)f + field->offset;
	bool truth;

	switch (field->type) {
	case FIELD_NUMBER:
		return store_number(r, field, s, member);
	case FIELD_BOOL:
		truth = strcmp(s, "true") == 0;
		memcpy(member, &truth, sizeof(truth));
		return truth || strcmp(s, "false") == 0;
	default:
		if (!is_printable(s))
			return false;
		memcpy(member, &s, sizeof(s));
		return true;
	}
}

/* How a rule's question is called in a reason. */
static const char *
question(struct arena *a, const struct fact_rule *r)
{
	struct text t = { .arena = a };
	size_t i;

	if (r->file != NULL)
		return r->file;
	for (i = 0; i < r->n_argv; i++)
		text_add(&t, "%s%s", i == 0 ? "" : " ", r->argv[i]);
	return t.s;
}

enum answer
answer_fact(struct arena *a, const struct fact_rule *r, const struct field *field,
    const struct output *o, struct facts *f, const char **why)
{
	char *found = NULL;

	if (o->status < 0 || (o->status != 0 && !r->any_status)) {
		*why = o->why != NULL ? o->why : arena_printf(a, "%s failed", question(a, r));
		return ANSWER_FAILED;
	}
	if (r->pattern == NULL)
		found = trimmed(a, o->text, o->len);
	else
		found = match_first(a, r->pattern, o->text, o->len);
	if (found != NULL && r->unknown != NULL) {
		*why = r->unknown;
		return ANSWER_UNKNOWN;
	}
	if (found != NULL && r->value != NULL)
		found = arena_strdup(a, r->value);
	if (found != NULL && store(r, field, found, f))
		return ANSWER_KNOWN;
	*why = arena_printf(a, "%s does not say", question(a, r));
	return ANSWER_OTHER;
}

/* The line "name: on [fixed]" at s, which ends before a newline. */
static bool
offload_line(struct arena *a, const char *name, const char *s, size_t len, struct offload *out)
{
	size_t n = strlen(name);
	const char *state;

	while (len > 0 && (*s == '\t' || *s == ' ')) {
		s++;
		len--;
	}
	if (len < n + 4 || memcmp(s, name, n) != 0 || s[n] != ':' || s[n + 1] != ' ')
		return false;
	s += n + 2;
	len -= n + 2;
	state = len >= 3 && memcmp(s, "off", 3) == 0 ? "off" :
	    len >= 2 && memcmp(s, "on", 2) == 0 ? "on" : NULL;
	if (state == NULL || (len > strlen(state) && s[strlen(state)] != ' '))
		return false;
	out->name = arena_strdup(a, name);
	out->state = state;
	out->fixed = len == strlen(state) + 8 && memcmp(s + strlen(state), " [fixed]", 8) == 0;
	return true;
}

/* A list such as RXCSUM,TXCSUM has this name; it may be cut into lines "on=7<RXCSUM,TXCSUM>". */
static bool
is_listed(const char *list, const char *name)
{
	static const char between[] = ", <>=\t\n";
	size_t len;

	for (; *list != '\0'; list += len + strspn(list + len, between)) {
		len = strcspn(list, between);
		if (strlen(name) == len && memcmp(list, name, len) == 0)
			return true;
	}
	return false;
}

/* One offload by the list of those that are on, and of those that can be switched. */
static bool
listed_offload(const struct offload_source *s, const char *on, const char *able, const char *name,
    struct offload *out)
{
	if (on == NULL)
		return false;
	out->name = name;
	out->state = is_listed(on, name) ? "on" : "off";
	out->fixed = s->able != NULL && (able == NULL || !is_listed(able, name));
	return true;
}

/* One offload by its line "name: on". */
static bool
lined_offload(struct arena *a, const char *s, const char *name, struct offload *out)
{
	bool known = false;
	size_t len;

	for (; *s != '\0' && !known; s += len + (s[len] == '\n')) {
		len = strcspn(s, "\n");
		known = offload_line(a, name, s, len, out);
	}
	return known;
}

void
answer_offloads(struct arena *a, const struct offload_source *s, const struct output *o,
    struct facts *f)
{
	const char *on = NULL, *able = NULL;
	struct offload found, *added;

	if (s->names != NULL && o->status == 0)
		on = match_first(a, s->names, o->text, o->len);
	if (s->able != NULL && o->status == 0)
		able = match_first(a, s->able, o->text, o->len);
	for (size_t i = 0; i < s->n_list; i++) {
		if (s->names != NULL ? listed_offload(s, on, able, s->list[i], &found) :
		    lined_offload(a, o->text, s->list[i], &found)) {
			added = arena_push(a, &f->offloads, &f->n_offloads, sizeof(*added));
			*added = found;
		} else {
			facts_unknown(a, f, s->list[i],
			    o->why != NULL ? o->why : "is not listed");
		}
	}
}

/* All fields with one blank between them; NULL when that is no value of a knob. */
static char *
joined(struct arena *a, const struct output *o)
{
	struct text t = { .arena = a };
	const char *s = o->text, *word;
	size_t len;

	while ((word = knobs_field(&s, &len)) != NULL && t.len + len < KNOB_BYTES) {
		text_bytes(&t, " ", t.len == 0 ? 0 : 1);
		text_bytes(&t, word, len);
	}
	return word == NULL && t.len != 0 && is_printable(t.s) ? t.s : NULL;
}

/*
 * A number as the kernel prints it: one that it cut to its type may be negative, or the largest
 * of 64 bits; both are worth seeing.
 */
static bool
knob_value(const char *s, size_t len, double *x)
{
	char digits[KNOB_DIGITS + 1];
	bool negative = len > 0 && *s == '-';

	s += negative;
	len -= negative;
	if (len == 0 || len > KNOB_DIGITS || strspn(s, "0123456789") < len)
		return false;
	memcpy(digits, s, len);
	digits[len] = '\0';
	*x = negative ? -strtod(digits, NULL) : strtod(digits, NULL);
	return true;
}

/* The field-th of the numbers that a knob holds; false unless all are numbers. */
static bool
knob_number(const char *text, double field, double *now)
{
	const char *s = text, *word;
	double x, i = 0;
	bool there = false;
	size_t len;

	while ((word = knobs_field(&s, &len)) != NULL) {
		if (!knob_value(word, len, &x))
			return false;
		i++;
		if (i == field || (isnan(field) && i == 1)) {
			*now = x;
			there = true;
		} else if (isnan(field)) {
			return false;
		}
	}
	return there;
}

bool
answer_knob(struct arena *a, const struct knob *k, const struct output *o, struct knob_fact *f,
    const char **why)
{
	const char *text;
	double now = NAN;

	if (o->status != 0) {
		*why = o->why != NULL ? o->why : "cannot be read";
		return false;
	}
	*why = arena_printf(a, "%s does not hold what it should",
	    k->file != NULL ? k->file : k->name);
	text = joined(a, o);
	if (text == NULL)
		return false;
	if (strcmp(k->unit, "name") == 0 ? !answer_is_plain(text) :
	    !knob_number(text, k->field, &now))
		return false;
	f->text = text;
	f->now = now;
	return true;
}

static void
add_name(struct arena *a, const char *name, size_t most_bytes, const char ***names, size_t *n)
{
	if (strlen(name) <= most_bytes && answer_is_plain(name) && *n < NAMES)
		*(const char **)arena_push(a, names, n, sizeof(name)) = name;
}

void
answer_names(struct arena *a, const struct output *o, const char *pattern, size_t most_bytes,
    const char ***names, size_t *n)
{
	const char *s = o->text, *word, **found = NULL;
	size_t i, len, n_found = 0;

	if (pattern != NULL) {
		match_all(a, pattern, o->text, o->len, NAMES, &found, &n_found);
		for (i = 0; i < n_found; i++)
			add_name(a, found[i], most_bytes, names, n);
		return;
	}
	while ((word = knobs_field(&s, &len)) != NULL && *n < NAMES)
		add_name(a, arena_strndup(a, word, len), most_bytes, names, n);
}

static char
module_char(char c)
{
	return c == '-' ? '_' : c;
}

bool
answer_lists(const struct output *o, const char *word)
{
	const char *s;
	size_t i, n = strlen(word);

	for (s = o->text; *s != '\0'; s += strcspn(s, "\n"), s += *s == '\n') {
		for (i = 0; i < n && module_char(s[i]) == module_char(word[i]); i++)
			;
		if (i == n && (s[n] == ' ' || s[n] == '\n' || s[n] == '\0'))
			return true;
	}
	return false;
}
