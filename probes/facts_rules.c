#include "facts_ask.h"

#include "facts_answer.h"

#include <math.h>
#include <string.h>

/* One fact that the profile has rules for. */
struct want {
	const struct field *field;
	size_t rule;            /* the one in turn; n_facts: there is none left */
	size_t question;        /* of this round */
	bool asked;             /* in this round */
	const char *why;        /* why it is not known so far */
	enum answer how;        /* how that came */
};

static struct want *
want_of(struct probe *p, const char *fact)
{
	size_t i;

	for (i = 0; i < p->n_wants; i++) {
		if (strcmp(p->wants[i].field->name, fact) == 0)
			return &p->wants[i];
	}
	return NULL;
}

static const struct field *
fact_field(const char *name)
{
	const struct field *f;

	for (f = facts_record.fields; strcmp(f->name, name) != 0; f++)
		; /* profile_parse() has seen to it that there is one */
	return f;
}

static void
list_wants(struct probe *p)
{
	const struct profile *profile = p->profile;
	struct want *w;
	size_t i;

	for (i = 0; i < profile->n_facts; i++) {
		if (want_of(p, profile->facts[i].fact) != NULL)
			continue;
		w = arena_push(p->arena, &p->wants, &p->n_wants, sizeof(*w));
		w->field = fact_field(profile->facts[i].fact);
		w->rule = i;
		w->how = ANSWER_OTHER;
	}
}

static void
next_rule(const struct probe *p, struct want *w)
{
	const struct profile *profile = p->profile;

	do
		w->rule++;
	while (w->rule < profile->n_facts &&
	    strcmp(profile->facts[w->rule].fact, w->field->name) != 0);
}

enum { KNOWN = 6 }; /* substitutions in rules, with the end mark */

static void
list_known(const struct probe *p, struct substitution *known)
{
	const struct facts *f = p->facts;
	const struct substitution now[KNOWN] = {
		{ "peer", facts_usable(p->peer) }, { "interface", facts_usable(f->interface) },
		{ "driver", facts_usable(f->driver) }, { "bus", facts_usable(f->bus) },
		{ "release", facts_usable(f->release) }, { NULL, NULL },
	};

	memcpy(known, now, sizeof(now));
}

static bool
expand_rule(struct probe *p, const struct fact_rule *r, const char ***argv, const char **file)
{
	struct substitution known[KNOWN];

	list_known(p, known);
	*argv = NULL;
	*file = NULL;
	if (r->file != NULL)
		*file = profile_expand(p->arena, r->file, known);
	else
		*argv = profile_argv(p->arena, r->argv, r->n_argv, known);
	return *argv != NULL || *file != NULL;
}

static bool
uses(struct arena *a, const struct fact_rule *r, const char *key)
{
	const char *braced = arena_printf(a, "{%s}", key);
	size_t i;

	for (i = 0; i < r->n_argv; i++) {
		if (strstr(r->argv[i], braced) != NULL)
			return true;
	}
	return r->file != NULL && strstr(r->file, braced) != NULL;
}

/* What a rule that cannot be expanded lacks first; *wait: it is still being looked for. */
static const char *
lacking(struct probe *p, const struct fact_rule *r, bool *wait)
{
	struct substitution known[KNOWN];
	const struct want *w;
	size_t i;

	list_known(p, known);
	for (i = 0; known[i].key != NULL; i++) {
		if (known[i].value == NULL && uses(p->arena, r, known[i].key))
			break;
	}
	w = known[i].key == NULL ? NULL : want_of(p, known[i].key);
	*wait = w != NULL && w->rule < p->profile->n_facts;
	return known[i].key;
}

/* The first failure says most; a rule that does not fit is nothing special. */
static void
keep_why(struct want *w, enum answer how, const char *why)
{
	if (w->why == NULL || (how == ANSWER_FAILED && w->how != ANSWER_FAILED)) {
		w->why = why;
		w->how = how;
	}
}

/* Ask this fact's next rule that can be asked now.  True when something was asked. */
static bool
ask_want(struct probe *p, struct want *w)
{
	const struct fact_rule *r;
	const char **argv, *file, *lacks;
	bool wait;

	for (w->asked = false; w->rule < p->profile->n_facts; next_rule(p, w)) {
		r = &p->profile->facts[w->rule];
		if (r->without_peer && p->peer != NULL)
			continue;
		if (expand_rule(p, r, &argv, &file)) {
			w->question = facts_ask(p, argv, file);
			w->asked = true;
			return true;
		}
		lacks = lacking(p, r, &wait);
		if (wait)
			return false;
		if (p->peer != NULL || strcmp(lacks, "peer") != 0)
			keep_why(w, ANSWER_OTHER, arena_printf(p->arena, "%s is not known", lacks));
	}
	return false;
}

static void
take_answer(struct probe *p, struct want *w)
{
	const char *why = NULL;
	enum answer how = answer_fact(p->arena, &p->profile->facts[w->rule], w->field,
	    &p->questions[w->question].answer, p->facts, &why);

	if (how == ANSWER_KNOWN || how == ANSWER_UNKNOWN) {
		w->rule = p->profile->n_facts;
		w->why = why;
		return;
	}
	keep_why(w, how, why);
	next_rule(p, w);
}

/* What is wanted and not known; a bool that nothing affirms is false, not unknown. */
static void
list_unknown(struct probe *p)
{
	const struct want *w;
	const char *s;
	double x;
	size_t i;

	for (i = 0; i < p->n_wants; i++) {
		w = &p->wants[i];
		memcpy(&s, (char *)p->facts + w->field->offset,
		    w->field->type == FIELD_STRING ? sizeof(s) : 0);
		memcpy(&x, (char *)p->facts + w->field->offset,
		    w->field->type == FIELD_NUMBER ? sizeof(x) : 0);
		if ((w->field->type == FIELD_STRING && s == NULL) ||
		    (w->field->type == FIELD_NUMBER && isnan(x)))
			facts_unknown(p->arena, p->facts, w->field->name,
			    w->why != NULL ? w->why : "no rule applies");
	}
}

bool
facts_ask_rules(struct probe *p)
{
	bool asked = true;
	size_t i;

	list_wants(p);
	while (asked) {
		for (asked = false, i = 0; i < p->n_wants; i++)
			asked = ask_want(p, &p->wants[i]) || asked;
		if (!facts_ask_run(p))
			return false;
		for (i = 0; i < p->n_wants; i++) {
			if (p->wants[i].asked)
				take_answer(p, &p->wants[i]);
		}
	}
	list_unknown(p);
	return true;
}
