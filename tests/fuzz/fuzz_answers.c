/*
 * What a host may say: the same bytes as the answer to every question of every embedded profile.
 */
#include "systems.h"

#include "probes/facts_answer.h"
#include "probes/facts_ask.h"

#include <ctype.h>
#include <math.h>

#define NAME_BYTES 31
#define SOURCES_MOST 1000

static const struct substitution known[] = { { "peer", "203.0.113.10" }, { "interface", "em0" },
	{ "driver", "em" }, { "bus", "0000:00:03.0" }, { "parent", "pci0" },
	{ "release", "14.2-RELEASE" }, { NULL, NULL } };

/* ---- what stands in the text ----------------------------------------------------------------- */

static bool
stands(const struct output *o, const char *what)
{
	return strstr(o->text, what) != NULL;
}

static const char digits[] = "0123456789";

/* Digits at s within the text are part of a number with a point in it. */
static bool
is_part(const char *text, const char *s, size_t n)
{
	return (s - text > 1 && s[-1] == '.' && isdigit((unsigned char)s[-2])) ||
	    (s[n] == '.' && isdigit((unsigned char)s[n + 1]));
}

/* The whole of some number with plain digits, not a part of one. */
static bool
stands_number(const struct output *o, double x)
{
	size_t n;

	for (const char *s = strpbrk(o->text, digits); s != NULL; s = strpbrk(s + n, digits)) {
		n = strspn(s, digits);
		if (!is_part(o->text, s, n) && fabs(strtod(s, NULL) - x) <= x * 1e-12)
			return true;
	}
	return false;
}

/* The whole of some number that may have a fraction, as ping(8) prints the RTT. */
static bool
stands_fraction(const struct output *o, double x)
{
	size_t n;

	for (const char *s = strpbrk(o->text, digits); s != NULL; s = strpbrk(s + n, digits)) {
		n = strspn(s, "0123456789.");
		if (fabs(strtod(s, NULL) - x) <= x * 1e-12)
			return true;
	}
	return false;
}

/* The answer is a number and nothing else. */
static bool
is_number(const struct output *o)
{
	static const char blanks[] = " \t\r\n";
	const char *s = o->text + strspn(o->text, blanks);

	s += strspn(s, digits);
	return s[strspn(s, blanks)] == '\0';
}

static bool
stands_word(const struct output *o, const char *word)
{
	static const char blanks[] = " \t\r\n\v\f";
	size_t n = strlen(word);

	for (const char *s = o->text; (s = strstr(s, word)) != NULL; s++) {
		if ((s == o->text || strchr(blanks, s[-1]) != NULL) &&
		    (s[n] == '\0' || strchr(blanks, s[n]) != NULL))
			return true;
	}
	return false;
}

static void
promise_why(const char *why, const char *of)
{
	promise(why != NULL && *why != '\0', "a reason", of);
}

/* ---- facts ----------------------------------------------------------------------------------- */

static const struct field *
field_named(const char *name)
{
	const struct field *f = facts_record.fields;

	while (strcmp(f->name, name) != 0)
		f++;
	return f;
}

static void
promise_number(const struct fact_rule *r, const struct field *field, const struct output *o,
    double x)
{
	double scale = isnan(r->scale) ? 1 : r->scale;

	promise(x >= field->min && x <= field->max, "a number in its range", r->fact);
	promise(r->pattern != NULL || is_number(o), "nothing but a number", r->fact);
	promise(r->value != NULL ? x == strtod(r->value, NULL) * scale :
	    strcmp(r->fact, "rtt_ms") == 0 ? stands_fraction(o, x / scale) :
	    stands_number(o, x / scale), "a number that stands there", r->fact);
}

static void
promise_fact(const struct fact_rule *r, const struct field *field, const struct output *o,
    const struct facts *f)
{
	const char *member = (const char *)f + field->offset, *s;
	double x;

	if (field->type == FIELD_NUMBER) {
		memcpy(&x, member, sizeof(x));
		promise_number(r, field, o, x);
	} else if (field->type == FIELD_STRING) {
		memcpy(&s, member, sizeof(s));
		promise(s != NULL && *s != '\0' && is_shown(s), "a name of one line", r->fact);
		promise(r->value != NULL ? strcmp(s, r->value) == 0 : stands(o, s),
		    "a name that stands there", r->fact);
	}
}

static void
try_fact(struct arena *a, const struct fact_rule *r, const struct output *o)
{
	const struct field *field = field_named(r->fact);
	struct fact_rule expanded = *r;
	const char *why = NULL;
	struct facts f, before;
	enum answer how;

	if (r->pattern != NULL)
		expanded.pattern = profile_pattern(a, r->pattern, known);
	record_init(&facts_record, &f);
	before = f;
	how = answer_fact(a, &expanded, field, o, &f, &why);
	if (how == ANSWER_KNOWN) {
		promise_fact(r, field, o, &f);
	} else {
		promise_why(why, r->fact);
		promise(memcmp(&f, &before, sizeof(f)) == 0, "untouched when unknown", r->fact);
	}
}

/* ---- knobs ----------------------------------------------------------------------------------- */

static void
try_knob(struct arena *a, const struct knob *k, const struct output *o)
{
	struct knob_fact f = { .now = NAN };
	const char *why = NULL;
	bool name = strcmp(k->unit, "name") == 0;

	if (!answer_knob(a, k, o, &f, &why)) {
		promise_why(why, k->name);
		promise(f.text == NULL && isnan(f.now), "untouched when unknown", k->name);
		return;
	}
	promise(f.text != NULL && *f.text != '\0' && is_shown(f.text), "a value of one line",
	    k->name);
	promise(name ? answer_is_plain(f.text) && stands_word(o, f.text) :
	    !isnan(f.now) && stands_number(o, fabs(f.now)), "a value that stands there", k->name);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static void
try_names(struct arena *a, const char *pattern, const struct output *o)
{
	const char **names = NULL;
	size_t n = 0;

	answer_names(a, o, pattern, NAME_BYTES, &names, &n);
	for (size_t i = 0; i < n; i++)
		promise(answer_is_plain(names[i]) && strlen(names[i]) <= NAME_BYTES &&
		    (pattern == NULL ? stands_word(o, names[i]) : stands(o, names[i])),
		    "a plain name that stands there", names[i]);
}

/* A module is listed only if its name is there, however its dashes are written. */
static void
try_module(struct arena *a, const struct congestion *c, const char *name, const struct output *o)
{
	const struct substitution of[] = { { "name", name }, { NULL, NULL } };
	char *module = profile_expand(a, c->module == NULL ? "{name}" : c->module, of);
	struct output same = *o;
	char *text = arena_strdup(a, o->text);
	bool listed = answer_lists(o, module);

	for (char *s = text; (s = strchr(s, '-')) != NULL;)
		*s = '_';
	for (char *s = module; (s = strchr(s, '-')) != NULL;)
		*s = '_';
	same.text = text;
	promise(!listed || stands(&same, module), "a module that stands there", module);
	promise(answer_lists(&same, module) == listed, "dashes are all the same", module);
}

static void
try_choice(struct arena *a, const struct congestion *c, const struct output *o)
{
	try_names(a, NULL, o);
	if (c->names != NULL)
		try_names(a, c->names, o);
	if (c->modules != NULL)
		try_names(a, c->modules, o);
	for (size_t i = 0; i < c->n_candidates; i++)
		try_module(a, c, c->candidates[i], o);
}

static void
try_offloads(struct arena *a, const struct offload_source *s, const struct output *o)
{
	struct offload_source expanded = *s;
	struct facts f;

	record_init(&facts_record, &f);
	if (s->names != NULL)
		expanded.names = profile_pattern(a, s->names, known);
	if (s->able != NULL)
		expanded.able = profile_pattern(a, s->able, known);
	answer_offloads(a, &expanded, o, &f);
	promise(f.n_offloads + f.n_unknown == s->n_list, "every offload is there or unknown", NULL);
	for (size_t i = 0; i < f.n_offloads; i++) {
		const struct offload *x = &f.offloads[i];

		promise(strings_have(s->list, s->n_list, x->name), "one of the list", x->name);
		promise(strcmp(x->state, "off") == 0 ||
		    (strcmp(x->state, "on") == 0 && stands(o, x->name)), "on or off", x->name);
	}
	for (size_t i = 0; i < f.n_unknown; i++)
		promise_why(f.unknown[i].why, f.unknown[i].fact);
}

static void
try_sources(struct arena *a, const struct profile *profile, const struct output *o)
{
	struct facts f;
	struct probe p = { .arena = a, .profile = profile, .facts = &f };

	record_init(&facts_record, &f);
	facts_ask_sources(&p);
	if (p.n_questions == 0)
		return;
	p.questions[0].answer = *o;
	p.questions[0].answered = true;
	facts_take_sources(&p);
	promise(f.n_sources <= SOURCES_MOST, "not endless", NULL);
	for (size_t i = 0; i < f.n_sources; i++) {
		const struct source_line *l = &f.sources[i];

		promise(*l->file != '\0' && is_shown(l->file) && is_shown(l->value),
		    "what can be shown", l->name);
		promise(l->line >= 1 && l->line <= 1e9 && stands_number(o, l->line),
		    "a line that stands there", l->name);
	}
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void
try_profile(const struct profile *p, const struct output *o)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < p->n_facts; i++)
		try_fact(a, &p->facts[i], o);
	for (size_t i = 0; i < p->n_knobs; i++)
		try_knob(a, &p->knobs[i], o);
	try_choice(a, &p->congestion, o);
	try_choice(a, &p->stacks, o);
	try_offloads(a, &p->offloads, o);
	try_sources(a, p, o);
	arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct profile *p;
	struct output o = { 0 };
	char *text;

	if (size > HOST_OUTPUT_BYTES)
		return 0;
	text = malloc(size + 1);
	for (size_t i = 0; i < size; i++)
		text[i] = data[i] == '\0' ? '?' : (char)data[i];
	text[size] = '\0';
	o.text = text;
	o.len = size;
	for (size_t i = 0; (p = system_at(i)) != NULL; i++)
		try_profile(p, &o);
	free(text);
	return 0;
}
